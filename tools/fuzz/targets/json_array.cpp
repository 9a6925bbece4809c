// Annotations that are a JSON array, or an object that holds one.
#include <array>

#include "tools/fuzz/records.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array kFormats = {"cc_sbu_align", "cc595k", "llava_instruct",
                                          "videochat_instruct", "video_instruct_100k"};
  static InputFile file(process_folder() / "annotations.json");
  Input input(data, size);
  datasets::DatasetConfig config;
  config.name = "set";
  config.format = kFormats[input.choice(kFormats.size())];
  config.annotations = file.write(input.rest()).string();
  config.media_root = "media";
  answers([&] { read_records(config); });
  return 0;
}
