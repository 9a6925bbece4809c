// What is said at once when a signal asks a run to stop.
#include <catch2/catch.hpp>
#include <csignal>

#include "train/watch/stop_signal.h"

using namespace vllama::train;

namespace {

std::string notice(int signal, const char* what, double seconds_left) {
  char buffer[256];
  return std::string(stop_notice(signal, what, seconds_left, buffer, sizeof buffer));
}

}  // namespace

TEST_CASE("stop: what comes next, when, and how to end at once") {
  CHECK(notice(SIGINT, "this step", 5.2) ==
        "Ctrl-C: the run ends after this step (about 6 s) and saves; a second Ctrl-C ends it now, "
        "without saving\n");
  CHECK(notice(SIGINT, "this step", 0) ==
        "Ctrl-C: the run ends after this step and saves; a second Ctrl-C ends it now, without "
        "saving\n");
  CHECK(notice(SIGTERM, "the next step", 300) ==
        "signal 15: the run ends after the next step (about 5 min) and saves\n");
}

TEST_CASE("stop: a notice never leaves its buffer") {
  char buffer[16];
  CHECK(stop_notice(SIGINT, "this step", 1, buffer, sizeof buffer) == "Ctrl-C: the run ");
}
