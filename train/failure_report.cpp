#include "train/failure_report.h"

#include <fmt/format.h>

#include <utility>

#include "core/files.h"
#include "core/log.h"
#include "core/waiting.h"
#include "train/run/run_folder.h"

namespace vllama::train {
namespace {

// Of telling the others and of letting them hear it.
constexpr double kReportSeconds = 10;

}  // namespace

FailureReport::FailureReport(const RunConfig& config,
                             std::function<void(const std::string& reason, double seconds)> warn,
                             distributed::Communicator& ranks)
    : config_(config),
      warn_(std::move(warn)),
      ranks_(ranks),
      longest_end_seconds_(config.distributed.silence_seconds + kReportSeconds) {
  ranks.when_failed([tell = warn_, seconds = longest_end_seconds_](const std::string& verdict) {
    give_up_waiting(verdict);
    if (tell) tell(verdict, seconds);
  });
}

bool FailureReport::report(const std::string& failure, const std::string& own_error) {
  if (std::exchange(has_reported_, true)) return false;
  log::to_files(spdlog::level::err, failure);
  if (warn_) warn_(failure, longest_end_seconds_);
  ranks_.fail(own_error);
  return true;
}

void FailureReport::report_missing_rank(const std::string& failure) {
  if (report(failure, "")) write_flight_record();
}

void FailureReport::write_flight_record() const {
  const auto path = RunFolder(config_.output_dir)
                        .file(fmt::format("flight_record_rank_{:04}.json", ranks_.rank()));
  try {
    write_file_atomically(path, ranks_.flight_record());
    log::warn("the last operations between ranks are in '{}'", path.string());
  } catch (const RunFailure& problem) {
    log::warn("cannot write the record of the last operations: {}", problem.what());
  }
}

}  // namespace vllama::train
