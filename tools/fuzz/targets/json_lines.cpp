// Annotations in our own format: a JSON object per line.
#include "tools/fuzz/records.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "annotations.jsonl");
  datasets::DatasetConfig config;
  config.name = "set";
  config.format = "vllama";
  config.annotations = file.write(Input(data, size).rest()).string();
  config.media_root = "media";
  answers([&] { read_records(config); });
  return 0;
}
