// How a language model turns its queries and keys by their positions, as config.json says it.
#pragma once

#include "nn/rotary.h"
#include "weights/config_json.h"

namespace vllama::language {

struct RopeSettings {
  double base = 10000;
  nn::RotaryScaling scaling{};
};

// Reads `rope_theta` and `rope_scaling`, and `rope_parameters`, which transformers 5 writes in
// their place. Both may be there if they agree. `max_positions` is the longest sequence that the
// model will see: up to the length of pre-training `dynamic` changes nothing. Throws UserError for
// types and keys that are not known, for keys that a type needs, and for settings of single kinds
// of layers.
RopeSettings read_rope_settings(const weights::ConfigJson& config, std::int64_t max_positions);

}  // namespace vllama::language
