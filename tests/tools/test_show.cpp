// What people are shown of an example: the pixels and tokens that the model gets, and nothing that
// a text can turn into markup or terminal commands.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/markup.h"
#include "core/terminal_text.h"
#include "datasets/loading/mixture.h"
#include "media/audio.h"
#include "models/model_input.h"
#include "samples/audio_clips.h"
#include "tests/support/model_input.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "text/prompt.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/show/example_page.h"
#include "train/show/example_view.h"
#include "train/show/picture.h"
#include "train/show/show.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMargin = 4;  // around the pictures of a contact sheet

media::Image part(const media::Image& image, std::int64_t x, std::int64_t y, std::int64_t width,
                  std::int64_t height) {
  media::Image result{width, height, {}};
  for (std::int64_t row = y; row < y + height; ++row)
    for (std::int64_t i = 0; i < width * 3; ++i)
      result.rgb.push_back(image.rgb.at(static_cast<std::size_t>((row * image.width + x) * 3 + i)));
  return result;
}

std::string show_command(const test::TinyWorld& world, const std::string& more) {
  const auto config = test::write_config(world.run("run"), world.path("run.yaml"));
  return fmt::format("show '{}' {}", config.string(), more);
}

// A data set of one caption about the first clip.
void write_caption(const test::TinyWorld& world, const std::string& id,
                   const std::string& caption) {
  fs::copy_file(world.path("videos/page/clip0.mp4"), world.path("videos/page") / (id + ".mp4"),
                fs::copy_options::skip_existing);
  write_file_atomically(world.path("annotations/clips.csv"),
                        "videoid,page_dir,name\n" + id + ",page,\"" + caption + "\"\n");
}

text::SentencePieceTokenizer llama_tokenizer() {
  return text::SentencePieceTokenizer(test::golden_file("text/llama_tokenizer.model"));
}

std::string all_texts(const std::vector<TokenStretch>& stretches) {
  std::string text;
  for (const auto& stretch : stretches)
    for (const auto& token : stretch.tokens) text += token.text;
  return text;
}

}  // namespace

TEST_CASE("show: frames.png holds the frames of the training sample") {
  const test::TinyWorld world;
  RunConfig config = world.run("run");
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  const auto sample = sample_order(config, data.sources()).step(4)[2];
  samples::StageSeconds seconds;
  const auto example = data.build(data.record(sample), sample, seconds);

  const std::string text = show(config, {.step = 5, .sample = 2, .output = world.path("shown")});
  CHECK_THAT(text,
             Contains(fmt::format("record {} of clips, sample 2 of 4 of step 5", sample.index)) &&
                 Contains("[4 x video]") && Contains("3 frames of 28 x 28"));
  const media::Image sheet = media::read_image(world.path("shown/frames.png"));
  const at::Tensor& frames = example.media[0].values;
  REQUIRE(example.media[0].times_seconds.size() == 3);
  const std::int64_t step = (sheet.width - kMargin) / 3;  // three cells in a row
  for (std::int64_t i = 0; i < 3; ++i) {
    const media::Image frame = part(sheet, kMargin + i * step, kMargin, 28, 28);
    CHECK(std::ranges::equal(frame.rgb,
                             std::span(frames.const_data_ptr<std::uint8_t>() + i * frames.stride(0),
                                       static_cast<std::size_t>(frames.stride(0)))));
  }
  CHECK_FALSE(fs::exists(world.path("shown/sound.png")));
  const std::string html = read_file(world.path("shown/example.html"));
  CHECK_THAT(html, Contains("data:image/png;base64,") && Contains("[4 x video]"));
}

TEST_CASE("show: nothing in a caption becomes markup or reaches the terminal") {
  const test::TinyWorld world;
  RunConfig config = world.run("run");
  config.data.sets[0].clean_captions = false;
  write_caption(world, "a'<b>",
                "<script>alert(1)</script> <img src=x onerror=alert(2)> \x1b[2J \xc2\x9b &amp;");
  const std::string text = show(config, {.output = world.path("shown")});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\xc2\x9b") == std::string::npos);
  const std::string html = read_file(world.path("shown/example.html"));
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("<img src=x") == std::string::npos);
  CHECK(html.find("<b>") == std::string::npos);
  CHECK_THAT(html, Contains("&lt;script&gt;alert(1)") && Contains("a&#39;&lt;b&gt;") &&
                       Contains("&amp;amp;") && Contains("default-src 'none'"));
}

TEST_CASE("show: mistakes end with 2 and say what to change") {
  const test::TinyWorld world;
  const auto refuses = [&](const std::string& more, const std::vector<std::string>& named) {
    const auto outcome = test::run_program(show_command(world, more));
    CAPTURE(outcome.output);
    CHECK(outcome.status == 2);
    for (const std::string& text : named) CHECK_THAT(outcome.output, Contains(text));
  };
  refuses("--sample 5", {"--sample 5", "records 0 to 4"});
  refuses("--sample -1", {"--sample -1", "records 0 to 4"});
  refuses("--step 7", {"--step 7", "steps 1 to 6"});
  refuses("--step 0", {"--step 0", "steps 1 to 6"});
  refuses("--step 7 --sample 0", {"--step 7", "steps 1 to 6"});
  refuses("--step 6 --sample 4", {"--sample 4", "samples 0 to 3"});
  refuses("--dataset films", {"'films'", "clips"});
  refuses("--step 1 --dataset clips", {"excludes"});
  refuses("--bad-steps --sample 2", {"excludes"});
  refuses("--bad-steps", {"bad_steps.jsonl"});
  refuses("--step 1 --losses", {"--losses", "no checkpoint"});
  refuses("--step 1 --losses /nowhere", {"/nowhere"});
  refuses("--output /proc/vllama", {"--output", "/proc/vllama"});
  write_file_atomically(world.path("file"), "");
  refuses("--output '" + world.path("file").string() + "'", {"--output", "file"});
  write_file_atomically(world.path("videos/page/clip1.mp4"), "no video");
  const std::string output = " --output '" + world.path("shown").string() + "'";
  refuses("--sample 1" + output,
          {"record 1 of 5", "'clip1'", "training would drop it", "not_media"});
}

TEST_CASE("show: the program names records, data sets and files") {
  const test::TinyWorld world;
  const auto outcome = test::run_program(show_command(
      world, "--sample 3 --dataset clips --output '" + world.path("shown").string() + "'"));
  CAPTURE(outcome.output);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Contains("record 3 of 5 in clips") && Contains("clip3.mp4") &&
                                 Contains("caption number 3 of a moving pattern") &&
                                 Contains("frames.png, example.html"));
  CHECK(outcome.output.find("\x1b[") == std::string::npos);  // not a terminal
}

TEST_CASE("show: frames and sound of one clip") {
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "a.csv",
                        "videoid,page_dir,name\ndog_barking,.,A dog barks\n");
  datasets::DatasetConfig set;
  set.name = "dogs";
  set.format = "webvid";
  set.annotations = folder.path() / "a.csv";
  set.media_root = media;
  set.inputs = samples::Inputs::frames_and_sound;
  datasets::DataConfig data;
  data.sets = {set};
  const text::SentencePieceTokenizer tokenizer = llama_tokenizer();
  const datasets::Mixture mixture(data, test::both_inputs({}, {.num_tokens = 8}), tokenizer);
  samples::StageSeconds seconds;
  const datasets::Record record = mixture.record({});
  const samples::Example example = mixture.build(record, {}, seconds);
  const ExampleView view = view_of(record, example, tokenizer);

  CHECK(count_tokens(view.tokens, TokenRole::media) == 40);
  REQUIRE(view.tokens.size() == 4);
  CHECK(view.tokens[1].medium == "video");
  CHECK(view.tokens[2].medium == "sound");
  CHECK(view.frames.width == 4 * (224 + kMargin) + kMargin);
  CHECK(view.sound.width == 4 * (2 * 204 + kMargin) + kMargin);
  CHECK_THAT(example_text(view, {}), Contains("[32 x video]") && Contains("[8 x sound]") &&
                                         Contains("sound: 8 clips of 204 x 128"));
  const std::string html = example_html(view);
  CHECK_THAT(html, Contains("<h2>Frames</h2>") && Contains("<h2>Sound</h2>"));
}

TEST_CASE("spectrogram: low bins at the bottom, time to the right, low values dark") {
  // Two bins, three frames.
  const std::vector<float> values = {0, 0, 1, 0, 0, 0};
  const media::Image image = spectrogram(values, 2, {0, 1}, 1);
  CHECK(image.width == 3);
  CHECK(image.height == 2);
  CHECK(part(image, 2, 1, 1, 1).rgb == std::vector<std::uint8_t>{253, 231, 37});
  CHECK(part(image, 2, 0, 1, 1).rgb == std::vector<std::uint8_t>{68, 1, 84});
  CHECK(part(image, 0, 1, 1, 1).rgb == std::vector<std::uint8_t>{68, 1, 84});
  CHECK(spectrogram(values, 2, {0, 0}, 4).width == 12);  // silence has one colour
}

TEST_CASE("contact sheet: any number of pictures, none changed") {
  for (const std::size_t count : {1, 2, 5, 8, 13, 32}) {
    std::vector<LabelledPicture> pictures;
    for (std::size_t i = 0; i < count; ++i)
      pictures.push_back({blank({200, 100}, {static_cast<std::uint8_t>(i), 7, 9}), "#1 0.00s"});
    const media::Image sheet = contact_sheet(pictures);
    std::vector<std::int64_t> pixels_of_picture(count);
    for (std::size_t i = 0; i < sheet.rgb.size(); i += 3)
      if (sheet.rgb[i + 1] == 7 && sheet.rgb[i + 2] == 9) ++pixels_of_picture.at(sheet.rgb[i]);
    CAPTURE(count);
    CHECK(pixels_of_picture == std::vector<std::int64_t>(count, 200 * 100));
  }
}

TEST_CASE("tokens: every target is marked, every character shown once") {
  const text::SentencePieceTokenizer tokenizer = llama_tokenizer();
  const std::string words = "Naïve café — 日本 \xF0\x9F\x90\xB6 costs 12 €";
  const text::TokenSequence sequence =
      text::build_caption(tokenizer, words, {.num_media_tokens = 6, .limit = {.max_tokens = 100}});
  const std::vector<MediumLabel> media = {{"video", 2}, {"sound", 4}};
  const auto stretches = token_stretches(tokenizer, sequence.ids, sequence.labels, media);

  REQUIRE(stretches.size() == 4);
  CHECK(stretches[0].role == TokenRole::ignored);
  CHECK(stretches[1].medium == "video");
  CHECK(stretches[1].tokens.size() == 2);
  CHECK(stretches[2].medium == "sound");
  CHECK(stretches[3].role == TokenRole::target);
  CHECK(all_texts(stretches) == "<s> " + words + "\n");
  CHECK(count_tokens(stretches, TokenRole::target) == std::ssize(sequence.ids) - 7);

  const std::string plain = token_text(stretches, {});
  CHECK_THAT(plain, Contains("ignored  <s>\n") && Contains("media    [2 x video]\n") &&
                        Contains("media    [4 x sound]\n") && Contains("target ") &&
                        Contains("\\n"));
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK_THAT(token_text(stretches, {.has_colour = true, .has_unicode = true}),
             Contains("\x1b[") && Contains("[2 x video]"));
  CHECK_THAT(token_html(stretches), Contains("<span class=\"media\" title=\"2 tokens\">") &&
                                        Contains("title=\"13\"") && Contains("<br>"));
}

TEST_CASE("tokens: questions are ignored, answers and what ends them are targets") {
  const text::SentencePieceTokenizer tokenizer = llama_tokenizer();
  const text::Conversation conversation{{{"What is <b>this</b>?", "A dog."}, {"Sure?", "Yes."}},
                                        {{0, 0}}};
  const std::vector<std::string> media_texts = {
      text::prompt_template("vicuna").training.media_text(MediaKind::image, 3)};
  const auto sequence = text::build_conversation(
      tokenizer, conversation, media_texts, {.layout = &text::prompt_template("vicuna").training});
  const std::vector<MediumLabel> media = {{"image", 3}};
  std::string learned, ignored;
  for (const auto& stretch : token_stretches(tokenizer, sequence.ids, sequence.labels, media)) {
    if (stretch.role == TokenRole::media) CHECK(stretch.tokens.size() == 3);
    for (const auto& token : stretch.tokens)
      (stretch.role == TokenRole::target ? learned : ignored) += token.text;
  }
  CHECK(learned == "######Assistant: A dog.\n######Assistant: Yes.\n###");
  CHECK_THAT(ignored, Contains("What is <b>this</b>?") && Contains("Sure?"));
}

TEST_CASE("tokens: bytes that are no character, and ids of no piece") {
  const text::SentencePieceTokenizer tokenizer = llama_tokenizer();
  constexpr std::int64_t kFirstByte = 3;  // the piece <0x00>
  const std::vector<std::int64_t> ids = {kFirstByte + 0xe2, 319, 40000, kFirstByte + 0xff};
  const std::vector<std::int64_t> labels(ids.size(), text::kIgnoredLabel);
  const auto stretches = token_stretches(tokenizer, ids, labels, {});
  REQUIRE(stretches.size() == 1);
  CHECK(stretches[0].tokens.size() == 4);
  CHECK(stretches[0].tokens[1].text == " A");
}

TEST_CASE("safe text") {
  CHECK(visible("a\tb\x1b[1m\x7f") == "a\\x09b\\x1b[1m\\x7f");
  CHECK(visible("é\xc2\x9b"
                "1") == "é\\x9b1");
  CHECK(visible("a\nb") == "a\\nb");
  CHECK(visible("a\nb", true) == "a⏎b");
  CHECK(markup_escaped("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}
