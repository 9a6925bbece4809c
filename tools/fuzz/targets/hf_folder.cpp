// A Hugging Face folder: the index of its shards, which are sound, and its config.json.
#include <ATen/ops/zeros.h>

#include "language/llama_config.h"
#include "tools/fuzz/weights.h"
#include "weights/describe.h"
#include "weights/weight_table.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::fuzz;

namespace {

const std::filesystem::path& folder_with_shards() {
  static const std::filesystem::path folder = [] {
    const auto path = process_folder() / "model";
    std::filesystem::create_directories(path);
    const auto zeros = at::zeros({2, 2});
    weights::write_safetensors(path / "a.safetensors", {{"one", zeros}, {"two", zeros}});
    weights::write_safetensors(path / "b.safetensors", {{"three", zeros}});
    weights::write_pth(path / "c.bin", weights::to_map({{"four", zeros}}));
    return path;
  }();
  return folder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& folder = folder_with_shards();
  static InputFile index(folder / "model.safetensors.index.json");
  static InputFile config(folder / "config.json");
  Input input(data, size);
  index.write(input.part());
  const auto& config_path = config.write(input.part());
  answers([&] {
    for (const auto& [name, entry] : weights::read_weight_table(folder)) touch(entry.view);
  });
  answers([&] { language::read_llama_config(config_path); });
  if (input.is_eighth())
    answers([&] { weights::describe(folder, weights::DescriptionFormat::json); });
  return 0;
}
