// Evaluation of a model while it trains.
#pragma once

#include <cstdint>
#include <vector>

#include "config/fields.h"
#include "datasets/formats/data_config.h"
#include "eval/evaluate/eval_config.h"

namespace vllama::train {

struct ValidationConfig {
  std::int64_t every_steps = 0;
  std::int64_t batch_size = 8;
  std::int64_t num_workers = 4;
  std::int64_t num_resamples = 200;
  std::int64_t num_thumbnails = 50;
  std::int64_t num_shown_answers = 4;
  eval::PromptConfig prompt;
  inference::GenerationConfig generation;
  std::vector<eval::TaskConfig> tasks;
  std::vector<datasets::DataConfig> losses;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1}, not_negative{0};
    field("every_steps", every_steps,
          "steps between evaluations, a last one after the last step; 0: none", not_negative);
    field("batch_size", batch_size, "questions that a rank answers at once", positive);
    field("num_workers", num_workers, "threads that decode media", positive);
    field("num_resamples", num_resamples, "resamples of the bootstrap for intervals", positive);
    field("num_thumbnails", num_thumbnails, "media of each task that the report shows pictures of",
          not_negative);
    field("num_shown_answers", num_shown_answers,
          "answers of each task that TensorBoard and the log show", not_negative);
    field("prompt", prompt, "how questions are put");
    field("generation", generation, "how answers are made");
    field("tasks", tasks, "questions to be answered; scores are called eval/<task>/<metric>");
    field("losses", losses, "held-out data; values are called eval/<set>/loss and perplexity");
  }
};

}  // namespace vllama::train
