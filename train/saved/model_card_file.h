// The file beside an exported weight file that says what it is.
#pragma once

namespace vllama::train {

inline constexpr const char* kModelCardFile = "model_card.json";

}  // namespace vllama::train
