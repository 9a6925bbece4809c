// The frozen language model held in parts by the ranks of a machine: when that is possible, and how
// the parts come together.
#pragma once

#include <memory>

#include "distributed/communicator.h"
#include "nn/sharded_tensors.h"
#include "train/run/run_config.h"

namespace vllama::train {

// Together: how the language model's parts come together, or null where it stays whole: without the
// setting, and on a machine with one rank. `ranks` outlive it.
std::unique_ptr<nn::PartExchange> share_language_model(const RunConfig& config,
                                                       distributed::Communicator& ranks,
                                                       at::Device device);

}  // namespace vllama::train
