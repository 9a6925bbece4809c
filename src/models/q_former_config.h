// Sizes of a Q-Former.
#pragma once

#include "config/fields.h"

namespace vllama::models {

struct QFormerConfig {
  config::Size num_queries = config::Size::published(32);
  config::Size num_layers = config::Size::published(12);
  config::Size width = config::Size::published(768);
  config::Size num_heads = config::Size::published(12);
  config::Size mlp_width = config::Size::published(3072);
  config::Size cross_attention_every =
      config::Size::published(2);  // layers 0, n, 2n, ... look at the encoder

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("num_queries", num_queries, "learned queries, hence output vectors", positive);
    field("num_layers", num_layers, "transformer layers", positive);
    field("width", width, "features per query", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
    field("cross_attention_every", cross_attention_every,
          "every how many layers, from the first, attend to the encoder", positive);
  }
};

}  // namespace vllama::models
