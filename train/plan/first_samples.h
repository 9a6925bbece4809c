// A look at a few samples of every data set before the model is read: data of which nothing can be
// used, and texts that look wrong, are told at once and not after minutes.
#pragma once

#include "datasets/loading/mixture.h"
#include "train/run/run_config.h"

namespace vllama::train {

// Tries samples of every data set that the run takes from, spread over all of it, until one can be
// built. Throws UserError with the reason of the first if none of sixteen can. Says in the log
// which texts hold the tag of a medium as text, and what the clean-up makes of a caption, if
// `is_first` says that this rank is the one that speaks.
void try_first_samples(const RunConfig& config, const datasets::Mixture& data, bool is_first);

}  // namespace vllama::train
