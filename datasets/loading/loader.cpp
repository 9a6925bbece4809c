#include "datasets/loading/loader.h"

#include <fmt/format.h>

#include <chrono>

#include "core/error.h"
#include "core/log.h"
#include "media/error.h"
#include "text/error.h"

namespace vllama::datasets {

void check_broken_share(std::int64_t num_samples, std::int64_t num_dropped, double max_share) {
  constexpr std::int64_t kFewestSamples = 100;
  const double share = static_cast<double>(num_dropped) / static_cast<double>(num_samples);
  if (num_samples >= kFewestSamples && share > max_share)
    throw RunFailure(fmt::format(
        "{} of {} samples were broken and dropped, a share of {:.3f} where {:.3f} is allowed: look "
        "at the reasons in the log, mend the data or raise max_broken_share",
        num_dropped, num_samples, share, max_share));
}

Loader::Loader(const SampleOrder& order, const SampleSource& source, const LoaderPlan& plan,
               const LoaderConfig& config, std::int64_t image_token)
    : order_(order),
      source_(source),
      plan_(plan),
      config_(config),
      image_token_(image_token),
      next_step_(plan.first_step) {
  for (std::int64_t i = 0; i < config.num_workers; ++i)
    workers_.emplace_back([this](const std::stop_token& stop) { work_until(stop); });
}

Loader::~Loader() {
  for (std::jthread& worker : workers_) worker.request_stop();
}

LoadedBatch Loader::next() {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  // Without workers nobody else fills the queue, and with them none may have come to it yet.
  if (queue_.empty()) add_work();
  VLLAMA_ASSERT(!queue_.empty(), "there is no batch after the last one");
  Work& front = *queue_.front();
  work_appeared_.notify_all();
  if (workers_.empty())
    while (!front.is_done) build_one(front, lock);
  else
    batch_done_.wait(lock, [&] { return front.is_done; });
  if (front.error) std::rethrow_exception(front.error);
  const std::unique_ptr<Work> done = std::move(queue_.front());
  queue_.pop_front();
  work_appeared_.notify_all();
  count(*done);
  counters_.wait_seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  lock.unlock();
  // Told here and not by the workers, so that the log has them in the order of the steps.
  for (const DroppedSample& dropped : done->result.dropped)
    log::warn("step {}: dropped sample {} of {} ({}): {}: {}", dropped.step + 1, dropped.id,
              dropped.dataset, dropped.path, dropped.reason, dropped.detail);
  return std::move(done->result);
}

LoaderCounters Loader::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void Loader::work_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  Work* work = nullptr;
  while (work_appeared_.wait(lock, stop, [&] { return (work = find_work()) != nullptr; }) &&
         !stop.stop_requested())
    build_one(*work, lock);
}

Loader::Work* Loader::find_work() {
  // The oldest batch first: the trainer waits for that one.
  for (const auto& work : queue_)
    if (!work->is_done && work->num_claimed < work->samples.size()) return work.get();
  if (static_cast<std::int64_t>(queue_.size()) >= config_.queue_depth) return nullptr;
  const std::size_t num_before = queue_.size();
  add_work();
  if (queue_.size() == num_before) return nullptr;
  Work& added = *queue_.back();
  if (added.is_done) batch_done_.notify_all();
  return added.is_done ? find_work() : &added;
}

void Loader::add_work() {
  if (next_step_ >= plan_.end_step) return;
  auto work = std::make_unique<Work>();
  work->step = next_step_;
  work->micro_step = next_micro_step_;
  try {
    if (next_micro_step_ == 0) step_samples_ = order_.step(next_step_);
    work->samples = slice(step_samples_,
                          {plan_.rank, plan_.num_ranks, next_micro_step_, plan_.num_micro_steps});
    work->examples.resize(work->samples.size());
    work->dropped.resize(work->samples.size());
    // More ranks than samples in a micro-batch: an empty batch keeps the ranks in step.
    if (work->samples.empty()) {
      finish(*work);
      work->is_done = true;
    }
  } catch (...) {
    work->error = std::current_exception();
    work->is_done = true;
  }
  if (++next_micro_step_ == plan_.num_micro_steps) {
    next_micro_step_ = 0;
    ++next_step_;
  }
  queue_.push_back(std::move(work));
}

void Loader::build_one(Work& work, std::unique_lock<std::mutex>& lock) {
  const std::size_t place = work.num_claimed++;
  lock.unlock();
  samples::StageSeconds seconds;
  std::exception_ptr error;
  try {
    build_or_drop(work, place, seconds);
  } catch (...) {
    error = std::current_exception();  // handed to the caller of next()
  }
  lock.lock();
  work.seconds += seconds;
  if (error && !work.error) work.error = error;
  if (++work.num_built < work.samples.size()) return;
  // Whoever builds the last sample packs the batch, without the lock, for packing copies it all.
  if (!work.error) {
    lock.unlock();
    try {
      finish(work);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    work.error = error;
  }
  work.is_done = true;
  batch_done_.notify_all();
}

// The one place where a broken sample is told from a broken run.
void Loader::build_or_drop(Work& work, std::size_t place, samples::StageSeconds& seconds) const {
  const PlannedSample& sample = work.samples[place];
  const Record record = source_.record(sample);
  const auto drop = [&](std::string_view reason, const char* detail) {
    work.dropped[place] = {.step = sample.step,
                           .dataset = source_.dataset_name(sample.dataset),
                           .id = record.id,
                           .path = record.media.front().source.name(),
                           .reason = std::string(reason),
                           .detail = detail};
  };
  try {
    work.examples[place] = source_.build(record, sample, seconds);
  } catch (const media::MediaError& error) {
    drop(media::failure_name(error.reason), error.what());
  } catch (const text::TextError& error) {
    drop(text::failure_name(error.reason), error.what());
  }
}

void Loader::finish(Work& work) const {
  std::vector<samples::Example> examples;
  for (auto& example : work.examples)
    if (example) examples.push_back(*std::move(example));
  for (auto& dropped : work.dropped)
    if (dropped) work.result.dropped.push_back(*std::move(dropped));
  work.result.batch = samples::pack(examples, image_token_);
  work.result.batch.step = work.step;
  work.result.batch.micro_step = work.micro_step;
  work.examples.clear();
}

void Loader::count(const Work& work) {
  const samples::Batch& batch = work.result.batch;
  counters_.num_samples += static_cast<std::int64_t>(work.samples.size());
  counters_.num_dropped += static_cast<std::int64_t>(work.result.dropped.size());
  counters_.num_shortened += batch.num_shortened;
  counters_.num_concealed_frames += batch.num_concealed_frames;
  for (const DroppedSample& dropped : work.result.dropped)
    ++counters_.dropped_by_reason[dropped.reason];
  counters_.build_seconds += work.seconds;
}

}  // namespace vllama::datasets
