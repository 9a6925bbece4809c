#include <catch2/catch.hpp>
#include <thread>

#include "core/error.h"
#include "core/waiting.h"
#include "tests/support/child.h"

using namespace vllama;

TEST_CASE("waiting: tries until it is done, or until waiting was given up") {
  int num_tries = 0;
  wait_for("a lock", [&] { return ++num_tries == 3; });
  CHECK(num_tries == 3);

  // In a process of its own, since what was given up stays so.
  CHECK(test::text_from_child([] {
          std::thread other([] {
            give_up_waiting("rank 0 is gone");
            give_up_waiting("so is rank 1");
          });
          std::string text;
          try {
            wait_for("a lock", [] { return false; });
          } catch (const RunFailure& failure) {
            text = failure.what();
          }
          other.join();
          return text;
        }) == "gave up waiting for a lock: rank 0 is gone");
}
