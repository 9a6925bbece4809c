// A Hugging Face folder: the index of its shards, which are sound, and its config.json.
#include <ATen/ops/zeros.h>

#include "checkpoint/describe.h"
#include "checkpoint/weight_table.h"
#include "checkpoint/write.h"
#include "models/llama_config.h"
#include "tools/fuzz/weights.h"

using namespace vllama;
using namespace vllama::fuzz;

namespace {

const std::filesystem::path& folder_with_shards() {
  static const std::filesystem::path folder = [] {
    const auto path = process_folder() / "model";
    std::filesystem::create_directories(path);
    const auto zeros = at::zeros({2, 2});
    checkpoint::write_safetensors(path / "a.safetensors", {{"one", zeros}, {"two", zeros}});
    checkpoint::write_safetensors(path / "b.safetensors", {{"three", zeros}});
    checkpoint::write_pth(path / "c.bin", checkpoint::to_map({{"four", zeros}}));
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
    for (const auto& [name, entry] : checkpoint::read_weight_table(folder)) touch(entry.view);
  });
  answers([&] { models::read_llama_config(config_path); });
  if (input.is_eighth())
    answers([&] { checkpoint::describe(folder, checkpoint::DescriptionFormat::json); });
  return 0;
}
