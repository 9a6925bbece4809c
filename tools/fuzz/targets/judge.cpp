// What a judge replied: the joined file of the judging program, and single replies.
#include "eval/scores/judge_files.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "replies.json");
  static const std::vector<eval::Prediction> predictions = {
      {.id = "1", .video = "v_x"}, {.id = "2", .video = "v_y"}, {.id = "3", .video = "v_x"}};
  const Input input(data, size);
  const auto& path = file.write(input.rest());
  answers([&] { eval::parse_judge_reply(std::string(input.rest()), "reply"); });
  answers([&] {
    const auto replies = eval::read_judge_replies(path, predictions);
    for (const eval::JudgeReply& reply : replies.of_predictions)
      require(reply.score >= 0 && reply.score <= 5, "a score is from 0 to 5");
    eval::judge_measurements(predictions, replies.of_predictions,
                             {"judge", "1", "hash", "2026-01-01"});
  });
  return 0;
}
