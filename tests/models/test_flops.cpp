#include <catch2/catch.hpp>

#include "models/flops.h"

using namespace vllama;

namespace {

constexpr std::int64_t kLanguageWidth = 4096;

struct Case {
  const char* name;
  std::int64_t num_frames, num_tokens;
  // 10^12 operations of one sample: the published cost table of the 7B model.
  double vision, image_q_former, video_q_former, forward, backward, logits, total;
};

}  // namespace

TEST_CASE("operations of a step of the 7B model, per kind of sample") {
  const auto expected =
      GENERATE(Case{"stage 1, video", 8, 58, 4.166, 0.102, 0.008, 0.752, 0.753, 0.030, 5.811},
               Case{"stage 1, image", 1, 58, 0.521, 0.013, 0.004, 0.752, 0.753, 0.030, 2.074},
               Case{"stage 2, video", 8, 512, 4.166, 0.102, 0.008, 6.700, 6.803, 0.268, 18.05},
               Case{"stage 2, image", 1, 512, 0.521, 0.013, 0.004, 6.700, 6.803, 0.268, 14.31});
  CAPTURE(expected.name);
  const auto flops = models::step_flops(
      models::make_branch(models::VisionConfig{}, kLanguageWidth), language::LlamaConfig{},
      {{{expected.num_frames}}, {expected.num_tokens}, /*num_logit_tokens=*/expected.num_tokens});
  const auto in_the_last_digit = [](double value) { return Approx(value).margin(0.00051); };
  CHECK(flops.encoders.at(0) / 1e12 == in_the_last_digit(expected.vision));
  CHECK(flops.resampler / 1e12 == in_the_last_digit(expected.image_q_former));
  CHECK(flops.connector / 1e12 == in_the_last_digit(expected.video_q_former));
  CHECK(flops.language_forward / 1e12 == in_the_last_digit(expected.forward));
  CHECK(flops.language_backward / 1e12 == in_the_last_digit(expected.backward));
  CHECK(flops.logits / 1e12 == in_the_last_digit(expected.logits));
  CHECK(flops.total() / 1e12 == Approx(expected.total).epsilon(5e-4));
}

TEST_CASE("operations of a step of the 7B model's audio branch, per kind of sample") {
  struct AudioCase {
    const char* name;
    models::StepShape shape;
    double vision, sound, audio_q_former, forward, backward, logits, total;  // 10^12
  };
  // Frames: the published cost table. Sound, a clip: 40.84e9 in the blocks, 0.09e9 in the patches.
  const auto expected = GENERATE(
      AudioCase{
          "stage 1, video", {{{8}, {}}, {34}, 34}, 2.680, 0, 0.001, 0.441, 0.441, 0.018, 3.581},
      AudioCase{
          "stage 1, image", {{{1}, {}}, {34}, 34}, 0.335, 0, 0.001, 0.441, 0.441, 0.018, 1.236},
      AudioCase{
          "stage 2, video", {{{8}, {}}, {488}, 488}, 2.680, 0, 0.001, 6.383, 6.477, 0.256, 15.80},
      AudioCase{"sound", {{{}, {8}}, {34}, 34}, 0, 0.327, 0.001, 0.441, 0.441, 0.018, 1.228});
  CAPTURE(expected.name);
  const auto flops = models::step_flops(models::make_branch(models::AudioConfig{}, kLanguageWidth),
                                        language::LlamaConfig{}, expected.shape);
  const auto in_the_last_digit = [](double value) { return Approx(value).margin(0.00051); };
  CHECK(flops.encoders.at(0) / 1e12 == in_the_last_digit(expected.vision));
  CHECK(flops.encoders.at(1) / 1e12 == in_the_last_digit(expected.sound));
  CHECK(flops.connector / 1e12 == in_the_last_digit(expected.audio_q_former));
  CHECK(flops.language_forward / 1e12 == in_the_last_digit(expected.forward));
  CHECK(flops.language_backward / 1e12 == in_the_last_digit(expected.backward));
  CHECK(flops.logits / 1e12 == in_the_last_digit(expected.logits));
  CHECK(flops.total() / 1e12 == Approx(expected.total).epsilon(5e-4));
  CHECK(flops.resampler == 0);
}

TEST_CASE("operations add up over samples, and grouped heads save those of keys and values") {
  language::LlamaConfig language;
  const auto step = [&](const models::StepShape& shape) {
    return models::step_flops(models::make_branch(models::VisionConfig{}, kLanguageWidth), language,
                              shape);
  };
  const double both = step({{{8, 1}}, {58, 40}, 60}).total();
  CHECK(both ==
        Approx(step({{{8}}, {58}, 60}).total() + step({{{1}}, {40}, 0}).total()).epsilon(1e-12));
  const double before = step({{{1}}, {58}, 0}).language_forward;
  language.num_key_value_heads = 8;
  const double saved = 32.0 * 58 * 2 * 4096 * 2 * (24 * 128);
  CHECK(before - step({{{1}}, {58}, 0}).language_forward == Approx(saved).epsilon(1e-9));
}
