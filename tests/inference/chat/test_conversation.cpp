#include <catch2/catch.hpp>

#include "core/error.h"
#include "inference/chat/conversation.h"
#include "inference/chat/transcript.h"
#include "tests/inference/chat/tiny_chat_model.h"
#include "tests/media/clips.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;
using inference::ShownAs;

namespace {

constexpr inference::ShowOptions kOptions{.num_frames = 4};

// A clip with a tone, or `sound` in its place.
std::optional<std::filesystem::path> clip(const test::TemporaryFolder& folder,
                                          const std::string& sound = "-c:a aac") {
  return test::make_clip(
      folder, "clip.mkv",
      test::moving_picture("64x48", 10, 20) + " -f lavfi -i sine=duration=2 -c:v mpeg4 " + sound);
}

std::optional<std::filesystem::path> picture(const test::TemporaryFolder& folder) {
  return test::make_clip(folder, "picture.png",
                         test::moving_picture("64x48", 1, 1) + " -frames:v 1");
}

inference::GenerationConfig short_answers() {
  return {.max_new_tokens = 6};
}

}  // namespace

TEST_CASE("a video is shown with its sound, without on request, with a warning if it is broken") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder);
  const auto file = clip(folder);
  if (!file) return;
  const auto both = inference::show_medium(opened, *file, ShownAs::whatever_it_is, kOptions);
  CHECK(both.kind == text::ChatMedia::video_with_audio);
  CHECK(both.frames_QH->size(0) == 3);
  CHECK(both.sound_QH->size(0) == 2);
  // The encoder delay of the sound (1024 samples at 44.1 kHz) lies in front of the pictures.
  CHECK(both.frame_times_seconds == std::vector<double>{0.023, 0.523, 1.023, 1.523});
  CHECK(both.time_message == "The video contains 4 frames sampled at 0.0, 0.5, 1.0, 1.5 seconds. ");

  const auto silent = inference::show_medium(
      opened, *file, ShownAs::video, {.num_frames = 4, .time_message = false, .sound = false});
  CHECK(silent.kind == text::ChatMedia::video);
  CHECK(silent.time_message.empty());
  CHECK(test::same_bits(*silent.frames_QH, *both.frames_QH));
  const auto heard = inference::show_medium(opened, *file, ShownAs::audio, kOptions);
  CHECK(heard.kind == text::ChatMedia::audio);
  CHECK(test::same_bits(*heard.sound_QH, *both.sound_QH));

  const auto no_sound = clip(folder, "-map 0:v");
  const auto seen = inference::show_medium(opened, *no_sound, ShownAs::video, kOptions);
  CHECK(seen.kind == text::ChatMedia::video);
  CHECK(seen.warning.empty());

  const auto broken = clip(folder, "-c:a flac -bsf:a noise=amount=1");
  const auto warned = inference::show_medium(opened, *broken, ShownAs::video, kOptions);
  CHECK(warned.kind == text::ChatMedia::video);
  CHECK_THAT(warned.warning, Contains("without its sound") && Contains("clip.mkv"));
}

TEST_CASE("files are what they are, and no model is shown what it cannot take in") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder, "vision");
  const auto video = clip(folder), image = picture(folder);
  const auto sound = test::make_clip(folder, "tone.wav", "-f lavfi -i sine=duration=1");
  if (!video || !image || !sound) return;
  const auto shown = [&](const std::filesystem::path& file, ShownAs as) {
    return inference::show_medium(opened, file, as, kOptions).kind;
  };
  CHECK(shown(*video, ShownAs::whatever_it_is) == text::ChatMedia::video);
  CHECK(shown(*image, ShownAs::whatever_it_is) == text::ChatMedia::image);
  CHECK_THROWS_WITH(shown(*sound, ShownAs::whatever_it_is), Contains("no audio branch"));
  CHECK_THROWS_WITH(shown(*video, ShownAs::audio), Contains("no audio branch"));
  CHECK_THROWS_WITH(shown(*video, ShownAs::image), Contains("cannot show the image"));
  CHECK_THROWS_WITH(shown(*image, ShownAs::video), Contains("cannot show the video"));
  CHECK_THROWS_WITH(shown(*sound, ShownAs::video), Contains("no video stream"));
  CHECK_THROWS_WITH(shown("absent.mp4", ShownAs::whatever_it_is), Contains("absent.mp4"));
  CHECK_THROWS_AS(shown(folder.path(), ShownAs::whatever_it_is), UserError);
}

TEST_CASE("several media in one conversation, each in front of its question, and read once") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder);
  const auto video = clip(folder), image = picture(folder);
  if (!video || !image) return;
  for (const char* kind : {"reference", "training"}) {
    inference::Conversation chat(opened, {.template_kind = kind}, short_answers());
    chat.show(inference::show_medium(opened, *video, ShownAs::video, kOptions));
    const auto first = chat.ask("What do you see?");
    chat.show(inference::show_medium(opened, *image, ShownAs::image, kOptions));
    const auto second = chat.ask("And here?");
    CHECK(first.answer.num_new_tokens == 6);
    CHECK(second.answer.num_prompt_tokens > first.answer.num_prompt_tokens + 6);
    CHECK(second.answer.num_cached_tokens >= first.answer.num_prompt_tokens);
    REQUIRE(chat.turns().size() == 2);

    inference::Conversation again(opened, {.template_kind = kind}, short_answers());
    again.show(inference::show_medium(opened, *video, ShownAs::video, kOptions));
    CHECK(again.ask("What do you see?").answer.ids == first.answer.ids);
    const auto json = inference::transcript(chat, opened);
    CHECK(json["media"][1]["turn"] == 1);
    CHECK(json["turns"][1]["answer"] == second.text);
    CHECK(json["generation"]["max_new_tokens"] == 6);
  }
}

TEST_CASE("a full context loses the oldest turns, keeps the media, and says so") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder);
  const auto image = picture(folder);
  if (!image) return;
  const inference::GenerationConfig config{.max_new_tokens = 20, .max_context_tokens = 150};
  inference::Conversation chat(opened, {.system = "S"}, config);
  chat.show(inference::show_medium(opened, *image, ShownAs::image, kOptions));
  const std::string question = "What is to be seen in this picture, and why?";
  std::size_t num_dropped = 0;
  for (int i = 0; i < 6; ++i) {
    const auto reply = chat.ask(question);
    num_dropped += reply.num_dropped_turns;
    CHECK(reply.answer.num_prompt_tokens <= 130);
  }
  CHECK(num_dropped > 0);
  CHECK(chat.turns().size() == 6);

  // The last prompt held the system text, the image, the turns that were kept, and the question.
  const auto form = text::chat_template("reference", "vicuna");
  text::Chat kept{.system = "S", .media = text::ChatMedia::image, .question = question};
  for (std::size_t i = num_dropped; i < 5; ++i)
    kept.past.push_back({question, chat.turns()[i].reply.text});
  const auto prompt = text::build_chat_prompt(*opened.tokenizer, form, kept);
  std::size_t num_tokens = 3;  // of the image
  for (const auto& piece : prompt.pieces) num_tokens += piece.size();
  CHECK(chat.turns().back().reply.answer.num_prompt_tokens ==
        static_cast<std::int64_t>(num_tokens));

  std::string endless = question;
  for (int i = 0; i < 20; ++i) endless += " " + question;
  CHECK_THROWS_WITH(chat.ask(endless), Contains("do not fit"));
  CHECK(chat.turns().size() == 6);
  CHECK(chat.ask(question).answer.num_new_tokens > 0);
}

TEST_CASE("questions that are none, and settings that contradict each other, change nothing") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder, "vision");
  inference::Conversation chat(opened, {}, short_answers());
  CHECK_THROWS_AS(chat.ask(" \n"), UserError);
  CHECK_THROWS_AS(chat.ask("<ImageHere>"), UserError);
  CHECK_THROWS_AS(chat.set_config({.num_beams = 2, .do_sample = true}), UserError);
  CHECK(chat.turns().empty());
  CHECK(chat.config().max_new_tokens == 6);
  CHECK_THROWS_AS(inference::Conversation(opened, {.template_kind = "other"}, {}), UserError);
}

TEST_CASE("without media, after a reset, and with beams") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder, "vision");
  inference::Conversation chat(opened, {}, short_answers());
  const auto first = chat.ask("Hello?");
  chat.ask("What?");
  chat.reset();
  CHECK(chat.turns().empty());
  CHECK(chat.ask("Hello?").answer.ids == first.answer.ids);
  chat.set_config({.max_new_tokens = 6, .num_beams = 3});
  CHECK(chat.ask("Sure?").answer.log_probability < 0);
}
