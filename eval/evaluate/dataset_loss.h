// How well a model expects the texts of a data set.
#pragma once

#include "datasets/formats/data_config.h"
#include "distributed/communicator.h"
#include "eval/scores/measurement.h"
#include "inference/model_view.h"

namespace vllama::eval {

// Together: "<set>/loss", the mean of -ln p over the target tokens of all samples, and
// "<set>/perplexity", its exponential, for every data set of `config`; on rank 0. Every sample is
// looked at once, whole pictures and evenly spaced frames, by itself, so that values do not depend
// on the number of ranks. Samples that cannot be used are logged and in neither value. Throws
// RunFailure when more than max_broken_share of them are.
std::vector<Measurement> dataset_losses(datasets::DataConfig config,
                                        const models::VideoLlama& model,
                                        const text::Tokenizer& tokenizer, std::int64_t num_workers,
                                        distributed::Communicator& ranks);

}  // namespace vllama::eval
