#include "text/tokenizers/sentencepiece_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "text/tokenizers/json_parts.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kSpaceMark = "\u2581";
constexpr const char* kNamesOfSpecials[] = {"<unk>", "<s>", "</s>"};

// Where a text, or a stretch of one behind a special token, gets a dummy prefix.
enum class Prefix { always, beginning, never };

// Field numbers and values of sentencepiece_model.proto.
enum PieceType : std::uint64_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kByte = 6
};
enum ModelField : std::uint64_t { kPieceField = 1, kTrainerField = 2, kNormalizerField = 3 };
enum TrainerField : std::uint64_t {
  kModelType = 3,
  kVocabularySize = 4,
  kByteFallback = 35,
  kUnknownId = 40,
  kBeginningId = 41,
  kEndId = 42,
  kUnknownPiece = 45,
  kBeginningPiece = 46,
  kEndPiece = 47
};
constexpr std::uint64_t kBpeModelType = 2;

// Writes a protobuf message.
class MessageWriter {
 public:
  void number(std::uint64_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
  }
  void real(std::uint64_t field, float value) {
    varint(field << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int byte = 0; byte < 4; ++byte) bytes_ += static_cast<char>(bits >> (8 * byte) & 0xff);
  }
  void text(std::uint64_t field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_ += value;
  }
  std::string take() && { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

bool replaces_spaces(const Json& part) {
  return type_of(part) == "Replace" && member(member(part, "pattern"), "String") == " " &&
         member(part, "content") == kSpaceMark;
}

// Of a pre-tokenizer or decoder "Metaspace", in the words of today's files and of older ones.
std::optional<Prefix> metaspace_prefix(const Json& part) {
  if (member(part, "replacement") != kSpaceMark) return std::nullopt;
  const Json& scheme = member(part, "prepend_scheme");
  if (scheme == "first") return Prefix::beginning;
  if (scheme == "always") return Prefix::always;
  if (scheme == "never") return Prefix::never;
  if (!scheme.is_null()) return std::nullopt;
  return flag(part, "add_prefix_space") ? Prefix::always : Prefix::never;
}

Prefix prefix_of(const TokenizerJson& file) {
  constexpr const char* kKnown =
      "\"\u2581\" in place of spaces, and once in front of a text, is; words may not be split";
  bool has_prefix = false, has_marks = false;
  for (const Json& part : parts_of(member(*file.rest, "normalizer"), "normalizers")) {
    if (type_of(part) == "Prepend" && member(part, "prepend") == kSpaceMark && !has_marks)
      has_prefix = true;
    else if (replaces_spaces(part))
      has_marks = true;
    else
      refuse(file, "normalizer", part, kKnown);
  }
  std::optional<Prefix> prefix;
  if (has_marks) prefix = has_prefix ? Prefix::always : Prefix::never;
  for (const Json& part : parts_of(member(*file.rest, "pre_tokenizer"), "pretokenizers")) {
    const auto found = metaspace_prefix(part);
    const Json& split = member(part, "split");
    if (type_of(part) != "Metaspace" || prefix || !found || split != false)
      refuse(file, "pre_tokenizer", part, kKnown);
    prefix = found;
  }
  if (!prefix) refuse(file, "normalizer", member(*file.rest, "normalizer"), kKnown);
  return *prefix;
}

// What stands for a byte: "<0x0A>".
bool is_byte_piece(std::string_view piece) {
  return piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>') &&
         piece.find_first_not_of("0123456789ABCDEF", 3) == 5;
}

void check_decoder(const TokenizerJson& file) {
  const std::set<std::string> known{"Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"};
  for (const Json& part : parts_of(member(*file.rest, "decoder"), "decoders"))
    if (!known.contains(type_of(part)))
      refuse(file, "decoder", part, "\"\u2581\" as a space, and bytes, are");
}

// The kinds of added tokens, by their text.
std::map<std::string, PieceType> added_types(const TokenizerJson& file) {
  std::map<std::string, PieceType> types;
  const Json& list = member(*file.rest, "added_tokens");
  if (!list.is_null() && !list.is_array()) refuse(file, "added_tokens", list, "a list is");
  for (const Json& entry : list) {
    const Json& content = member(entry, "content");
    if (!content.is_string() || content.get<std::string>().empty() ||
        !member(entry, "id").is_number_integer())
      refuse(file, "added_tokens", entry, "each needs an id and its content");
    types[content] = flag(entry, "special") ? kControl : kUserDefined;
  }
  return types;
}

// By id, those of added tokens included. Throws UserError for ids that are no complete numbering.
std::vector<std::string> pieces_by_id(const TokenizerJson& file) {
  std::vector<std::pair<std::string, std::int64_t>> entries = file.pieces;
  for (const Json& entry : member(*file.rest, "added_tokens"))
    entries.emplace_back(member(entry, "content"), member(entry, "id"));
  std::map<std::int64_t, std::string> by_id;
  for (const auto& [piece, id] : entries) {
    const auto [place, is_new] = by_id.emplace(id, piece);
    if (!is_new && place->second != piece)
      file.fail(fmt::format("token '{}' has the id {} of '{}'", piece, id, place->second));
  }
  std::vector<std::string> pieces;
  for (const auto& [id, piece] : by_id) {
    if (id != std::ssize(pieces))
      file.fail(fmt::format("no piece has the id {}, and '{}' has {}", pieces.size(), piece, id));
    pieces.push_back(piece);
  }
  return pieces;
}

// Of what merges make, minus the number of the first that makes it; what none makes comes behind.
std::map<std::string, float> scores_of(const TokenizerJson& file) {
  std::set<std::string_view> pieces;
  for (const auto& [piece, id] : file.pieces)
    if (!pieces.insert(piece).second) file.fail(fmt::format("piece '{}' comes twice", piece));
  std::map<std::string, float> scores;
  for (std::size_t i = 0; i < file.merges.size(); ++i) {
    const auto& [left, right] = file.merges[i];
    for (const std::string& part : {left, right, left + right})
      if (!pieces.contains(part))
        file.fail(fmt::format("merge {} is of '{}', which is no piece", i + 1, part));
    scores.emplace(left + right, -static_cast<float>(i));
  }
  return scores;
}

std::string trainer_of(const TokenizerJson& file, const std::vector<std::string>& pieces) {
  MessageWriter trainer;
  trainer.number(kModelType, kBpeModelType);
  trainer.number(kVocabularySize, pieces.size());
  trainer.number(kByteFallback, 1);
  constexpr std::uint64_t kIdFields[] = {kUnknownId, kBeginningId, kEndId};
  constexpr std::uint64_t kPieceFields[] = {kUnknownPiece, kBeginningPiece, kEndPiece};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto place = std::ranges::find(pieces, kNamesOfSpecials[i]);
    if (place == pieces.end())
      file.fail(fmt::format("no piece is '{}', which vocabularies of this kind have",
                            kNamesOfSpecials[i]));
    trainer.number(kIdFields[i], static_cast<std::uint64_t>(place - pieces.begin()));
    trainer.text(kPieceFields[i], kNamesOfSpecials[i]);
  }
  return std::move(trainer).take();
}

std::string normalizer_of(Prefix prefix) {
  MessageWriter normalizer;
  normalizer.text(1, "identity");
  normalizer.number(3, prefix != Prefix::never);  // add_dummy_prefix
  normalizer.number(4, 0);                        // remove_extra_whitespaces
  normalizer.number(5, 1);                        // escape_whitespaces
  return std::move(normalizer).take();
}

}  // namespace

bool is_sentencepiece_kind(const TokenizerJson& file) {
  return flag(member(*file.rest, "model"), "byte_fallback") &&
         std::ranges::any_of(file.pieces,
                             [](const auto& piece) { return piece.first == "<0x00>"; });
}

SentencePieceModel sentencepiece_model(const TokenizerJson& file, DummyPrefix wanted) {
  const Json& model = member(*file.rest, "model");
  if (type_of(model) != "BPE") refuse(file, "model.type", member(model, "type"), "BPE is");
  check_decoder(file);
  const Prefix prefix = prefix_of(file);
  const auto types = added_types(file);
  const auto scores = scores_of(file);
  const std::vector<std::string> pieces = pieces_by_id(file);
  const float worst = -static_cast<float>(file.merges.size());

  MessageWriter message;
  for (const std::string& text : pieces) {
    MessageWriter piece;
    const auto score = scores.find(text);
    const auto added = types.find(text);
    PieceType type = added != types.end() ? added->second : is_byte_piece(text) ? kByte : kNormal;
    if (text == kNamesOfSpecials[0]) type = kUnknown;
    piece.text(1, text);
    piece.real(2, type != kNormal ? 0 : score == scores.end() ? worst : score->second);
    piece.number(3, type);
    message.text(kPieceField, std::move(piece).take());
  }
  message.text(kTrainerField, trainer_of(file, pieces));
  message.text(kNormalizerField,
               normalizer_of(wanted == DummyPrefix::none ? Prefix::never : prefix));
  return {.bytes = std::move(message).take(),
          .has_prefix_at_beginning_only = prefix == Prefix::beginning,
          // The pre-tokenizer puts a mark where there is none; the normalizer always does.
          .has_none_before_spaces = !member(*file.rest, "pre_tokenizer").is_null()};
}

}  // namespace vllama::text
