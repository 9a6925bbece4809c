// What a rank computes on.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "config/enum_names.h"
#include "distributed/launch.h"

namespace vllama::distributed {

enum class DeviceChoice { automatic, cpu, cuda };  // automatic: a GPU when there is one
constexpr auto names_of(DeviceChoice) {
  return config::EnumNames<DeviceChoice, 3>{{{DeviceChoice::automatic, "auto"},
                                             {DeviceChoice::cpu, "cpu"},
                                             {DeviceChoice::cuda, "cuda"}}};
}

// Why the device cannot be had from this build on this machine; empty if it can.
std::string device_problem(DeviceChoice choice);

// The device that `choice` means for this rank: the GPU with the number of the rank on its machine,
// the only one if the launcher shows no other, or the CPU. Throws UserError if there are not enough
// GPUs.
at::Device chosen_device(DeviceChoice choice, const Launch& launch = {});

// Threads of mathematics: `num_threads`, or if it is 0 an equal share of the cores for every rank
// on this machine.
void set_num_threads(std::int64_t num_threads, const Launch& launch = {});

}  // namespace vllama::distributed
