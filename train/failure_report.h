// What a rank does when it fails, before it ends.
#pragma once

#include <functional>
#include <string>

#include "distributed/communicator.h"
#include "train/run/run_config.h"

namespace vllama::train {

class FailureReport {
 public:
  // `warn` is TrainOptions::when_failed.
  FailureReport(const RunConfig& config,
                std::function<void(const std::string& reason, double seconds)> warn,
                distributed::Communicator& ranks);

  // Does `work`. An error of it goes to the log files, to the other ranks and to `warn` before what
  // is around `work` is destroyed, which can take forever; of a missing rank also a record of the
  // last operations is left in the run's folder. Only the first error of a run is reported.
  template <class Work>
  auto watch(Work work) {
    try {
      return work();
    } catch (const distributed::RankFailure& failure) {
      report_missing_rank(failure.what());
      throw;
    } catch (const std::exception& failure) {
      report(failure.what(), failure.what());
      throw;
    }
  }

 private:
  // False if an error was reported before.
  bool report(const std::string& failure, const std::string& own_error);
  void report_missing_rank(const std::string& failure);
  void write_flight_record() const;

  const RunConfig& config_;
  const std::function<void(const std::string& reason, double seconds)> warn_;
  distributed::Communicator& ranks_;
  const double longest_end_seconds_;
  bool has_reported_ = false;
};

}  // namespace vllama::train
