// The ids of pieces by their text.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <optional>
#include <string_view>

#include "text/tokenizers/tokenizer_json.h"

namespace vllama::text {

// A table of its own, since hundreds of thousands of them are looked up
// before the first word is read.
class PieceIds {
 public:
  // The file outlives it. Throws UserError for a piece that comes twice.
  explicit PieceIds(const TokenizerJson& file)
      : pieces_(file.pieces), slots_(std::bit_ceil(2 * file.pieces.size() + 2), kFree) {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      std::int32_t& slot = slots_[slot_of(pieces_[i].first)];
      if (slot != kFree) file.fail(fmt::format("piece '{}' comes twice", pieces_[i].first));
      slot = static_cast<std::int32_t>(i);
    }
  }

  std::optional<std::int32_t> find(std::string_view piece) const {
    const std::int32_t index = slots_[slot_of(piece)];
    if (index == kFree) return std::nullopt;
    return static_cast<std::int32_t>(pieces_[static_cast<std::size_t>(index)].second);
  }

 private:
  static constexpr std::int32_t kFree = -1;

  // Where the piece is, or would be.
  std::size_t slot_of(std::string_view piece) const {
    std::size_t slot = std::hash<std::string_view>()(piece) & (slots_.size() - 1);
    while (slots_[slot] != kFree && pieces_[static_cast<std::size_t>(slots_[slot])].first != piece)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  const std::vector<std::pair<std::string, std::int64_t>>& pieces_;
  std::vector<std::int32_t> slots_;  // open addressing; their number is a power of two
};

}  // namespace vllama::text
