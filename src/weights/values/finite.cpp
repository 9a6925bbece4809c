#include "weights/values/finite.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace vllama::weights {
namespace {

// Such numbers, and no others, have an exponent of ones only. The sums of a block are as wide as
// its words, so that the compiler makes vector instructions of the inner loop.
template <class Word>
std::int64_t count_words(std::span<const std::byte> bytes, Word exponent) {
  constexpr std::size_t kBlockWords = 4096;
  std::int64_t count = 0;
  for (std::size_t begin = 0; begin < bytes.size(); begin += kBlockWords * sizeof(Word)) {
    const std::byte* block = bytes.data() + begin;
    const std::size_t num_words = std::min(kBlockWords, (bytes.size() - begin) / sizeof(Word));
    Word found = 0;
    for (std::size_t i = 0; i < num_words; ++i) {
      Word word;
      std::memcpy(&word, block + i * sizeof(Word), sizeof(Word));
      found = static_cast<Word>(found + ((word & exponent) == exponent ? 1 : 0));
    }
    count += static_cast<std::int64_t>(found);
  }
  return count;
}

}  // namespace

std::int64_t count_not_finite(const TensorView& view) {
  VLLAMA_ASSERT(view.is_contiguous(), "the values lie without gaps");
  const auto bytes = view.bytes.first(static_cast<std::size_t>(view.num_bytes()));
  switch (view.type) {
    case ElementType::float64:
      return count_words<std::uint64_t>(bytes, 0x7FF0000000000000);
    case ElementType::float32:
      return count_words<std::uint32_t>(bytes, 0x7F800000);
    case ElementType::float16:
      return count_words<std::uint16_t>(bytes, 0x7C00);
    case ElementType::bfloat16:
      return count_words<std::uint16_t>(bytes, 0x7F80);
    default:
      return 0;
  }
}

}  // namespace vllama::weights
