// Safetensors files: header, tensors, and what `inspect` says of them.
#include "checkpoint/describe.h"
#include "checkpoint/safetensors_reader.h"
#include "checkpoint/tensors.h"
#include "tools/fuzz/weights.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "weights.safetensors");
  const auto& path = file.write(Input(data, size).rest());
  answers([&] {
    for (const auto& [name, view] : checkpoint::read_safetensors(MappedFile::open(path)).tensors) {
      touch(view);
      checkpoint::to_tensor(view);
    }
  });
  answers([&] { checkpoint::describe(path, checkpoint::DescriptionFormat::json); });
  return 0;
}
