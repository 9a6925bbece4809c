#include "tools/terminal/last_resort.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "core/log.h"

namespace vllama::tools {

void end_process_after(double seconds, const std::string& reason) {
  constexpr int kFailedRun = 1;
  std::thread([seconds, reason] {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const std::string message = fmt::format(
        "this process could not end by itself within {:.0f} s after the run had failed: {}",
        seconds, reason);
    log::to_files(spdlog::level::err, message);
    std::cerr << "vllama: " << message << std::endl;
    std::_Exit(kFailedRun);
  }).detach();
}

}  // namespace vllama::tools
