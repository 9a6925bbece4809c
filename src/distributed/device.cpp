#include "distributed/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace vllama::distributed {

std::string device_problem(DeviceChoice choice) {
  if (choice != DeviceChoice::cuda || at::globalContext().hasCUDA()) return {};
  return "device: cuda was asked for, but this build or machine has no GPU; use cpu";
}

at::Device chosen_device(DeviceChoice choice, const Launch& launch) {
  if (const std::string problem = device_problem(choice); !problem.empty())
    throw UserError(problem);
  if (choice == DeviceChoice::cpu || !at::globalContext().hasCUDA()) return at::kCPU;
  const int num_gpus = at::detail::getCUDAHooks().deviceCount();
  if (num_gpus == 1) return at::Device(at::kCUDA, 0);
  if (launch.local_rank >= num_gpus)
    throw UserError(
        fmt::format("rank {} is number {} on its machine, which has {} GPUs; start at "
                    "most as many ranks there",
                    launch.rank, launch.local_rank, num_gpus));
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(launch.local_rank));
}

void set_num_threads(std::int64_t num_threads, const Launch& launch) {
  if (num_threads == 0 && launch.num_local_ranks > 1)
    num_threads = std::max<std::int64_t>(1, at::get_num_threads() / launch.num_local_ranks);
  if (num_threads > 0) at::set_num_threads(static_cast<int>(num_threads));
}

}  // namespace vllama::distributed
