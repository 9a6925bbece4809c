// Steps shown once more: the samples are those that the run recorded, drawn as the model got them,
// and the one that spoiled the step is found.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "datasets/loading/mixture.h"
#include "media/write_png.h"
#include "models/model_input.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/show/example_view.h"
#include "train/show/sample_losses.h"
#include "train/show/show.h"
#include "train/train.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++number;
  return number;
}

// Four samples a step of which clip3 spoils those that it is in.
RunConfig poisoned_run(const test::TinyWorld& world) {
  world.poison("3");
  RunConfig config = world.run("run");
  REQUIRE(train::train(config, {}) == 0);
  return config;
}

std::vector<BadStep> bad_steps(const RunConfig& config) {
  return read_bad_steps(std::filesystem::path(config.output_dir) / "bad_steps.jsonl");
}

std::string base64_of(const media::Image& image) {
  std::string bytes = media::encode_png(image), text;
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes.resize(bytes.size() / 3 * 3);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) bits = bits << 8 | static_cast<unsigned char>(bytes[i + k]);
    for (int shift = 18; shift >= 0; shift -= 6) text += kDigits[bits >> shift & 63];
  }
  return text;
}

// Every element that opens closes, in order; what stands between tags is escaped.
void check_markup(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    REQUIRE(tag.find('<') == std::string::npos);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (name == "!DOCTYPE" || name == "meta" || name == "img" || name == "br") continue;
    if (name.starts_with("/")) {
      REQUIRE_FALSE(open.empty());
      REQUIRE("/" + open.back() == name);
      open.pop_back();
    } else {
      open.push_back(name);
    }
  }
  CHECK(open.empty());
}

}  // namespace

TEST_CASE("replay: a step's page holds all its samples with the frames that the model got") {
  const test::TinyWorld world;
  const RunConfig config = world.run("run");
  const std::string text = show(config, {.step = 3, .output = world.path("shown")});
  const std::string html = read_file(world.path("shown/steps.html"));
  check_markup(html);

  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  const auto planned = sample_order(config, data.sources()).step(2);
  REQUIRE(planned.size() == 4);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    samples::StageSeconds seconds;
    const datasets::Record record = data.record(planned[i]);
    const auto view = view_of(record, data.build(record, planned[i], seconds), tokenizer);
    const std::string title = fmt::format("sample {} of 4: clips/{}", i, record.id);
    CHECK_THAT(text, Contains("step 3, " + title));
    const std::size_t begin = html.find("<h3>Step 3, " + title + "</h3>");
    REQUIRE(begin != std::string::npos);
    const std::string part = html.substr(begin, html.find("<h3>", begin + 1) - begin);
    CHECK_THAT(part, Contains(base64_of(view.frames)) &&
                         Contains(record.conversation.turns[0].answer) && Contains("[4 x video]"));
  }
  CHECK(count(html, "<h3>") == 4);
  CHECK(count(html, "<img ") == 4);
}

TEST_CASE("replay: bad steps show the recorded samples, reason on top, and who spoiled them") {
  const test::TinyWorld world;
  const RunConfig config = poisoned_run(world);
  const auto found = bad_steps(config);
  REQUIRE(found.size() >= 2);
  std::string recorded;
  for (const BadStep& step : found)
    for (std::size_t i = 0; i < step.samples.size(); ++i)
      recorded +=
          fmt::format("step {}, sample {} of 4: clips/{}\n", step.step, i, step.samples[i].id);

  const std::string text =
      show(config, {.bad_steps = "", .losses = "", .output = world.path("shown")});
  std::string replayed;
  for (std::size_t at = text.find("\nstep "); at != std::string::npos;
       at = text.find("\nstep ", at + 1)) {
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at);
    if (line.find("sample") != std::string::npos) replayed += line;
  }
  CHECK(replayed == recorded);
  CHECK(count(text, "all 4 samples as recorded") == 2 * found.size());  // in the table, at the step
  const std::size_t num_spoilers = count(recorded, "clips/clip3");
  CHECK(count(text, "clips/clip3): nonfinite_loss") == num_spoilers);
  CHECK(count(text, "): nonfinite_loss") == num_spoilers);  // and of no other sample
  CHECK(count(text, "loss       nan, gradient norm nan, with the weights of") == num_spoilers);
  CHECK(count(text, "suspects ") == found.size());

  const std::string html = read_file(world.path("shown/steps.html"));
  check_markup(html);
  CHECK(count(html, "<section id=\"step-") == found.size());
  CHECK_THAT(html, Contains(fmt::format("<h1>{} bad steps in ", found.size())) &&
                       Contains(fmt::format("<a href=\"#step-{}\">", found[0].step)) &&
                       Contains("<span class=\"alarm\">nonfinite_loss</span>"));
  CHECK(html.find("<h1>") < html.find("<section"));

  const std::string one = show(config, {.step = found[1].step,
                                        .bad_steps = world.path("run/bad_steps.jsonl"),
                                        .output = world.path("one")});
  CHECK(count(read_file(world.path("one/steps.html")), "<section id=\"step-") == 1);
  CHECK(count(one, "all 4 samples as recorded") == 2);
}

TEST_CASE("replay: a sample's own losses add up to the loss of its step") {
  const test::TinyWorld world;
  RunConfig config = world.run("run");
  config.checkpoints.every_steps = 1;
  config.checkpoints.keep_last = 6;
  REQUIRE(train::train(config, {}) == 0);
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  SampleLosses losses(config, world.path("run/checkpoints/step_000004"), tokenizer.image_token());
  double sum = 0, num_targets = 0;
  for (const auto& sample : sample_order(config, data.sources()).step(4)) {
    samples::StageSeconds seconds;
    const auto example = data.build(data.record(sample), sample, seconds);
    const auto targets = static_cast<double>(
        samples::pack(std::span(&example, 1), tokenizer.image_token()).num_targets);
    const SampleLoss loss = losses.of(example);
    CHECK_FALSE(loss.problem);
    CHECK(loss.gradient_norm > 0);
    sum += loss.loss * targets;
    num_targets += targets;
  }
  constexpr double kSumOrderTolerance = 1e-6;  // fp32 sums in another order, of one step
  CHECK(sum / num_targets == Approx(test::losses(config).at(4)).epsilon(kSumOrderTolerance));
}

TEST_CASE("replay: samples that are no longer those of the configuration are named") {
  const test::TinyWorld world;
  const RunConfig config = poisoned_run(world);
  const auto found = bad_steps(config);
  RunConfig other = config;
  other.seed = 43;
  const std::string text = show(other, {.bad_steps = "", .output = world.path("shown")});
  CHECK_THAT(text, Contains("of 4 samples are others now") && Contains("\nrecorded   clips/clip") &&
                       Contains("data, order or size of the step"));
  check_markup(read_file(world.path("shown/steps.html")));

  RunConfig larger = config;
  larger.training.batch_size = 5;
  CHECK_THAT(show(larger, {.bad_steps = "", .output = world.path("shown")}),
             Contains("the step has 5 samples now, 4 when it was recorded"));

  RunConfig shorter = config;
  shorter.training.num_epochs = 1;
  shorter.training.steps_per_epoch = 1;
  shorter.training.batch_size = 2;
  const std::string cut = show(shorter, {.bad_steps = "", .output = world.path("shown")});
  CHECK_THAT(cut, Contains("the run has the steps 1 to 1"));
  if (found[0].step == 1) CHECK_THAT(cut, Contains("now        no sample"));

  // Nothing in the file can start a long search or become markup.
  write_file_atomically(
      world.path("odd.jsonl"),
      R"({"step":9223372036854775807,"reason":"loss_spike","loss":1,"grad_norm":1,"action":"kept","samples":[]})"
      "\n"
      R"({"step":1,"reason":"loss_spike","loss":1,"grad_norm":1,"action":"kept","samples":[{"dataset":"<b>","id":"\u001b[2J<script>","paths":["<i>"]}]})"
      "\n");
  const std::string odd =
      show(config, {.bad_steps = world.path("odd.jsonl"), .output = world.path("shown")});
  CHECK(odd.find('\x1b') == std::string::npos);
  const std::string html = read_file(world.path("shown/steps.html"));
  CHECK_THAT(html, !Contains("<script") && !Contains("<b>") && Contains("&lt;script&gt;"));
  check_markup(html);
}

TEST_CASE("replay: samples that training drops are shown as dropped") {
  const test::TinyWorld world;
  const RunConfig config = poisoned_run(world);
  std::filesystem::resize_file(world.path("videos/page/clip3.mp4"), 0);
  const std::string text =
      show(config, {.bad_steps = "", .losses = "", .output = world.path("shown")});
  CHECK_THAT(text, Contains("dropped    empty: ") && Contains("all 3 losses and gradients are "
                                                              "finite; the largest loss, "));
}

TEST_CASE("replay: many bad steps are listed, the first ones drawn, any of them by its number") {
  const test::TinyWorld world;
  RunConfig config = world.run("run");
  config.training.steps_per_epoch = 100;
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  const auto order = sample_order(config, data.sources());
  {
    BadStepLog log(world.path("many.jsonl"), 0);
    for (std::int64_t step = 1; step <= 60; ++step)
      log.write({.step = step,
                 .problem = StepProblem::loss_spike,
                 .samples = samples_of_step(order, data, step - 1)});
  }
  const auto file = world.path("many.jsonl");
  const std::string text = show(config, {.bad_steps = file, .output = world.path("shown")});
  CHECK_THAT(text, Contains("60 bad steps") && Contains("see --step 51") &&
                       Contains("see --step 60") && !Contains("see --step 50"));
  CHECK(count(read_file(world.path("shown/steps.html")), "<section") == 50);
  const std::string one =
      show(config, {.step = 60, .bad_steps = file, .output = world.path("shown")});
  CHECK_THAT(one, Contains("step 60, sample 3 of 4"));
}

TEST_CASE("replay: the program takes the run's own file and newest checkpoint by default") {
  const test::TinyWorld world;
  const RunConfig config = poisoned_run(world);
  const auto file = test::write_config(config, world.path("run.yaml"));
  const auto run = [&](const std::string& more) {
    const auto outcome = test::run_program(fmt::format("show '{}' {} --output '{}'", file.string(),
                                                       more, world.path("shown").string()));
    CAPTURE(outcome.output);
    CHECK(outcome.status == 0);
    return outcome.output;
  };
  CHECK_THAT(run("--bad-steps --losses"),
             Contains("run/bad_steps.jsonl") && Contains("step_000006: nonfinite_loss"));
  CHECK_THAT(run("--step 2 --sample 0 --losses"), Contains("with the weights of"));
  CHECK_THAT(run("--step 2"), Contains("In ") && Contains("steps.html"));
  write_file_atomically(world.path("run/bad_steps.jsonl"), "");
  CHECK_THAT(run("--bad-steps"), Contains("no bad steps in"));
}
