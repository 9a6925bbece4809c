// Frame indices against those of the original program, and their properties for any clip length.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "core/files.h"
#include "samples/frame_sampler.h"
#include "tests/support/fixtures.h"
#include "text/time_message.h"

namespace vllama::samples {
namespace {

using Indices = std::vector<std::int64_t>;

bool all_inside(const Indices& indices, std::int64_t begin, std::int64_t end) {
  return std::all_of(indices.begin(), indices.end(),
                     [&](std::int64_t index) { return index >= begin && index < end; });
}

bool all_distinct(const Indices& indices) {
  return std::set<std::int64_t>(indices.begin(), indices.end()).size() == indices.size();
}

Indices draw_headtail(std::int64_t num_frames, std::int64_t clip_length, std::uint64_t key) {
  RandomStream stream(key);
  return headtail_indices(num_frames, clip_length, stream);
}

}  // namespace

TEST_CASE("any clip length gives exactly the frames asked for, sorted and in range (D11, D13)") {
  for (std::int64_t clip_length = 1; clip_length <= 64; ++clip_length) {
    for (std::int64_t num_frames = 1; num_frames <= 64; ++num_frames) {
      const Indices uniform = uniform_indices(num_frames, clip_length);
      const Indices headtail =
          draw_headtail(num_frames, clip_length, static_cast<std::uint64_t>(clip_length));
      for (const Indices& indices : {uniform, headtail}) {
        REQUIRE(static_cast<std::int64_t>(indices.size()) == num_frames);
        REQUIRE(std::is_sorted(indices.begin(), indices.end()));
        REQUIRE(all_inside(indices, 0, clip_length));
      }
      if (clip_length >= num_frames) REQUIRE(all_distinct(uniform));
    }
  }
}

TEST_CASE("each half of a headtail sample comes from its half of the clip") {
  for (std::int64_t clip_length = 2; clip_length <= 64; ++clip_length) {
    for (std::int64_t num_frames = 1; num_frames <= 32; ++num_frames) {
      const Indices indices = draw_headtail(num_frames, clip_length, 7);
      const Indices head(indices.begin(), indices.begin() + num_frames / 2);
      const Indices tail(indices.begin() + num_frames / 2, indices.end());
      const std::int64_t middle = clip_length / 2;
      REQUIRE(all_inside(head, 0, middle));
      REQUIRE(all_inside(tail, middle, clip_length));
      if (middle >= num_frames / 2) REQUIRE(all_distinct(head));
      if (clip_length - middle >= num_frames - num_frames / 2) REQUIRE(all_distinct(tail));
    }
  }
  CHECK(draw_headtail(8, 1, 7) == Indices(8, 0));
}

TEST_CASE("headtail draws depend on their key alone and reach every frame") {
  CHECK(draw_headtail(8, 300, 5) == draw_headtail(8, 300, 5));
  CHECK(draw_headtail(8, 300, 5) != draw_headtail(8, 300, 6));
  std::set<std::int64_t> seen;
  for (std::uint64_t key = 0; key < 200; ++key)
    for (const std::int64_t index : draw_headtail(8, 20, key)) seen.insert(index);
  CHECK(seen.size() == 20);
}

TEST_CASE("frame indices equal those of the original program") {
  VLLAMA_SHARED_FILE(file, "goldens/media/frame_indices.json");
  const auto golden = nlohmann::json::parse(read_file(file));
  int num_compared = 0;
  for (const auto& [num_frames, lengths] : golden.at("uniform").items()) {
    for (const auto& [clip_length, indices] : lengths.items()) {
      // The original takes fewer frames from a short clip (D11); ours repeats some.
      if (std::stoll(clip_length) < std::stoll(num_frames)) continue;
      INFO(num_frames << " of " << clip_length);
      REQUIRE(uniform_indices(std::stoll(num_frames), std::stoll(clip_length)) ==
              indices.get<Indices>());
      ++num_compared;
    }
  }
  CHECK(num_compared > 100);
  for (const auto& odd : golden.at("uniform_odd_counts")) {
    // Here the original returns one frame too many, the last of them possibly behind the end (D13).
    const std::int64_t num_frames = odd.at("n"), clip_length = odd.at("vlen");
    CHECK(odd.at("indices").size() == static_cast<std::size_t>(num_frames + 1));
    const Indices indices = uniform_indices(num_frames, clip_length);
    CHECK(indices.size() == static_cast<std::size_t>(num_frames));
    CHECK(all_inside(indices, 0, clip_length));
  }
  for (const auto& [num_frames, lengths] : golden.at("headtail").items()) {
    for (const auto& [clip_length, facts] : lengths.items()) {
      const std::int64_t wanted = std::stoll(num_frames), length = std::stoll(clip_length);
      // Only where the original returns all frames do its counts say something about ours.
      if (facts.at("count").get<std::int64_t>() != wanted || length < wanted) continue;
      const Indices indices = draw_headtail(wanted, length, 3);
      const auto num_head = facts.at("head_count").get<std::ptrdiff_t>();
      CHECK(all_inside({indices.begin(), indices.begin() + num_head}, facts.at("head_range")[0],
                       facts.at("head_range")[1]));
      CHECK(all_inside({indices.begin() + num_head, indices.end()}, facts.at("tail_range")[0],
                       facts.at("tail_range")[1]));
    }
  }
  for (const auto& [clip, facts] : golden.at("clips").items()) {
    if (!facts.contains("indices")) continue;
    INFO(clip);
    const auto expected = facts.at("indices").get<Indices>();
    const Indices indices = uniform_indices(static_cast<std::int64_t>(expected.size()),
                                            facts.at("decord_num_frames").get<std::int64_t>());
    CHECK(indices == expected);
    CHECK(text::time_message(indices, facts.at("avg_fps").get<double>()) ==
          facts.at("time_message").get<std::string>());
  }
}

TEST_CASE("the frames between two moments: from the one that is seen at the first") {
  const std::vector<double> times{0, 0.5, 1, 1.1, 1.2, 4};
  const double end = 4.5, open = std::numeric_limits<double>::infinity();
  const auto between = [&](double start, double stop) {
    const FrameStretch found = frames_between(times, end, start, stop);
    return std::pair(found.begin, found.begin + found.count);
  };
  using Range = std::pair<std::int64_t, std::int64_t>;
  CHECK(between(0, open) == Range{0, 6});
  CHECK(between(0.5, 1) == Range{1, 2});
  CHECK(between(0.6, 1.05) == Range{1, 3});
  CHECK(between(2, 3) == Range{4, 5});
  CHECK(between(4.4, open) == Range{5, 6});
  CHECK(frames_between(times, end, 4.5, open).count == 0);
  CHECK(frames_between(times, end, 1, 1).count == 0);
  CHECK(frames_between(times, end, 1, 0.5).count == 0);
  const std::vector<double> late{2, 3};
  CHECK(frames_between(late, 4, 0, 1).count == 0);  // nothing is seen before 2 s
  CHECK(frames_between(late, 4, 0, open).count == 2);
  CHECK(frames_between(late, 4, 1, 2.5).count == 1);
}

TEST_CASE("evenly in time: the same as by number where the rate is constant") {
  for (const double rate : {4.0, 10.0, 24.0, 25.0, 30.0, 30000.0 / 1001})
    for (std::int64_t length = 1; length < 200; ++length) {
      std::vector<double> times;
      for (std::int64_t i = 0; i < length; ++i)
        times.push_back(std::round(static_cast<double>(i) / rate * 1e6) / 1e6);
      for (const std::int64_t count : {1, 3, 8, 32}) {
        INFO(rate << " " << length << " " << count);
        REQUIRE(uniform_time_indices(count, times, 0, static_cast<double>(length) / rate) ==
                uniform_indices(count, length));
      }
    }
  const std::vector<double> times{0, 1, 9};
  CHECK(uniform_time_indices(4, times, 0, 12) == Indices{0, 1, 1, 2});
  CHECK(uniform_time_indices(2, times, 1.5, 2) == Indices{1, 1});
}

}  // namespace vllama::samples
