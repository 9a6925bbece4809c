#include <catch2/catch.hpp>

#include "core/error.h"
#include "inference/chat/chat_session.h"
#include "inference/chat/model_chat.h"
#include "inference/chat/transcript.h"
#include "models/model_input.h"
#include "samples/batch.h"
#include "samples/media_builder.h"
#include "tests/inference/chat/tiny_chat_model.h"
#include "tests/media/clips.h"
#include "tests/support/tensors.h"
#include "text/prompt.h"

using namespace vllama;
using Catch::Contains;

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
  const auto both = inference::show_medium(opened, *file, std::nullopt, kOptions);
  CHECK(both.kind == MediaKind::video);
  CHECK(both.frames_QH->size(0) == 3);
  CHECK(both.sound_QH->size(0) == 2);
  // The encoder delay of the sound (1024 samples at 44.1 kHz) lies in front of the pictures.
  CHECK(both.frame_times_seconds == std::vector<double>{0.023, 0.523, 1.023, 1.523});
  CHECK(both.time_message == "The video contains 4 frames sampled at 0.0, 0.5, 1.0, 1.5 seconds. ");

  const auto silent = inference::show_medium(
      opened, *file, MediaKind::video, {.num_frames = 4, .time_message = false, .sound = false});
  CHECK(silent.kind == MediaKind::video);
  CHECK_FALSE(silent.sound_QH);
  CHECK(silent.time_message.empty());
  CHECK(test::same_bits(*silent.frames_QH, *both.frames_QH));
  const auto heard = inference::show_medium(opened, *file, MediaKind::sound, kOptions);
  CHECK(heard.kind == MediaKind::sound);
  CHECK(test::same_bits(*heard.sound_QH, *both.sound_QH));

  const auto no_sound = clip(folder, "-map 0:v");
  const auto seen = inference::show_medium(opened, *no_sound, MediaKind::video, kOptions);
  CHECK(seen.kind == MediaKind::video);
  CHECK_FALSE(seen.sound_QH);
  CHECK(seen.warning.empty());

  const auto broken = clip(folder, "-c:a flac -bsf:a noise=amount=1");
  const auto warned = inference::show_medium(opened, *broken, MediaKind::video, kOptions);
  CHECK(warned.kind == MediaKind::video);
  CHECK_FALSE(warned.sound_QH);
  CHECK_THAT(warned.warning, Contains("without its sound") && Contains("clip.mkv"));
}

TEST_CASE("sound among frames is shown as it is trained on") {
  const test::TemporaryFolder folder;
  auto opened = test::tiny_chat_model_of_today(folder);
  const auto file = clip(folder);
  if (!file) return;
  const auto apart = inference::show_medium(opened, *file, std::nullopt, kOptions);
  opened.media.interleave = true;
  const auto among = inference::show_medium(opened, *file, std::nullopt, kOptions);
  CHECK_FALSE(among.sound_QH);
  CHECK(inference::is_heard(among));
  CHECK(inference::description(among) == inference::description(apart));
  CHECK(among.frames_QH->size(0) == apart.frames_QH->size(0) + apart.sound_QH->size(0));
  CHECK(test::same_bits(among.frames_QH->narrow(0, 0, 1), apart.frames_QH->narrow(0, 0, 1)));

  // A training sample of the same clip.
  const samples::MediaConfig config{
      .num_frames = 4, .inputs = samples::Inputs::automatic, .transform = samples::Transform::eval};
  samples::StageSeconds seconds;
  const auto built = samples::MediaBuilder("set", config, opened.media,
                                           models::model_input(opened.model->branches()))
                         .build({.source = *file, .kind = MediaKind::video}, {}, 0, seconds);
  CHECK(built.runs.size() == 8);
  const std::int64_t image_token = opened.tokenizer->image_token();
  samples::Example example;
  example.media = built.inputs;
  example.runs = built.runs;
  example.token_ids.assign(static_cast<std::size_t>(built.num_tokens), image_token);
  example.token_ids.push_back(5);
  example.labels.assign(example.token_ids.size(), text::kIgnoredLabel);
  example.labels.back() = 5;
  const samples::Batch batch = samples::pack(std::span(&example, 1), image_token);
  const at::Tensor trained_on =
      opened.model->spliced_inputs(batch, opened.model->media_embeddings(batch));
  CHECK(test::same_bits(trained_on.narrow(0, 0, built.num_tokens), *among.frames_QH));

  inference::ModelChat chat(opened, {}, short_answers());
  chat.show(among);
  chat.ask("What do you see?");
  const auto written = inference::transcript(chat, opened);
  CHECK(written["media"][0]["kind"] == "video_with_audio");
}

TEST_CASE("files are what they are, and no model is shown what it cannot take in") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder, "vision");
  const auto video = clip(folder), image = picture(folder);
  const auto sound = test::make_clip(folder, "tone.wav", "-f lavfi -i sine=duration=1");
  if (!video || !image || !sound) return;
  const auto shown = [&](const std::filesystem::path& file, std::optional<MediaKind> as) {
    return inference::show_medium(opened, file, as, kOptions).kind;
  };
  CHECK(shown(*video, std::nullopt) == MediaKind::video);
  CHECK(shown(*image, std::nullopt) == MediaKind::image);
  CHECK_THROWS_WITH(shown(*sound, std::nullopt), Contains("no audio branch"));
  CHECK_THROWS_WITH(shown(*video, MediaKind::sound), Contains("no audio branch"));
  CHECK_THROWS_WITH(shown(*video, MediaKind::image), Contains("cannot show the image"));
  CHECK_THROWS_WITH(shown(*image, MediaKind::video), Contains("cannot show the video"));
  CHECK_THROWS_WITH(shown(*sound, MediaKind::video), Contains("no video stream"));
  CHECK_THROWS_WITH(shown("absent.mp4", std::nullopt), Contains("absent.mp4"));
  CHECK_THROWS_AS(shown(folder.path(), std::nullopt), UserError);
}

TEST_CASE("several media in one conversation, each in front of its question, and read once") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder);
  const auto video = clip(folder), image = picture(folder);
  if (!video || !image) return;
  for (const auto layout : {text::LayoutKind::reference, text::LayoutKind::training}) {
    inference::ModelChat chat(opened, {.layout = layout}, short_answers());
    chat.show(inference::show_medium(opened, *video, MediaKind::video, kOptions));
    const auto first = chat.ask("What do you see?");
    chat.show(inference::show_medium(opened, *image, MediaKind::image, kOptions));
    const auto second = chat.ask("And here?");
    CHECK(first.answer.num_new_tokens == 6);
    CHECK(second.answer.num_prompt_tokens > first.answer.num_prompt_tokens + 6);
    CHECK(second.answer.num_cached_tokens >= first.answer.num_prompt_tokens);
    REQUIRE(chat.turns().size() == 2);

    inference::ModelChat again(opened, {.layout = layout}, short_answers());
    again.show(inference::show_medium(opened, *video, MediaKind::video, kOptions));
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
  inference::ModelChat chat(opened, {.system = "S"}, config);
  chat.show(inference::show_medium(opened, *image, MediaKind::image, kOptions));
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
  const text::PromptLayout& layout = text::prompt_template("vicuna").reference;
  text::Chat kept{.system = "S", .question = question, .media = {{.kind = MediaKind::image}}};
  for (std::size_t i = num_dropped; i < 5; ++i)
    kept.past.push_back({question, chat.turns()[i].reply.text});
  const auto prompt = text::build_chat_prompt(*opened.tokenizer, layout, kept);
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
  inference::ModelChat chat(opened, {}, short_answers());
  CHECK_THROWS_AS(chat.ask(" \n"), UserError);
  CHECK_THROWS_AS(chat.ask("<ImageHere>"), UserError);
  CHECK_THROWS_AS(chat.set_config({.num_beams = 2, .do_sample = true}), UserError);
  CHECK(chat.turns().empty());
  CHECK(chat.config().max_new_tokens == 6);
  CHECK_THROWS_AS(inference::ModelChat(opened, {.family = "other"}, {}), UserError);
}

TEST_CASE("without media, after a reset, and with beams") {
  const test::TemporaryFolder folder;
  const auto opened = test::tiny_chat_model(folder, "vision");
  inference::ModelChat chat(opened, {}, short_answers());
  const auto first = chat.ask("Hello?");
  chat.ask("What?");
  chat.reset();
  CHECK(chat.turns().empty());
  CHECK(chat.ask("Hello?").answer.ids == first.answer.ids);
  chat.set_config({.max_new_tokens = 6, .num_beams = 3});
  CHECK(chat.ask("Sure?").answer.log_probability < 0);
}
