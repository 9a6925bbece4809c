// A complete small run made on the spot: random weights in the published layouts, a few clips,
// captions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "train/run/run_config.h"

namespace vllama::test {

class TinyWorld {
 public:
  // `max_positions` of the language model.
  explicit TinyWorld(std::int64_t max_positions = 64);

  // A configuration of six steps of four samples that writes into the folder `name` of the world.
  train::RunConfig run(const std::string& name) const;

  // Makes every loss not a number, of every text with this word's last token: the embedding of that
  // token becomes infinite.
  void poison(const std::string& word) const;

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

// Of every step that the run has written to its metrics.jsonl.
std::vector<double> losses(const train::RunConfig& config);

}  // namespace vllama::test
