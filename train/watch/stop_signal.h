// Turns the stop signals into a request that the loop honours after a step, and says so at once.
#pragma once

#include <cstddef>
#include <string_view>

namespace vllama::train {

class StopSignal {
 public:
  // Installs the handlers, which need a SignalThread; a second SIGINT ends the process at once. The
  // first signal is answered on standard error if this process `speaks` for the run. One object at
  // a time.
  explicit StopSignal(bool speaks);
  // Once a signal was received, more of them are ignored from here on.
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // The number of the signal that arrived, or 0.
  int received() const;

  // What the run does from now on and will end after if a signal comes, "this step", and how long
  // that is likely to take; 0 if nothing is known. The text must live as long as the process.
  void doing(const char* what, double expected_seconds) const;
};

// What is said on a signal while the run is busy with `what`, which will be done in so many
// seconds; 0 if that is unknown. Written into `buffer`, as a handler may.
std::string_view stop_notice(int signal, const char* what, double seconds_left, char* buffer,
                             std::size_t size);

}  // namespace vllama::train
