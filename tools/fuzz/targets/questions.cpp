// Annotations of evaluations in every format. An input is the format, the annotation, and what
// stands in the second file that some formats have, with a zero byte in between.
#include "eval/scores/chair.h"
#include "eval/tasks/open_task.h"
#include "eval/tasks/read_questions.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::string> formats = eval::task_format_names();
  static const std::filesystem::path media = [] {
    for (const char* name : {"a.mp4", "v_b.mkv", "1.jpg", "video1.mp4", "c.wav"})
      write_fixed(process_folder() / "media" / name, "");
    std::filesystem::create_directories(process_folder() / "benchmark");
    return process_folder() / "media";
  }();
  static InputFile annotations(process_folder() / "benchmark" / "task.json");
  static InputFile second(process_folder() / "second.txt");
  Input input(data, size);
  eval::TaskConfig config;
  config.name = "task";
  config.format = formats[input.choice(formats.size())];
  config.media_root = media.string();
  config.annotations = annotations.write(input.part()).string();
  if (config.format == "mvbench") config.annotations = (process_folder() / "benchmark").string();
  const std::string other = second.write(input.part()).string();
  if (config.format.ends_with("_qa")) config.answers = other;
  if (config.format.starts_with("msvd")) config.media_names = other;
  if (config.format == "captions") config.caption_format = "vllama";
  answers([&] { eval::open_task(config); });
  answers([&] { eval::ObjectNames::read(other).mentioned("two dogs and a red bus"); });
  return 0;
}
