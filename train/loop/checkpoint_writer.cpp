#include "train/loop/checkpoint_writer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "core/error.h"
#include "core/log.h"
#include "train/loop/retention.h"

namespace vllama::train {
namespace {

bool can_hold(const at::Tensor& buffer, const at::Tensor& tensor) {
  return buffer.defined() && buffer.sizes() == tensor.sizes() &&
         buffer.scalar_type() == tensor.scalar_type() && buffer.is_pinned() == tensor.is_cuda();
}

// Pinned memory takes a copy from a GPU at the full rate of the bus.
at::Tensor host_buffer(const at::Tensor& tensor) {
  return at::empty(tensor.sizes(),
                   at::device(at::kCPU).dtype(tensor.dtype()).pinned_memory(tensor.is_cuda()));
}

void copy_values(const at::Tensor& from, at::Tensor& to) {
  // By one thread: several would meet after every tensor, slowly where others use the cores too.
  if (from.is_cpu() && from.is_contiguous())
    std::copy_n(static_cast<const std::byte*>(from.const_data_ptr()), from.nbytes(),
                static_cast<std::byte*>(to.mutable_data_ptr()));
  else
    to.copy_(from);
}

// `buffers` holds the values of `tensors` afterwards, in the memory it had where that fits.
void copy_to_host(const weights::NamedTensors& tensors, weights::NamedTensors& buffers) {
  std::erase_if(buffers, [&](const auto& entry) { return !tensors.contains(entry.first); });
  for (const auto& [name, tensor] : tensors) {
    at::Tensor& buffer = buffers[name];
    if (!can_hold(buffer, tensor)) buffer = host_buffer(tensor);
    copy_values(tensor, buffer);
  }
}

std::string what_is_intact(const std::filesystem::path& root) {
  const auto newest = checkpoint::load_newest_step(root);
  if (!newest) return "there is no intact checkpoint: the same command would start anew";
  return fmt::format(
      "the checkpoint '{}' is intact: once the cause is mended, the same command goes on from it",
      newest->directory.path.string());
}

}  // namespace

CheckpointWriter::CheckpointWriter(std::filesystem::path root, CheckpointConfig config,
                                   std::map<std::string, std::string> texts)
    : root_(std::move(root)), lock_(root_), config_(std::move(config)) {
  snapshot_.texts = std::move(texts);
  checkpoint::remove_leftovers(root_);
}

CheckpointWriter::~CheckpointWriter() {
  try {
    wait();
  } catch (const std::exception& failure) {
    log::error("{}", failure.what());
  }
}

void CheckpointWriter::save(const RunProgress& progress,
                            const std::map<std::string, weights::NamedTensors>& tensors,
                            const std::map<std::string, double>& metrics) {
  check();
  if (is_writing() && !has_told_of_waiting_) {
    has_told_of_waiting_ = true;
    log::warn(
        "step {} is to be saved while the checkpoint before is still being written: training "
        "waits for it, here and, without another word, later; save less often, or to a faster disk",
        progress.num_steps_done);
  }
  wait();
  take_snapshot(tensors);
  snapshot_.texts[kStateFile] = state_text(progress, metrics);
  writing_ =
      std::async(std::launch::async, &CheckpointWriter::write, this, progress.num_steps_done);
}

bool CheckpointWriter::is_writing() const {
  return writing_.valid() &&
         writing_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void CheckpointWriter::check() {
  if (!is_writing()) wait();
}

void CheckpointWriter::wait() {
  if (writing_.valid()) writing_.get();
}

void CheckpointWriter::take_snapshot(const std::map<std::string, weights::NamedTensors>& tensors) {
  const c10::AutoGradMode no_graph(false);
  std::erase_if(snapshot_.tensors,
                [&](const auto& entry) { return !tensors.contains(entry.first); });
  for (const auto& [file, named] : tensors) copy_to_host(named, snapshot_.tensors[file]);
}

void CheckpointWriter::write(std::int64_t step) const {
  try {
    checkpoint::save_step(root_, step, snapshot_);
    remove_old_checkpoints(root_, config_, step);
  } catch (const std::runtime_error& failure) {
    throw RunFailure(fmt::format("cannot save the checkpoint of step {}: {}; {}", step,
                                 failure.what(), what_is_intact(root_)));
  }
}

}  // namespace vllama::train
