#include <catch2/catch.hpp>
#include <vector>

#include "distributed/agreement.h"
#include "distributed/diagnosis.h"

using namespace vllama;
using Catch::Contains;
using distributed::RankView;
using State = RankView::State;

namespace {

constexpr distributed::Patience kPatience{.silent_seconds = 60, .suspect_seconds = 3};

// Three healthy ranks, the first two waiting for the third.
std::vector<RankView> ranks() {
  std::vector<RankView> views(3);
  for (std::size_t i = 0; i < views.size(); ++i) {
    views[i].rank = static_cast<std::int64_t>(i);
    views[i].place = "rank " + std::to_string(i) + " (host, process 1)";
    views[i].activity = "step 17: sum of the gradients";
    views[i].is_waiting = true;
  }
  views[2].activity = "step 17: waiting for data";
  views[2].is_waiting = false;
  return views;
}

}  // namespace

TEST_CASE("diagnosis: nothing is wrong while all give signs of life") {
  auto views = ranks();
  CHECK_FALSE(distributed::diagnose(views, kPatience));
  views[2].silent_seconds = 59;
  CHECK_FALSE(distributed::diagnose(views, kPatience));
}

TEST_CASE("diagnosis: a silent rank is dead, sooner once another one gave up on it") {
  auto views = ranks();
  views[2].silent_seconds = 61;
  CHECK_THAT(*distributed::diagnose(views, kPatience),
             Contains("rank 2") && Contains("no sign of life for 61 s") &&
                 Contains("'step 17: waiting for data'") && !Contains("rank 1"));
  views[2].silent_seconds = 4;
  CHECK_FALSE(distributed::diagnose(views, kPatience));
  views[0].state = State::lost;
  CHECK_THAT(*distributed::diagnose(views, kPatience), Contains("rank 2"));
}

TEST_CASE("diagnosis: a rank that is busy elsewhere is named once another one gave up") {
  auto views = ranks();
  views[0].state = State::lost;
  views[2].activity_seconds = 600;
  CHECK_FALSE(distributed::diagnose(views, kPatience));
  views[0].lost_seconds = 5;
  CHECK_THAT(*distributed::diagnose(views, kPatience),
             Contains("rank 2") && Contains("alive") && Contains("for 600 s"));
  views[2] = views[1];
  CHECK_THAT(*distributed::diagnose(views, kPatience), Contains("network"));
  // It hangs in an operation that is over for the others.
  views[2].place = "rank 2 (host, process 1)";
  views[2].activity = "step 16: sum of the gradients";
  CHECK_THAT(
      *distributed::diagnose(views, kPatience),
      Contains("rank 2") && Contains("alive, but has been in 'step 16") && !Contains("rank 1"));
}

TEST_CASE("diagnosis: a rank's own error comes before everything else") {
  auto views = ranks();
  views[0].silent_seconds = 100;
  views[1].state = State::failed;
  views[1].detail = "no space left";
  CHECK_THAT(*distributed::diagnose(views, kPatience),
             Contains("rank 1") && Contains("no space left") && !Contains("rank 0"));
}

TEST_CASE("diagnosis: of a thousand missing ranks a few are named") {
  std::vector<RankView> views(1000, ranks()[2]);
  for (RankView& view : views) view.silent_seconds = 100;
  const std::string text = *distributed::diagnose(views, kPatience);
  CHECK_THAT(text, Contains("and 992 more ranks"));
  CHECK(text.size() < 2500);
}

TEST_CASE("agreement: what differs is listed with both values and the ranks") {
  using distributed::disagreement;
  CHECK(disagreement({{{"seed", "1"}}, {{"seed", "1"}}}).empty());
  const std::string text =
      disagreement({{{"seed", "1"}, {"a", "x"}}, {{"seed", "2"}, {"a", "x"}}, {{"seed", "2"}}});
  CHECK_THAT(text, Contains("seed: '1' on rank 0, '2' on ranks 1, 2") &&
                       Contains("a: 'x' on rank 0, absent on rank 2"));
}
