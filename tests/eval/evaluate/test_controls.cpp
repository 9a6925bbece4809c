// What a model is shown under the controls of a task, by a model with random weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/error.h"
#include "eval/evaluate/question_prompt.h"
#include "tests/inference/chat/tiny_chat_model.h"
#include "tests/media/clips.h"

using namespace vllama;
using Catch::Contains;

namespace {

constexpr std::int64_t kNumFrames = 6;

// Two clips with sound, and questions about them.
class Controls {
 public:
  explicit Controls(const std::string& branches)
      : opened_(test::tiny_chat_model(weights_, branches)) {
    opened_.chat.layout = text::LayoutKind::training;
    opened_.chat.num_frames = kNumFrames;
    for (const char* name : {"a.mkv", "b.mkv"}) {
      const int hue = name[0] == 'a' ? 0 : 120;
      const auto clip = test::make_clip(
          media_, name,
          test::moving_picture("64x48", 10, 30) +
              " -f lavfi -i sine=frequency=" + std::to_string(300 + 5 * hue) +
              ":duration=3 -vf hue=h=" + std::to_string(hue) + " -c:v mpeg4 -c:a aac");
      if (clip) clips_.push_back(*clip);
    }
  }
  bool are_there() const { return clips_.size() == 2; }

  eval::Question question(std::size_t clip, const std::string& id = "1") const {
    eval::Question question;
    question.expected.id = id;
    question.medium = samples::MediaFile{.source = clips_.at(clip)};
    question.prompt = "What is it?";
    return question;
  }
  eval::QuestionPrompts prompts(const eval::TaskConfig& task) const {
    return {inference::ModelView{
                .model = *opened_.model, .tokenizer = *opened_.tokenizer, .chat = opened_.chat},
            {},
            task};
  }

 private:
  test::TemporaryFolder weights_, media_;
  inference::OpenedModel opened_;
  std::vector<std::filesystem::path> clips_;
};

eval::TaskConfig task_with(const std::string& inputs, const std::string& order = "in_order") {
  eval::TaskConfig task;
  task.name = "task";
  task.inputs = *config::value_named<samples::Inputs>(inputs);
  task.frame_order = *config::value_named<eval::FrameOrder>(order);
  return task;
}

// What the model is given, and through which encoder.
using Routes = std::vector<std::pair<MediaKind, std::size_t>>;
Routes routes(const eval::PreparedQuestion& prepared) {
  Routes routes;
  for (const auto& input : prepared.medium.inputs) routes.emplace_back(input.kind, input.encoder);
  return routes;
}

std::int64_t num_media_rows(const inference::Prompt& prompt) {
  return std::ranges::count_if(prompt.ids,
                               [](std::int64_t row) { return row <= inference::kMediaId; });
}

}  // namespace

TEST_CASE("inputs: a model with both branches is given either or both, an audio model too") {
  const Controls both("vision_and_audio"), audio("audio");
  if (!both.are_there()) return;
  const auto routes_of = [](const Controls& controls, const std::string& inputs) {
    const auto prompts = controls.prompts(task_with(inputs));
    const auto prepared = prompts.prepare(controls.question(0));
    INFO(prepared.problem);
    CHECK(num_media_rows(prompts.prompt(prepared)) > 0);
    CHECK(prepared.num_frames == (inputs == "sound" ? 0 : kNumFrames));
    return routes(prepared);
  };
  constexpr auto kVideo = MediaKind::video, kSound = MediaKind::sound;
  CHECK((routes_of(both, "auto") == Routes{{kVideo, 0}, {kSound, 2}}));
  CHECK((routes_of(both, "frames") == Routes{{kVideo, 0}}));
  CHECK((routes_of(both, "sound") == Routes{{kSound, 2}}));
  CHECK((routes_of(audio, "auto") == Routes{{kVideo, 0}}));
  CHECK((routes_of(audio, "frames") == Routes{{kVideo, 0}}));
  CHECK((routes_of(audio, "sound") == Routes{{kSound, 1}}));
}

TEST_CASE("frame_order: the same frames in another order, a function of seed and question") {
  const Controls controls("vision_and_audio");
  if (!controls.are_there()) return;
  const auto prepared = [&](const eval::TaskConfig& task, const std::string& id = "1") {
    return controls.prompts(task).prepare(controls.question(0, id));
  };
  const auto own = prepared(task_with("auto"));
  const auto reversed = prepared(task_with("auto", "reversed"));
  for (const std::size_t input : {0u, 1u})
    CHECK(at::equal(reversed.medium.inputs[input].values, own.medium.inputs[input].values.flip(0)));
  CHECK(reversed.medium.time_message == own.medium.time_message);

  auto task = task_with("auto", "shuffled");
  const at::Tensor frames = own.medium.inputs[0].values;
  const at::Tensor shuffled = prepared(task).medium.inputs[0].values;
  CHECK_FALSE(at::equal(shuffled, frames));
  for (std::int64_t i = 0; i < kNumFrames; ++i) {
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < kNumFrames; ++k)
      count += at::equal(shuffled.select(0, k), frames.select(0, i));
    CHECK(count == 1);
  }
  CHECK(at::equal(prepared(task).medium.inputs[0].values, shuffled));
  CHECK_FALSE(at::equal(prepared(task, "2").medium.inputs[0].values, shuffled));
  task.control_seed = 1;
  CHECK_FALSE(at::equal(prepared(task).medium.inputs[0].values, shuffled));
}

TEST_CASE("media: another one leaves the words of the prompt as they are, none leaves them alone") {
  const Controls controls("vision");
  if (!controls.are_there()) return;
  const auto prompts = controls.prompts(task_with("auto"));
  const inference::Prompt own = prompts.prompt(prompts.prepare(controls.question(0)));
  const inference::Prompt other = prompts.prompt(prompts.prepare(controls.question(1)));
  CHECK(own.ids == other.ids);
  CHECK_FALSE(at::equal(own.inputs_TH, other.inputs_TH));

  eval::Question blind = controls.question(0);
  blind.medium.reset();
  CHECK(prompts.prepare(blind).problem == "missing media");
  blind.expected.shown = eval::kNothingShown;
  const auto prepared = prompts.prepare(blind);
  CHECK(prepared.problem.empty());
  const inference::Prompt words = prompts.prompt(prepared);
  CHECK(num_media_rows(words) == 0);
  CHECK(words.length() < own.length());
  CHECK(std::equal(words.ids.end() - 5, words.ids.end(), own.ids.end() - 5));
}

TEST_CASE("num_frames: of a task, and no more than there are positions") {
  const Controls controls("vision");
  if (!controls.are_there()) return;
  auto task = task_with("auto");
  task.num_frames = 3;
  CHECK(controls.prompts(task).prepare(controls.question(0)).num_frames == 3);
  task.num_frames = 64;
  CHECK_THROWS_WITH(controls.prompts(task), Contains("task") && Contains("64 frames") &&
                                                Contains("frame_positions: interpolated"));
}
