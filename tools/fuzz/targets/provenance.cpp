// What a saved step records of the files that it was trained on.
#include "core/error.h"
#include "tools/fuzz/input.h"
#include "train/run/provenance_file.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(Input(data, size).rest());
  train::recorded_folder(text);
  answers([&] {
    const std::string written = train::provenance_text(train::read_provenance(text));
    require(train::provenance_text(train::read_provenance(written)) == written,
            "what was written reads back");
  });
  return 0;
}
