// PyTorch's files, both containers: the directory, the pickle, the tensors, and what `inspect` says
// of them.
#include "tools/fuzz/weights.h"
#include "weights/describe.h"
#include "weights/pth/pth_reader.h"
#include "weights/pth/zip_reader.h"
#include "weights/values/tensors.h"
#include "weights/weight_table.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "weights.pth");
  const Input input(data, size);
  const auto& path = file.write(input.rest());
  answers([&] { weights::read_zip_directory(exact(input.rest()), "weights.pth"); });
  answers([&] { touch(weights::read_pth(path)); });
  answers([&] {
    for (const auto& [name, entry] : weights::read_weight_table(path)) {
      touch(entry.view);
      weights::to_tensor(entry.view);
    }
  });
  if (input.is_eighth())
    answers([&] { weights::describe(path, weights::DescriptionFormat::text); });
  return 0;
}
