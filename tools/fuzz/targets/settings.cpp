// YAML settings of a run and of an evaluation with assignments from the command line, and files of
// the Python original. An input is the kind, the text, and the assignments, with zero bytes in
// between.
#include "config/fields.h"
#include "eval/evaluate/eval_config.h"
#include "tools/fuzz/input.h"
#include "train/original/import_config.h"
#include "train/run/run_config.h"

using namespace vllama;
using namespace vllama::fuzz;

namespace {

// What was read must be there again when it is written and read once more.
template <class Settings>
void read_settings(const config::Tree& tree) {
  auto settings = config::read<Settings>(tree);
  const std::string text = config::dump(settings);
  auto again = config::read<Settings>(config::load_text(text, "again"));
  require(config::dump(again) == text, "written settings read back");
}

// What the seeds include lies beside the file, as in configs.
const std::filesystem::path& folder_with_includes() {
  static const std::filesystem::path folder = [] {
    namespace fs = std::filesystem;
    fs::copy("configs/models", process_folder() / "models");
    write_fixed(process_folder() / "runs" / "circle.yaml", "{seed: 7, include: run.yaml}\n");
    write_fixed(process_folder() / "runs" / "data.yaml", "{shuffle: false}\n");
    return process_folder() / "runs";
  }();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  enum Kind : std::size_t { kRun, kEvaluation, kOriginal };
  static InputFile file(folder_with_includes() / "run.yaml");
  Input input(data, size);
  const std::size_t kind = input.choice(3);
  const std::string text(input.part());
  if (kind == kOriginal) {
    answers(
        [&] { config::read<train::RunConfig>(train::import_config(text, "original.yaml").run); });
    return 0;
  }
  answers([&] {
    config::Tree tree = config::load_file(file.write(text));
    while (!input.rest().empty()) config::apply_override(tree, std::string(input.part()));
    config::to_yaml(tree);
    if (kind == kRun) read_settings<train::RunConfig>(tree);
    if (kind == kEvaluation) read_settings<eval::EvalConfig>(tree);
  });
  return 0;
}
