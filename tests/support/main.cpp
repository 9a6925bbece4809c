// The entry point of every test program.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "core/log.h"

int main(int argc, char** argv) {
  vllama::log::quiet();
  return Catch::Session().run(argc, argv);
}
