// PyTorch's files, both containers: the directory, the pickle, the tensors, and what `inspect` says
// of them.
#include "checkpoint/describe.h"
#include "checkpoint/pth_reader.h"
#include "checkpoint/tensors.h"
#include "checkpoint/weight_table.h"
#include "checkpoint/zip_reader.h"
#include "tools/fuzz/weights.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "weights.pth");
  const Input input(data, size);
  const auto& path = file.write(input.rest());
  answers([&] { checkpoint::read_zip_directory(exact(input.rest()), "weights.pth"); });
  answers([&] { touch(checkpoint::read_pth(path)); });
  answers([&] {
    for (const auto& [name, entry] : checkpoint::read_weight_table(path)) {
      touch(entry.view);
      checkpoint::to_tensor(entry.view);
    }
  });
  if (input.is_eighth())
    answers([&] { checkpoint::describe(path, checkpoint::DescriptionFormat::text); });
  return 0;
}
