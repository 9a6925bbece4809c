// Which matrices of the language model get a low-rank adapter, and how large it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"

namespace vllama::language {

// The matrices of a decoder layer, as the files name them.
inline const std::vector<std::string> kAdaptableMatrices{
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

struct LoraConfig {
  std::int64_t rank = 8;
  double alpha = 16;
  std::vector<std::string> targets = kAdaptableMatrices;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("rank", rank, "inner width of an adapter", config::AtLeast<std::int64_t>{1});
    field("alpha", alpha, "adapters count alpha / rank times", config::Range{0.0, 1e6});
    field("targets", targets, "matrices of every layer that get an adapter",
          config::OneOf{kAdaptableMatrices});
  }
};

}  // namespace vllama::language
