// Runs that have some way to go, and what is said to a run that may not begin.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "tests/support/logged_text.h"
#include "tests/train/tiny_world.h"
#include "train/train.h"

namespace vllama::test {

// The run stops after four of its steps, and has two to go.
inline train::RunConfig half_run(const TinyWorld& world) {
  const train::RunConfig config = world.run("run");
  REQUIRE(train::train(config, {}) == 0);
  std::filesystem::remove_all(world.path("run/checkpoints/step_000006"));
  return config;
}

inline std::string refusal_of(const train::RunConfig& config,
                              const train::TrainOptions& options = {}) {
  try {
    train::train(config, options);
  } catch (const UserError& error) {
    return error.what();
  }
  return "it was not refused";
}

// Of a run that must be refused before it reads a weight.
inline std::string refusal_before_weights(const train::RunConfig& config,
                                          const train::TrainOptions& options = {}) {
  const LoggedText log;
  std::string refusal = refusal_of(config, options);
  CHECK_THAT(log.text(), !Catch::Contains(" ignored) from '"));
  return refusal;
}

}  // namespace vllama::test
