// What a rank computes on.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "distributed/launch.h"

namespace vllama::train {

// Why RunConfig::device cannot be had from this build on this machine; empty if it can.
std::string device_problem(const std::string& name);

// The device that RunConfig::device means for this rank: the GPU with the number of the rank on its
// machine, the only one if the launcher shows no other, or the CPU. Throws UserError if there are
// not enough GPUs.
at::Device chosen_device(const std::string& name, const distributed::Launch& launch);

// Threads of mathematics: `num_threads`, or if it is 0 an equal share of the cores for every rank
// on this machine.
void set_num_threads(std::int64_t num_threads, const distributed::Launch& launch);

}  // namespace vllama::train
