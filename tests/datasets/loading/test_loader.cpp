// Worker threads and the order of delivery, with samples that need no media.
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "core/error.h"
#include "datasets/loading/loader.h"
#include "media/error.h"
#include "text/error.h"
#include "text/prompt.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
constexpr std::int64_t kImageToken = 32000;

// Samples named by their number, which also is their only learned token. Some fail.
class NumberedSamples : public SampleSource {
 public:
  const std::string& dataset_name(std::int64_t) const override { return name_; }

  Record record(const PlannedSample& sample) const override {
    Record record;
    record.id = std::to_string(sample.index);
    record.media = {{.source = fmt::format("media/{}", record.id)}};
    return record;
  }

  samples::Example build(const Record& record, const PlannedSample& sample,
                         samples::StageSeconds& seconds) const override {
    ++num_built;
    // Different for each sample, so that workers overtake each other.
    std::this_thread::sleep_for(std::chrono::microseconds(sample.index * 37 % 400));
    if (broken_media.contains(sample.index))
      throw media::MediaError(media::MediaFailure::corrupt, "bits fell off");
    if (broken_text.contains(sample.index))
      throw text::TextError(text::TextFailure::reserved_token, "has <ImageHere>");
    if (fatal.contains(sample.index)) throw UserError("the disk is gone");
    seconds.decode += 0.001;
    samples::Example example;
    example.id = record.id;
    example.media = {
        {.values = at::full({1, 2, 2, 3}, sample.index % 256, at::kByte), .num_tokens = 1}};
    RandomStream draws = sample.key().random(RandomPurpose::augmentation);
    example.token_ids = {1, kImageToken, static_cast<std::int64_t>(draws.below(1000)),
                         sample.index};
    example.labels = {text::kIgnoredLabel, text::kIgnoredLabel, text::kIgnoredLabel, sample.index};
    return example;
  }

  std::set<std::int64_t> broken_media, broken_text, fatal;
  mutable std::atomic<int> num_built = 0;

 private:
  std::string name_ = "numbers";
};

LoaderConfig config(std::int64_t num_workers, std::int64_t queue_depth = 3) {
  LoaderConfig result;
  result.num_workers = num_workers;
  result.queue_depth = queue_depth;
  return result;
}

// Everything that a batch says, as text.
std::string describe(const LoadedBatch& loaded) {
  const samples::Batch& batch = loaded.batch;
  const auto* tokens = batch.token_ids_T.const_data_ptr<std::int64_t>();
  std::string text =
      fmt::format("{}/{}: {} {}", batch.step, batch.micro_step, fmt::join(batch.sample_ids, " "),
                  fmt::join(tokens, tokens + batch.token_ids_T.numel(), ","));
  for (const DroppedSample& dropped : loaded.dropped)
    text += fmt::format(" -{} {} {} {} {}", dropped.dataset, dropped.id, dropped.path,
                        dropped.reason, dropped.detail);
  return text;
}

std::vector<std::string> all_batches(const SampleOrder& order, const SampleSource& source,
                                     const LoaderPlan& plan, const LoaderConfig& settings) {
  Loader loader(order, source, plan, settings, kImageToken);
  std::vector<std::string> batches;
  for (std::int64_t i = 0; i < (plan.end_step - plan.first_step) * plan.num_micro_steps; ++i)
    batches.push_back(describe(loader.next()));
  return batches;
}

}  // namespace

TEST_CASE("the same batches come with any number of workers, and after a resume") {
  NumberedSamples source;
  source.broken_media = {3, 30, 31};
  const SampleOrder order({{50, 1}, {20, 1}}, {.samples_per_step = 8, .seed = 5});
  const LoaderPlan plan{.first_step = 0, .end_step = 20, .num_micro_steps = 2};
  const auto expected = all_batches(order, source, plan, config(0));
  CHECK(all_batches(order, source, plan, config(1)) == expected);
  CHECK(all_batches(order, source, plan, config(4)) == expected);
  CHECK(all_batches(order, source, plan, config(4, 1)) == expected);
  LoaderPlan resumed = plan;
  resumed.first_step = 13;
  CHECK(all_batches(order, source, resumed, config(3)) ==
        std::vector<std::string>(expected.begin() + 26, expected.end()));
}

TEST_CASE("ranks together load what one rank loads") {
  const NumberedSamples source;
  const SampleOrder order({{50, 1}}, {.samples_per_step = 6, .shuffle = false});
  const auto ids = [&](const LoaderPlan& plan) {
    Loader loader(order, source, plan, config(2), kImageToken);
    return loader.next().batch.sample_ids;
  };
  auto joined = ids({.end_step = 1, .rank = 0, .num_ranks = 2});
  const auto second = ids({.end_step = 1, .rank = 1, .num_ranks = 2});
  joined.insert(joined.end(), second.begin(), second.end());
  std::ranges::sort(joined);
  CHECK(joined == ids({.end_step = 1}));
}

TEST_CASE("broken samples are dropped, named and counted, never replaced") {
  NumberedSamples source;
  source.broken_media = {1, 4, 5};
  source.broken_text = {2};
  const SampleOrder order({{6, 1}}, {.samples_per_step = 2, .shuffle = false});
  for (const std::int64_t num_workers : {0, 2}) {
    Loader loader(order, source, {.end_step = 3}, config(num_workers), kImageToken);
    const LoadedBatch first = loader.next();
    CHECK(first.batch.sample_ids == std::vector<std::string>{"0"});
    REQUIRE(first.dropped.size() == 1);
    CHECK(first.dropped[0].step == 0);
    CHECK(first.dropped[0].dataset == "numbers");
    CHECK(first.dropped[0].id == "1");
    CHECK(first.dropped[0].path == "media/1");
    CHECK(first.dropped[0].reason == "corrupt");
    CHECK(first.dropped[0].detail == "bits fell off");
    CHECK(loader.next().dropped.at(0).reason == "reserved_token");
    const LoadedBatch last = loader.next();
    CHECK(last.batch.size() == 0);
    CHECK(last.dropped.size() == 2);
    const LoaderCounters counters = loader.counters();
    CHECK(counters.num_samples == 6);
    CHECK(counters.num_dropped == 4);
    CHECK(counters.dropped_by_reason ==
          std::map<std::string, std::int64_t>{{"corrupt", 3}, {"reserved_token", 1}});
    CHECK(counters.build_seconds.decode == Approx(0.002));
    CHECK(counters.wait_seconds > 0);
  }
}

TEST_CASE("a share of the step without samples is an empty batch") {
  const NumberedSamples source;
  const SampleOrder order({{6, 1}}, {.samples_per_step = 2, .shuffle = false});
  for (const std::int64_t num_workers : {0, 2}) {
    const auto batches =
        all_batches(order, source, {.end_step = 3, .rank = 3, .num_ranks = 4}, config(num_workers));
    CHECK(batches == std::vector<std::string>{"0/0:  ", "1/0:  ", "2/0:  "});
  }
}

TEST_CASE("what a worker throws arrives after the batches before it") {
  NumberedSamples source;
  source.fatal = {5};
  const SampleOrder order({{10, 1}}, {.samples_per_step = 2, .shuffle = false});
  for (const std::int64_t num_workers : {0, 1, 3}) {
    Loader loader(order, source, {.end_step = 5}, config(num_workers), kImageToken);
    CHECK(loader.next().batch.step == 0);
    CHECK(loader.next().batch.step == 1);
    CHECK_THROWS_WITH(loader.next(), Contains("the disk is gone"));
    CHECK_THROWS_AS(loader.next(), UserError);
  }
}

TEST_CASE("the queue is bounded and a loader that nobody reads stops at once") {
  const NumberedSamples source;
  const SampleOrder order({{1000, 1}}, {.samples_per_step = 4, .seed = 1});
  {
    const Loader loader(order, source, {.end_step = 1'000'000}, config(4, 2), kImageToken);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(source.num_built == 2 * 4);
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i)
    const Loader loader(order, source, {.end_step = 1'000'000}, config(4), kImageToken);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("no batch follows the last one") {
  const NumberedSamples source;
  const SampleOrder order({{4, 1}}, {.samples_per_step = 2});
  for (const std::int64_t num_workers : {0, 2}) {
    Loader loader(order, source, {.end_step = 1}, config(num_workers), kImageToken);
    loader.next();
    CHECK_THROWS_AS(loader.next(), InternalError);
  }
}

TEST_CASE("too large a share of broken samples ends the run") {
  CHECK_NOTHROW(check_broken_share(0, 0, 0.1));
  CHECK_NOTHROW(check_broken_share(99, 99, 0.1));
  CHECK_NOTHROW(check_broken_share(1000, 100, 0.1));
  CHECK_THROWS_WITH(check_broken_share(1000, 101, 0.1), Contains("101 of 1000"));
}

}  // namespace vllama::datasets
