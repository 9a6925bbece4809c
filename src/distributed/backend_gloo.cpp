#include <fmt/format.h>

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "core/error.h"
#include "distributed/backend.h"

namespace vllama::distributed {
namespace {

using c10d::ProcessGroupGloo;

// GLOO_SOCKET_IFNAME names the network; else ranks on one machine meet on the loopback, and others
// on the address of the host's name.
std::shared_ptr<gloo::transport::Device> network(const Launch& launch) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  try {
    if (interface != nullptr && *interface != '\0')
      return ProcessGroupGloo::createDeviceForInterface(interface);
    if (launch.num_local_ranks == launch.num_ranks)
      return ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
    return ProcessGroupGloo::createDefaultDevice();
  } catch (const std::exception& error) {
    throw UserError(
        fmt::format("no network for the ranks: {}; name the interface of this machine in "
                    "GLOO_SOCKET_IFNAME",
                    error.what()));
  }
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch,
                                            std::chrono::milliseconds timeout) {
  auto options = ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(network(launch));
  return c10::make_intrusive<ProcessGroupGloo>(store, static_cast<int>(launch.rank),
                                               static_cast<int>(launch.num_ranks), options);
}

}  // namespace vllama::distributed
