// Which matrices of an encoder's blocks get a low-rank adapter, and how large it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"

namespace vllama::encoders {

struct EncoderLora {
  std::int64_t rank = 8;
  double alpha = 16;
  std::vector<std::string> targets = {};

  template <class Visitor>
  void visit(Visitor&& field) {
    field("rank", rank, "inner width of an adapter", config::AtLeast<std::int64_t>{1});
    field("alpha", alpha, "adapters count alpha / rank times", config::Range{0.0, 1e6});
    field(
        "targets", targets,
        "matrices of every block that get an adapter, as the file names them: q_proj, v_proj, fc1 "
        "and others, of EVA qkv, proj, fc1, fc2; none named: all");
  }
};

}  // namespace vllama::encoders
