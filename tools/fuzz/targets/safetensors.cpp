// Safetensors files: header, tensors, and what `inspect` says of them.
#include "tools/fuzz/weights.h"
#include "weights/describe.h"
#include "weights/safetensors_reader.h"
#include "weights/values/tensors.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "weights.safetensors");
  const auto& path = file.write(Input(data, size).rest());
  answers([&] {
    for (const auto& [name, view] : weights::read_safetensors(MappedFile::open(path)).tensors) {
      touch(view);
      weights::to_tensor(view);
    }
  });
  answers([&] { weights::describe(path, weights::DescriptionFormat::json); });
  return 0;
}
