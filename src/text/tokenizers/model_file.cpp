#include "text/tokenizers/model_file.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

#include "core/error.h"

namespace vllama::text {
namespace {

// Far above any real tokenizer (LLaMA: 0.5 MB and 32,000 pieces), far below what could hurt.
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxPieces = std::size_t{1} << 20;

enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint64_t number, wire_type;
  std::uint64_t value = 0;  // of a varint or a fixed number
  std::string_view bytes;   // of a string or a message inside
};

// Reads the fields of one protobuf message in turn.
class MessageReader {
 public:
  MessageReader(std::string_view message, const std::string& file) : rest_(message), file_(file) {}

  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field{.number = tag >> 3, .wire_type = tag & 7, .bytes = {}};
    switch (field.wire_type) {
      case kVarint:
        field.value = varint();
        break;
      case kFixed64:
        field.value = fixed(8);
        break;
      case kFixed32:
        field.value = fixed(4);
        break;
      case kBytes:
        field.bytes = take(varint());
        break;
      default:
        fail("an unknown wire type");
    }
    if (field.number == 0) fail("field number 0");
    return field;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw UserError(
        fmt::format("'{}' is not a SentencePiece model or is damaged: {}", file_, what));
  }
  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) fail("it ends too early");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t fixed(std::size_t num_bytes) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(num_bytes);
    for (std::size_t i = 0; i < num_bytes; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number that is too long");
  }

  std::string_view rest_;
  const std::string& file_;
};

// Field numbers of sentencepiece_model.proto.
namespace model_field {
enum : std::uint64_t { kPieces = 1, kTrainer = 2, kNormalizer = 3, kDenormalizer = 5 };
}
namespace piece_field {
enum : std::uint64_t { kText = 1, kScore = 2 };
}
constexpr std::uint64_t kTrainerModelType = 3;
constexpr std::uint64_t kNormalizerCharacterMap = 2;
constexpr std::uint64_t kBytePairEncoding = 2;  // a model type

void check_piece(std::string_view piece, std::size_t index, const std::string& file) {
  bool has_text = false;
  MessageReader reader(piece, file);
  while (const auto field = reader.next()) {
    if (field->number == piece_field::kText) has_text = !field->bytes.empty();
    if (field->number == piece_field::kScore && field->wire_type == kFixed32 &&
        !std::isfinite(std::bit_cast<float>(static_cast<std::uint32_t>(field->value))))
      throw UserError(
          fmt::format("'{}' is damaged: the score of piece {} is not finite", file, index));
  }
  if (!has_text) throw UserError(fmt::format("'{}' is damaged: piece {} is empty", file, index));
}

std::uint64_t model_type(std::string_view trainer, const std::string& file) {
  std::uint64_t type = 1;  // unigram, the default of the format
  MessageReader reader(trainer, file);
  while (const auto field = reader.next())
    if (field->number == kTrainerModelType) type = field->value;
  return type;
}

void check_normalizer(std::string_view normalizer, const std::string& file) {
  MessageReader reader(normalizer, file);
  while (const auto field = reader.next())
    if (field->number == kNormalizerCharacterMap && !field->bytes.empty())
      throw UserError(fmt::format(
          "'{}' normalises text with a compiled character map; only tokenizers with the "
          "identity normaliser, as those of the LLaMA family, can be used",
          file));
}

}  // namespace

void check_model_file(std::string_view bytes, const std::string& file) {
  if (bytes.empty()) throw UserError(fmt::format("'{}' is empty", file));
  if (bytes.size() > kMaxFileBytes)
    throw UserError(
        fmt::format("'{}' has {} bytes: too large for a SentencePiece model", file, bytes.size()));
  std::size_t num_pieces = 0;
  std::optional<std::uint64_t> type;
  bool has_normalizer = false;
  MessageReader reader(bytes, file);
  while (const auto field = reader.next()) {
    if (field->wire_type != kBytes) continue;
    if (field->number == model_field::kPieces) check_piece(field->bytes, num_pieces++, file);
    if (field->number == model_field::kTrainer) type = model_type(field->bytes, file);
    if (field->number == model_field::kNormalizer || field->number == model_field::kDenormalizer)
      check_normalizer(field->bytes, file);
    has_normalizer |= field->number == model_field::kNormalizer;
  }
  if (num_pieces == 0 || num_pieces > kMaxPieces || !type || !has_normalizer)
    throw UserError(fmt::format("'{}' is not a complete SentencePiece model", file));
  if (*type != kBytePairEncoding)
    throw UserError(
        fmt::format("'{}' is a SentencePiece model of type {}; only type 2 (BPE), as in "
                    "the LLaMA family, can be used",
                    file, *type));
}

}  // namespace vllama::text
