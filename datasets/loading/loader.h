// Builds the batches of a run ahead of time, in worker threads, and hands them out in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "datasets/formats/data_config.h"
#include "datasets/loading/sample_source.h"
#include "datasets/order/order.h"
#include "samples/batch.h"

namespace vllama::datasets {

// A sample that was left out because its media or text cannot be used.
struct DroppedSample {
  std::int64_t step = 0;
  std::string dataset, id, path;
  std::string reason;  // name of the media or text failure: "not_found"
  std::string detail;  // the whole message
};

struct LoadedBatch {
  samples::Batch batch;  // empty (size 0) if all its samples were dropped
  std::vector<DroppedSample> dropped;
};

// Which part of a run's batches a loader delivers: all micro-batches of one rank, in the steps
// [first_step, end_step).
struct LoaderPlan {
  std::int64_t first_step = 0, end_step = 0;
  std::int64_t rank = 0, num_ranks = 1, num_micro_steps = 1;
};

// Sums over the batches that were handed out.
struct LoaderCounters {
  std::int64_t num_samples = 0;  // good and dropped
  std::int64_t num_dropped = 0, num_shortened = 0, num_concealed_frames = 0;
  std::map<std::string, std::int64_t> dropped_by_reason;
  double wait_seconds = 0;              // that next() kept its caller waiting
  samples::StageSeconds build_seconds;  // over all workers
};

// Throws RunFailure if more than `max_share` of at least 100 samples were dropped; fewer samples
// say too little.
void check_broken_share(std::int64_t num_samples, std::int64_t num_dropped, double max_share);

class Loader {
 public:
  // `order` and `source` must outlive the loader.
  Loader(const SampleOrder& order, const SampleSource& source, const LoaderPlan& plan,
         const LoaderConfig& config, std::int64_t image_token);
  // Waits for the samples that are under way, and for no others.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next micro-batch: step by step, within a step by micro-step. The same batches come whatever
  // the number of workers. Logs every dropped sample. Throws what a worker threw, once all earlier
  // batches were handed out. Must not be called after the last batch.
  LoadedBatch next();

  LoaderCounters counters() const;

 private:
  // One micro-batch on its way.
  struct Work {
    std::int64_t step, micro_step;
    std::vector<PlannedSample> samples;
    std::size_t num_claimed = 0, num_built = 0;
    std::vector<std::optional<samples::Example>> examples;  // nothing where dropped
    std::vector<std::optional<DroppedSample>> dropped;
    samples::StageSeconds seconds;
    LoadedBatch result;
    bool is_done = false;
    std::exception_ptr error;
  };

  void work_until(const std::stop_token& stop);
  // A batch with a sample that nobody builds yet, a new one if the queue has room; null if there is
  // nothing to do. The mutex must be held, also in the next function.
  Work* find_work();
  void add_work();
  // Builds one sample of `work` and, if it was the last one, the batch. Releases the lock
  // meanwhile.
  void build_one(Work& work, std::unique_lock<std::mutex>& lock);
  void build_or_drop(Work& work, std::size_t place, samples::StageSeconds& seconds) const;
  void finish(Work& work) const;
  void count(const Work& work);

  const SampleOrder& order_;
  const SampleSource& source_;
  const LoaderPlan plan_;
  const LoaderConfig config_;
  const std::int64_t image_token_;

  mutable std::mutex mutex_;
  std::condition_variable_any work_appeared_, batch_done_;
  std::deque<std::unique_ptr<Work>> queue_;  // in the order of delivery
  std::int64_t next_step_, next_micro_step_ = 0;
  std::vector<PlannedSample> step_samples_;  // of next_step_, once it is being cut up
  LoaderCounters counters_;
  std::vector<std::jthread> workers_;
};

}  // namespace vllama::datasets
