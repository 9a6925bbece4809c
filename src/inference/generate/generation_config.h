// How answers are made: how far, and by which rule the next token is chosen.
#pragma once

#include <cstdint>

#include "config/fields.h"

namespace vllama::inference {

struct GenerationConfig {
  std::int64_t max_new_tokens = 300;
  std::int64_t max_context_tokens = 2000;
  std::int64_t num_beams = 1;
  double length_penalty = 1;
  bool do_sample = false;
  double temperature = 1;
  std::int64_t top_k = 50;
  double top_p = 0.9;
  double repetition_penalty = 1;
  std::uint64_t seed = 42;

  template <class Visitor>
  void visit(Visitor&& field) {
    using Number = std::int64_t;
    field("max_new_tokens", max_new_tokens, "longest answer, in tokens",
          config::Range<Number>{1, 1 << 20});
    field("max_context_tokens", max_context_tokens,
          "longest prompt and answer together; never more than the positions of the language model",
          config::Range<Number>{2, 1 << 20});
    field("num_beams", num_beams, "answers followed at the same time, of which the best one stays",
          config::Range<Number>{1, 64});
    field("length_penalty", length_penalty,
          "with several beams: an answer's log-probability is divided by its length to this power",
          config::Range{-10.0, 10.0});
    field("do_sample", do_sample, "draw the next token; otherwise the most probable one is taken");
    field("temperature", temperature, "when drawing: below 1 prefers what is probable",
          config::Range{1e-3, 1e3});
    field("top_k", top_k, "when drawing: only from this many tokens, 0 for all",
          config::Range<Number>{0, 1 << 20});
    field("top_p", top_p,
          "when drawing: only from the fewest tokens that have this probability together",
          config::Range{1e-6, 1.0});
    field("repetition_penalty", repetition_penalty,
          "above 1 makes tokens that the answer already has less probable",
          config::Range{1e-2, 1e2});
    field("seed", seed, "names the random numbers of drawing");
  }
};

}  // namespace vllama::inference
