// Turns the stop signals into a request that the loop honours after a step.
#pragma once

namespace vllama::train {

class StopSignal {
 public:
  // Installs the handlers, which need a SignalThread; a second SIGINT ends the process at once. One
  // object at a time.
  StopSignal();
  // Once a signal was received, more of them are ignored from here on.
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // The number of the signal that arrived, or 0.
  int received() const;
};

}  // namespace vllama::train
