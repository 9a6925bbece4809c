// The rules that keep measurements honest, on thousands of scenes: no short cut tells direction,
// order, or yes from no.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>

#include "toy_world/files/dialogues.h"
#include "toy_world/files/world_plan.h"

using namespace vllama;
using namespace vllama::toy;

namespace {

constexpr std::uint64_t kSeed = 5;
constexpr std::int64_t kNumScenes = 20000;
// Deviations that a mean may be off: the tests below make a few hundred comparisons.
constexpr double kDeviations = 4.5;

std::vector<Scene> scenes(Split split, std::int64_t count = kNumScenes) {
  std::vector<Scene> found;
  for (std::int64_t i = 0; i < count; ++i) found.push_back(scene_of(kSeed, split, i));
  return found;
}

struct Sample {
  double count = 0, sum = 0, squares = 0;
  void add(double value) {
    ++count;
    sum += value;
    squares += value * value;
  }
  double mean() const { return sum / count; }
  double variance() const { return squares / count - mean() * mean(); }
};

// Whether the means differ by no more than chance.
bool same_mean(const Sample& a, const Sample& b) {
  return std::abs(a.mean() - b.mean()) <=
         kDeviations * std::sqrt(a.variance() / a.count + b.variance() / b.count);
}

// What a bag of eight frames, without their order, tells about a mover's place.
struct BagOfFrames {
  Sample x, y, spread_x, spread_y;
  std::array<Sample, 7> histogram_x, histogram_y;  // share of frames in each eighth of the picture

  void add(const Shape& mover) {
    Sample xs, ys;
    std::array<double, 7> shares_x{}, shares_y{};
    for (int i = 0; i < 8; ++i) {
      const Point place = mover.at((i + 0.5) / 8);
      xs.add(place.x);
      ys.add(place.y);
      shares_x[static_cast<std::size_t>(place.x / 8)] += 1.0 / 8;
      shares_y[static_cast<std::size_t>(place.y / 8)] += 1.0 / 8;
    }
    x.add(xs.mean());
    y.add(ys.mean());
    spread_x.add(xs.variance());
    spread_y.add(ys.variance());
    for (std::size_t i = 0; i < 7; ++i) {
      histogram_x[i].add(shares_x[i]);
      histogram_y[i].add(shares_y[i]);
    }
  }
};

void check_same(const BagOfFrames& a, const BagOfFrames& b) {
  CHECK(same_mean(a.x, b.x));
  CHECK(same_mean(a.y, b.y));
  CHECK(same_mean(a.spread_x, b.spread_x));
  CHECK(same_mean(a.spread_y, b.spread_y));
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(same_mean(a.histogram_x[i], b.histogram_x[i]));
    CHECK(same_mean(a.histogram_y[i], b.histogram_y[i]));
  }
}

bool is_fair(std::int64_t num_yes, std::int64_t count) {
  return std::abs(static_cast<double>(num_yes) - static_cast<double>(count) / 2) <=
         kDeviations * std::sqrt(static_cast<double>(count)) / 2;
}

}  // namespace

TEST_CASE("honesty: kinds differ, shapes keep apart and inside the picture") {
  for (const Scene& scene : scenes(Split::train_videos)) {
    std::set<Kind> kinds;
    for (const Shape& shape : scene.shapes) kinds.insert(shape.kind);
    REQUIRE(kinds.size() == scene.shapes.size());
    for (const double time : {0.0, 0.25, 0.5, 0.75, 0.999}) {
      const auto shown = scene.visible(time);
      for (std::size_t i = 0; i < shown.size(); ++i) {
        const Point place = shown[i]->at(time);
        const double radius = shown[i]->radius;
        REQUIRE(std::min({place.x, place.y, kSide - place.x, kSide - place.y}) >= radius);
        for (std::size_t other = 0; other < i; ++other) {
          const Point there = shown[other]->at(time);
          REQUIRE(std::hypot(place.x - there.x, place.y - there.y) > radius + shown[other]->radius);
        }
      }
    }
  }
}

TEST_CASE("honesty: a bag of frames tells opposite directions not apart") {
  for (const Split split : {Split::train_videos, Split::movers}) {
    std::map<Direction, BagOfFrames> bags;
    std::map<Direction, Sample> quick;
    for (const Scene& scene : scenes(split)) {
      if (scene.form != Form::move) continue;
      const Shape& mover = scene.shapes[0];
      bags[mover.motion->direction].add(mover);
      quick[mover.motion->direction].add(mover.motion->is_quick ? 1 : 0);
      Shape reversed = mover;
      const auto opposite = static_cast<int>(mover.motion->direction) ^ 1;
      reversed.motion->direction = static_cast<Direction>(opposite);
      for (int i = 0; i < 8; ++i) {
        const Point a = mover.at((i + 0.5) / 8), b = reversed.at((7 - i + 0.5) / 8);
        REQUIRE(std::hypot(a.x - b.x, a.y - b.y) < 1e-9);
      }
    }
    check_same(bags[Direction::left], bags[Direction::right]);
    check_same(bags[Direction::up], bags[Direction::down]);
    CHECK(same_mean(quick[Direction::left], quick[Direction::right]));
    CHECK(same_mean(quick[Direction::up], quick[Direction::down]));
  }
}

TEST_CASE("honesty: shapes that take turns are seen equally long, in as many frames") {
  std::array<Sample, 2> num_frames;
  std::array<Sample, 2> x, radius;
  for (const Scene& scene : scenes(Split::train_videos)) {
    if (scene.form != Form::order) continue;
    REQUIRE(scene.shapes.size() == 2);
    const Shape &first = scene.shapes[0], &second = scene.shapes[1];
    REQUIRE(first.vanishes - first.appears == Approx(second.vanishes - second.appears));
    REQUIRE(first.vanishes <= second.appears);
    for (std::size_t i = 0; i < 2; ++i) {
      double seen = 0;
      for (int frame = 0; frame < 8; ++frame)
        seen += scene.shapes[i].is_visible((frame + 0.5) / 8) ? 1 : 0;
      num_frames[i].add(seen);
      x[i].add(scene.shapes[i].centre.x);
      radius[i].add(scene.shapes[i].radius);
    }
  }
  CHECK(same_mean(num_frames[0], num_frames[1]));
  CHECK(same_mean(x[0], x[1]));
  CHECK(same_mean(radius[0], radius[1]));
}

TEST_CASE("honesty: yes and no are balanced") {
  const auto shown = scenes(Split::train_videos);
  for (const bool is_within_recipe : {false, true})
    for (const char* type : {"present", "bound", "heard"}) {
      CAPTURE(type, is_within_recipe);
      RandomStream random(kSeed);
      std::map<std::size_t, std::array<std::int64_t, 2>> answers;  // by number of shapes
      for (const Scene& scene : shown) {
        const auto asked =
            is_within_recipe ? ask_within_recipe(scene, type, random) : ask(scene, type, random);
        ++answers[scene.shapes.size()][asked->word == "yes" ? 1 : 0];
      }
      for (const auto& [num_shapes, counts] : answers)
        CHECK(is_fair(counts[1], counts[0] + counts[1]));
    }
}

TEST_CASE("honesty: held-out pairs are where they belong") {
  const auto is_held_out_shape = [](const Shape& shape) {
    return is_held_out(shape.kind, shape.colour);
  };
  for (const Split split :
       {Split::train_videos, Split::train_images, Split::test_seen, Split::train_sounds,
        Split::test_sounds, Split::movers, Split::long_clips})
    for (const Scene& scene : scenes(split, 2000))
      REQUIRE(std::ranges::none_of(scene.shapes, is_held_out_shape));
  std::set<Kind> kinds;
  for (const Scene& scene : scenes(Split::test_unseen, 2000)) {
    REQUIRE(is_held_out_shape(scene.shapes[0]));
    kinds.insert(scene.shapes[0].kind);
    REQUIRE(std::none_of(scene.shapes.begin() + 1, scene.shapes.end(), is_held_out_shape));
  }
  CHECK(kinds.size() == kNumKinds);
}

TEST_CASE("honesty: splits share no random numbers") {
  std::set<std::uint64_t> keys;
  std::int64_t count = 0;
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    for (std::uint64_t split = 1; split <= 8; ++split)
      for (std::int64_t i = 0; i < 500; ++i, ++count)
        keys.insert(scene_of(seed, static_cast<Split>(split), i).noise_key);
  CHECK(static_cast<std::int64_t>(keys.size()) == count);
}

TEST_CASE("honesty: forms and motion are drawn as often as they should") {
  std::map<Form, double> forms;
  std::array<double, kNumDirections> directions{};
  for (const Scene& scene : scenes(Split::train_videos)) {
    ++forms[scene.form];
    if (scene.form == Form::move)
      ++directions[static_cast<std::size_t>(scene.shapes[0].motion->direction)];
  }
  CHECK(forms[Form::move] / kNumScenes == Approx(0.5).margin(0.02));
  CHECK(forms[Form::still] / kNumScenes == Approx(0.25).margin(0.02));
  for (const double number : directions)
    CHECK(number / forms[Form::move] == Approx(0.25).margin(0.02));
}
