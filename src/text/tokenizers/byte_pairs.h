// Byte-pair encoding (Sennrich, Haddow, Birch 2016): neighbouring pieces of a word are joined, the
// pair that stands first in a list before all others, until no pair of the list is left.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vllama::text {

// Of a byte that no piece stands for.
inline constexpr std::int32_t kUnknownPiece = -1;

// Two pieces that become one.
struct PieceMerge {
  std::int32_t left, right, merged;
};

// A token of a word, and where it ends, in bytes.
struct WordPiece {
  std::int32_t id;
  std::size_t end;
};

class BytePairs {
 public:
  // The pieces of single bytes, some of which may be kUnknownPiece, and merges with the first to be
  // done in front; a pair that comes twice counts where it comes first.
  BytePairs(const std::array<std::int32_t, 256>& bytes, std::span<const PieceMerge> merges);

  // Time grows as n log n with the bytes of a word. Memory: some 40 bytes for each.
  void encode(std::string_view word, std::vector<WordPiece>& pieces) const;

 private:
  struct Entry {
    std::uint64_t pair = kNoPair;
    std::int32_t rank = 0, merged = 0;
  };
  static constexpr std::uint64_t kNoPair = ~std::uint64_t{0};

  const Entry* find(std::int32_t left, std::int32_t right) const;
  std::size_t slot_of(std::uint64_t pair) const;

  std::array<std::int32_t, 256> bytes_;
  std::vector<Entry> table_;  // open addressing; its size is a power of two
  int shift_ = 0;
};

}  // namespace vllama::text
