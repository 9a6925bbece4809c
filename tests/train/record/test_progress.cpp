#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "core/files.h"
#include "core/log.h"
#include "output/table.h"
#include "tests/support/fixtures.h"
#include "train/record/progress.h"

using namespace vllama::train;
using Catch::Contains;

namespace {

// A run whose clock and terminal are in the hands of the test.
struct Stage {
  std::ostringstream stream;
  double now_seconds = 1000;
  std::int64_t num_columns = 120;

  ProgressOutput output(bool is_terminal, bool has_unicode = false) {
    return {&stream, is_terminal, has_unicode, [this] { return num_columns; },
            [this] { return now_seconds; }};
  }
  // One step of half a second with 1000 tokens, 100 of them targets, a tenth of it waiting.
  StepMetrics step(std::int64_t number, double loss = 2) {
    now_seconds += 0.5;
    StepMetrics metrics;
    metrics.step = number;
    metrics.loss = loss;
    metrics.learning_rate = 9.81e-5;
    metrics.gradient_norm = 0.5;
    metrics.num_tokens = 1000;
    metrics.num_target_tokens = 100;
    metrics.seconds = 0.5;
    metrics.data_wait_seconds = 0.05;
    return metrics;
  }
  std::string take() {
    const std::string text = stream.str();
    stream.str("");
    return text;
  }
};

const std::string kRedraw = "\r\x1b[K";

}  // namespace

TEST_CASE("a bar shows share, step, means and the time left") {
  Stage stage;
  Progress progress(0, 200, 10, stage.output(true));
  progress.update(stage.step(1, 3));
  stage.take();
  progress.update(stage.step(2, 1));
  CHECK(stage.take() == kRedraw +
                            "  1%  ...............................    2/200  mean loss 2.0000  "
                            "lr 9.81e-05  2.00k tokens/s  data wait 10%  left 1:39");
}

TEST_CASE("the bar fills, and drops are shown once there are any") {
  Stage stage;
  stage.num_columns = 200;
  Progress progress(99, 200, 10, stage.output(true, true));
  auto metrics = stage.step(100);
  metrics.dropped = {{"corrupt", 3}};
  progress.update(metrics);
  const std::string half = "━━━━━━━━━━━━━━━━━━━━────────────────────";
  CHECK_THAT(stage.take(), Contains(" 50%  " + half + "  100/200") && Contains("  dropped 3  ") &&
                               Contains("left 0:50"));
}

TEST_CASE("the line fits every width, and the loss is what stays longest") {
  for (std::int64_t columns = 1; columns <= 150; ++columns) {
    Stage stage;
    stage.num_columns = columns;
    Progress progress(0, 12500, 10, stage.output(true, true));
    auto metrics = stage.step(4250);
    metrics.dropped = {{"corrupt", 3}};
    progress.update(metrics);
    const std::string text = stage.take();
    INFO(columns << ": " << text);
    REQUIRE(text.starts_with(kRedraw));
    CHECK(vllama::output::display_width(text.substr(kRedraw.size())) <
          std::max<std::size_t>(2, static_cast<std::size_t>(columns)));
    CHECK((text.find("loss") != std::string::npos) == (columns > 16));
  }
}

TEST_CASE("the bar is not redrawn more than ten times a second, but always at the end") {
  Stage stage;
  Progress progress(0, 3, 10, stage.output(true));
  progress.update(stage.step(1));
  CHECK_FALSE(stage.take().empty());
  auto quick = stage.step(2);
  stage.now_seconds -= 0.45;
  progress.update(quick);
  CHECK(stage.take().empty());
  quick = stage.step(3);
  stage.now_seconds -= 0.49;
  progress.update(quick);
  CHECK_THAT(stage.take(), Contains("100%"));
  progress.finish();
  CHECK_THAT(stage.take(), Catch::EndsWith("left 0:00\n"));
  progress.finish();
  CHECK(stage.take().empty());
}

TEST_CASE("an interrupted bar stays on the screen with its last state") {
  Stage stage;
  {
    Progress progress(0, 100, 10, stage.output(true));
    progress.update(stage.step(1));
    auto quick = stage.step(2);
    stage.now_seconds -= 0.49;
    progress.update(quick);
  }
  CHECK_THAT(stage.take(), Contains("  2/100") && Catch::EndsWith("\n"));
  { Progress untouched(0, 100, 10, stage.output(true)); }
  CHECK(stage.take().empty());
}

TEST_CASE("means cover the latest steps only, weighted by target tokens") {
  Stage stage;
  Progress progress(0, 1000, 10, stage.output(true));
  for (int step = 1; step <= 50; ++step) progress.update(stage.step(step, 100));
  for (int step = 51; step <= 99; ++step) progress.update(stage.step(step, 1));
  auto last = stage.step(100, 4);
  last.num_target_tokens = 4900;
  stage.take();
  progress.update(last);
  CHECK_THAT(stage.take(), Contains("mean loss 2.5000"));
}

TEST_CASE("a step without a finite loss does not spoil the mean") {
  Stage stage;
  Progress progress(0, 1000, 10, stage.output(true));
  progress.update(stage.step(1, std::nan("")));
  CHECK_THAT(stage.take(), Contains("mean loss nan"));
  progress.update(stage.step(2, 3));
  CHECK_THAT(stage.take(), Contains("mean loss 3.0000"));
}

TEST_CASE("in a file: the first step, every tenth, and the last") {
  Stage stage;
  Progress progress(0, 25, 10, stage.output(false));
  std::string text;
  for (int step = 1; step <= 25; ++step) progress.update(stage.step(step, step));
  progress.finish();
  CHECK(stage.take() ==
        "step 1/25  loss 1.0000  lr 9.81e-05  grad norm 0.5  2.00k tokens/s  data wait 10%  "
        "elapsed 0:01  left 0:12\n"
        "step 10/25  loss 10.0000 (mean of 10: 5.5000)  lr 9.81e-05  grad norm 0.5  2.00k tokens/s "
        " data wait 10%  "
        "elapsed 0:05  left 0:08\n"
        "step 20/25  loss 20.0000 (mean of 10: 15.5000)  lr 9.81e-05  grad norm 0.5  2.00k "
        "tokens/s  data wait 10%  "
        "elapsed 0:10  left 0:03\n"
        "step 25/25  loss 25.0000 (mean of 10: 20.5000)  lr 9.81e-05  grad norm 0.5  2.00k "
        "tokens/s  data wait 10%  "
        "elapsed 0:13  left 0:00\n");
}

TEST_CASE("the log has the lines of a file, with their time, also beside a bar") {
  const vllama::test::TemporaryFolder folder;
  const auto file = folder.path() / "log.txt";
  vllama::log::start();
  vllama::log::also_to_file(file);
  Stage stage;
  Progress progress(0, 25, 10, stage.output(true));
  for (int step = 1; step <= 25; ++step) progress.update(stage.step(step, step));
  vllama::log::start();
  vllama::log::quiet();
  const std::string log = vllama::read_file(file);
  CHECK(std::count(log.begin(), log.end(), '\n') == 4);
  CHECK_THAT(log,
             Catch::Matches("(....-..-.. ..:..:..\\.... info step [0-9]+/25  loss [^\n]*\n)+") &&
                 Contains("info step 20/25  loss 20.0000 (mean of 10: 15.5000)"));
}

TEST_CASE("after a resume the time left counts this session's speed") {
  Stage stage;
  Progress progress(1000, 1100, 50, stage.output(false));
  stage.now_seconds += 1.5;
  progress.update(stage.step(1001));
  CHECK_THAT(stage.take(),
             Contains("step 1001/1100") && Contains("elapsed 0:02") && Contains("left 3:18"));
}

TEST_CASE("metrics without times give no nonsense") {
  Stage stage;
  Progress progress(0, 10, 1, stage.output(false));
  StepMetrics metrics;
  metrics.step = 1;
  progress.update(metrics);
  CHECK_THAT(stage.take(), Contains("0 tokens/s  data wait 0%"));
}
