// How the positions of frames and sound clips are told.
#pragma once

#include <cstdint>

#include "config/enum_names.h"

namespace vllama::models {

enum class PositionKind { table, none, interpolated };
constexpr auto names_of(PositionKind) {
  return config::EnumNames<PositionKind, 3>{{{PositionKind::table, "table"},
                                             {PositionKind::none, "none"},
                                             {PositionKind::interpolated, "interpolated"}}};
}

// How the rows of the table are used.
struct PositionRule {
  PositionKind kind = PositionKind::table;
  std::int64_t num_rows = 0;  // that interpolated positions are spread over; 0: all
};

}  // namespace vllama::models
