// What encoders of one space have in common.
#pragma once

#include <cstdint>

#include "config/enum_names.h"

namespace vllama::encoders {

// How long embeddings are.
enum class EmbeddingScale { equal, published };
constexpr auto names_of(EmbeddingScale) {
  return config::EnumNames<EmbeddingScale, 2>{
      {{EmbeddingScale::equal, "equal"}, {EmbeddingScale::published, "published"}}};
}

// What encoders of one space have in common.
struct SharedSpace {
  std::int64_t width = 1024;
  EmbeddingScale scale = EmbeddingScale::equal;
};

}  // namespace vllama::encoders
