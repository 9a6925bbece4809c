// CSV and TSV annotations: WebVid, AudioCaps, Clotho.
#include <array>

#include "tools/fuzz/records.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array kFormats = {"webvid", "audiocaps", "clotho"};
  static InputFile csv(process_folder() / "annotations.csv"), tsv(process_folder() / "a.tsv");
  Input input(data, size);
  datasets::DatasetConfig config;
  config.name = "set";
  config.format = kFormats[input.choice(kFormats.size())];
  config.annotations = (input.choice(2) == 0 ? csv : tsv).write(input.rest()).string();
  config.media_root = "media";
  answers([&] { read_records(config); });
  return 0;
}
