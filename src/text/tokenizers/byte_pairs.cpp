#include "text/tokenizers/byte_pairs.h"

#include <algorithm>
#include <bit>
#include <queue>

namespace vllama::text {
namespace {

std::uint64_t pair_of(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
         static_cast<std::uint32_t>(right);
}

// A piece of the word, in a list of what is left of them.
struct Symbol {
  std::int32_t id;
  std::uint32_t previous, next;  // places in the list; kEnd behind the last
};
constexpr std::uint32_t kEnd = ~std::uint32_t{0};
constexpr std::int32_t kGone = -2;

// A merge that may be done, unless one of its two pieces has become another meanwhile.
struct Candidate {
  std::int32_t rank;
  std::uint32_t place;  // of the left one
  std::int32_t left, right, merged;

  bool operator>(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : place > other.place;
  }
};

}  // namespace

BytePairs::BytePairs(const std::array<std::int32_t, 256>& bytes, std::span<const PieceMerge> merges)
    : bytes_(bytes) {
  const std::size_t num_slots = std::bit_ceil(std::max<std::size_t>(2 * merges.size(), 16));
  table_.resize(num_slots);
  shift_ = 64 - std::countr_zero(num_slots);
  std::int32_t rank = 0;
  for (const PieceMerge& merge : merges) {
    const std::uint64_t pair = pair_of(merge.left, merge.right);
    Entry& entry = table_[slot_of(pair)];
    if (entry.pair == kNoPair) entry = {pair, rank, merge.merged};
    ++rank;
  }
}

// Where the pair is, or would be.
std::size_t BytePairs::slot_of(std::uint64_t pair) const {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;  // Fibonacci hashing
  std::size_t slot = static_cast<std::size_t>((pair * kGoldenRatio) >> shift_);
  while (table_[slot].pair != kNoPair && table_[slot].pair != pair)
    slot = (slot + 1) & (table_.size() - 1);
  return slot;
}

const BytePairs::Entry* BytePairs::find(std::int32_t left, std::int32_t right) const {
  const Entry& entry = table_[slot_of(pair_of(left, right))];
  return entry.pair == kNoPair ? nullptr : &entry;
}

void BytePairs::encode(std::string_view word, std::vector<WordPiece>& pieces) const {
  const auto size = static_cast<std::uint32_t>(word.size());
  std::vector<Symbol> symbols(size);
  for (std::uint32_t i = 0; i < size; ++i)
    symbols[i] = {bytes_[static_cast<unsigned char>(word[i])], i == 0 ? kEnd : i - 1,
                  i + 1 == size ? kEnd : i + 1};
  std::vector<Candidate> room;
  room.reserve(size);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates(
      {}, std::move(room));
  const auto consider = [&](std::uint32_t place) {
    const Symbol& symbol = symbols[place];
    if (symbol.next == kEnd) return;
    const std::int32_t right = symbols[symbol.next].id;
    if (const Entry* entry = find(symbol.id, right))
      candidates.push({entry->rank, place, symbol.id, right, entry->merged});
  };
  for (std::uint32_t i = 0; i + 1 < size; ++i) consider(i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.place];
    if (left.id != best.left || left.next == kEnd || symbols[left.next].id != best.right) continue;
    Symbol& right = symbols[left.next];
    left.id = best.merged;
    right.id = kGone;
    left.next = right.next;
    if (left.next != kEnd) symbols[left.next].previous = best.place;
    if (left.previous != kEnd) consider(left.previous);
    consider(best.place);
  }
  for (std::uint32_t i = 0; i < size; i = symbols[i].next) {
    const std::size_t end = symbols[i].next == kEnd ? size : symbols[i].next;
    pieces.push_back({symbols[i].id, end});
  }
}

}  // namespace vllama::text
