// Evaluates the model of a run every so many steps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "eval/evaluate/evaluate.h"
#include "train/run/run_config.h"
#include "train/run/run_folder.h"

namespace vllama::train {

struct ShownAnswer {
  std::string task;
  std::string text;  // question, answer, reference
};

struct ValidationResult {
  std::map<std::string, double> metrics;  // "eval/<task>/<metric>"; on rank 0
  std::vector<ShownAnswer> answers;       // on rank 0
};

class Validation {
 public:
  // All outlive the object. The settings obey the rules of run_rules.h.
  Validation(const RunConfig& config, const RunFolder& folder, models::VideoLlama& model,
             const text::Tokenizer& tokenizer, distributed::Communicator& ranks);

  // Whether the model is evaluated after `step` steps.
  bool is_due(std::int64_t step) const;

  // Together. Rank 0 writes the report into eval/step_<N> of the run's folder.
  ValidationResult operator()(std::int64_t step) const;

 private:
  eval::EvalConfig config_after(std::int64_t step) const;

  const RunConfig& config_;
  const RunFolder& folder_;
  models::VideoLlama& model_;
  const text::Tokenizer& tokenizer_;
  distributed::Communicator& ranks_;
};

}  // namespace vllama::train
