#include "text/tokenizers/byte_level_tokenizer.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/json_depth.h"
#include "core/utf8.h"
#include "text/tokenizers/byte_alphabet.h"
#include "text/tokenizers/tokenizer_json.h"
#include "text/tokenizers/unicode.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";
// Far above any vocabulary; a number beyond it is a mistake, and would take memory.
constexpr std::int64_t kMostTokens = 4'000'000;

// The member of an object; null where there is none.
const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string type_of(const Json& part) {
  const Json& type = member(part, "type");
  return type.is_string() ? type.get<std::string>() : std::string();
}

bool flag(const Json& part, const char* key) {
  const Json& value = member(part, key);
  return value.is_boolean() && value.get<bool>();
}

// The parts of a "Sequence", or the part alone; none of null.
std::vector<Json> parts_of(const Json& part, const char* list) {
  if (part.is_null()) return {};
  if (type_of(part) != "Sequence") return {part};
  const Json& parts = member(part, list);
  return parts.is_array() ? parts.get<std::vector<Json>>() : std::vector<Json>{};
}

bool is_empty_text(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

std::string shown(const Json& value) {
  constexpr std::size_t kMostShown = 200;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
  return text;
}

[[noreturn]] void refuse(const TokenizerJson& file, const std::string& where, const Json& value,
                         const std::string& known) {
  file.fail(fmt::format("'{}' is {}, which is not known here: {}", where, shown(value), known));
}

bool is_nfc(const TokenizerJson& file) {
  const Json& normalizer = member(*file.rest, "normalizer");
  bool found = false;
  for (const Json& part : parts_of(normalizer, "normalizers")) {
    if (type_of(part) != "NFC")
      refuse(file, "normalizer", part, "a byte-level vocabulary has none, or NFC");
    found = true;
  }
  return found;
}

WordRules word_rules(const TokenizerJson& file) {
  constexpr const char* kKnown =
      "the word patterns of GPT-2, Llama 3 and Qwen 2 are, and Digits in front of them";
  WordRules rules;
  bool has_pattern = false, is_byte_level = false;
  for (const Json& part : parts_of(member(*file.rest, "pre_tokenizer"), "pretokenizers")) {
    const std::string type = type_of(part);
    const bool is_first = !has_pattern && !is_byte_level;
    if (type == "Digits" && is_first && flag(part, "individual_digits")) {
      rules.splits_digits = true;
    } else if (type == "Split" && is_first) {
      const Json& expression = member(member(part, "pattern"), "Regex");
      const auto pattern =
          expression.is_string() ? word_pattern(expression.get<std::string>()) : std::nullopt;
      if (!pattern || member(part, "behavior") != "Isolated" || flag(part, "invert"))
        refuse(file, "pre_tokenizer", part, kKnown);
      rules.pattern = *pattern;
      has_pattern = true;
    } else if (type == "ByteLevel" && !is_byte_level && !flag(part, "add_prefix_space")) {
      const Json& use_regex = member(part, "use_regex");
      const bool uses_regex = !use_regex.is_boolean() || use_regex.get<bool>();
      if (uses_regex == has_pattern) refuse(file, "pre_tokenizer", part, kKnown);
      is_byte_level = true;
    } else {
      refuse(file, "pre_tokenizer", part, kKnown);
    }
  }
  if (!is_byte_level) refuse(file, "pre_tokenizer", member(*file.rest, "pre_tokenizer"), kKnown);
  return rules;
}

// Bytes by their characters. Converted files have steps in front of it for vocabularies of another
// kind, which find nothing to do in this one.
void check_decoder(const TokenizerJson& file) {
  const auto is_idle = [](const Json& part) {
    const Json& replaced = member(member(part, "pattern"), "String");
    return type_of(part) == "ByteFallback" || type_of(part) == "Fuse" ||
           (type_of(part) == "Replace" && replaced.is_string() &&
            !bytes_of_piece(replaced.get<std::string>()));
  };
  for (const Json& part : parts_of(member(*file.rest, "decoder"), "decoders"))
    if (type_of(part) != "ByteLevel" && !is_idle(part))
      refuse(file, "decoder", part, "ByteLevel is");
}

// What a template of the file puts in front of a text.
std::optional<std::string> beginning_of(const TokenizerJson& file) {
  std::optional<std::string> beginning;
  for (const Json& part : parts_of(member(*file.rest, "post_processor"), "processors")) {
    const std::string type = type_of(part);
    if (type == "ByteLevel") continue;
    constexpr const char* kKnown = "ByteLevel is, and a template of one token in front of a text";
    if (type != "TemplateProcessing") refuse(file, "post_processor", part, kKnown);
    const Json& single = member(part, "single");
    if (!single.is_array()) refuse(file, "post_processor", part, kKnown);
    bool is_behind_text = false;
    for (const Json& piece : single) {
      const Json& token = member(member(piece, "SpecialToken"), "id");
      if (!member(piece, "Sequence").is_null()) {
        is_behind_text = true;
      } else if (token.is_string() && !is_behind_text && !beginning) {
        beginning = token.get<std::string>();
      } else {
        refuse(file, "post_processor", piece, kKnown);
      }
    }
  }
  return beginning;
}

// The pieces by their text. A table of its own, since hundreds of thousands of them are looked up
// before the first word is read.
class PieceIds {
 public:
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

// A JSON file beside the vocabulary; null if there is none.
Json file_beside(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  const std::string text = read_file(path);
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("'{}' is nested too deep", path.string()));
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw UserError(fmt::format("'{}' is not a JSON object", path.string()));
  return value;
}

std::vector<std::int64_t> ids_in(const Json& value) {
  std::vector<std::int64_t> ids;
  const auto add = [&ids](const Json& id) {
    if (id.is_number_integer()) ids.push_back(id.get<std::int64_t>());
  };
  if (value.is_array())
    for (const Json& id : value) add(id);
  else
    add(value);
  return ids;
}

// A text, or an object with the text as "content", as tokenizer_config.json has both.
std::optional<std::string> token_text(const Json& value) {
  const Json& content = value.is_object() ? member(value, "content") : value;
  return content.is_string() ? std::optional(content.get<std::string>()) : std::nullopt;
}

// The same text with U+FFFD for what is not UTF-8, and where each of its bytes stands in the
// original. A text that is UTF-8 is neither copied nor mapped.
struct ReadableText {
  std::string text;
  std::vector<std::size_t> places;  // of each byte, and of the end
};

ReadableText readable_text(std::string_view text) {
  ReadableText result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    const std::string_view character = length > 0 ? text.substr(at, length) : kReplacementCharacter;
    for (std::size_t i = 0; i < character.size(); ++i)
      result.places.push_back(length > 0 ? at + i : at);
    result.text += character;
    at += std::max<std::size_t>(length, 1);
  }
  result.places.push_back(text.size());
  return result;
}

// The beginning of the character that a place lies in.
std::size_t character_begin(std::string_view text, std::size_t place) {
  while (place > 0 && place < text.size() &&
         (static_cast<unsigned char>(text[place]) & 0xC0) == 0x80)
    --place;
  return place;
}

// Of Unicode 9, whose tables the library `tokenizers` has: characters that came later are as they
// are, and so are two that got their class later.
const icu::Normalizer2& nfc() {
  static const auto normalizer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* newest = icu::Normalizer2::getNFCInstance(status);
    static const icu::UnicodeSet known(u"[[:age=9.0:]-[\\u0EBA\\u1715]]", status);
    if (U_FAILURE(status)) throw InternalError(fmt::format("ICU: {}", u_errorName(status)));
    return std::make_unique<icu::FilteredNormalizer2>(*newest, known);
  }();
  return *normalizer;
}

icu::StringPiece piece_of(std::string_view text) {
  VLLAMA_ASSERT(text.size() <= std::numeric_limits<std::int32_t>::max(), "a text of over 2 GB");
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

bool is_in_nfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  return nfc().isNormalizedUTF8(piece_of(text), status) && U_SUCCESS(status);
}

// In NFC, with the place in `text` of each of its bytes, and of the end.
ReadableText composed(std::string_view text) {
  ReadableText result;
  icu::StringByteSink<std::string> sink(&result.text);
  icu::Edits edits;
  UErrorCode status = U_ZERO_ERROR;
  nfc().normalizeUTF8(0, piece_of(text), sink, &edits, status);
  if (U_FAILURE(status)) throw InternalError(fmt::format("ICU: {}", u_errorName(status)));
  auto changes = edits.getFineIterator();
  for (std::size_t i = 0; i <= result.text.size(); ++i)
    result.places.push_back(static_cast<std::size_t>(
        changes.sourceIndexFromDestinationIndex(static_cast<std::int32_t>(i), status)));
  return result;
}

std::vector<PieceMerge> merges_of(const TokenizerJson& file, const PieceIds& ids) {
  std::vector<PieceMerge> merges;
  merges.reserve(file.merges.size());
  const auto id_of = [&](std::string_view piece) {
    const auto id = ids.find(piece);
    if (!id)
      file.fail(fmt::format("merge {} is of '{}', which is no piece", merges.size() + 1, piece));
    return *id;
  };
  std::string merged;
  for (const auto& [left, right] : file.merges) {
    if (left.empty() || right.empty())
      file.fail(fmt::format("merge {} has an empty piece", merges.size() + 1));
    merged.assign(left).append(right);
    merges.push_back({id_of(left), id_of(right), id_of(merged)});
  }
  return merges;
}

}  // namespace

ByteLevelTokenizer::ByteLevelTokenizer(const std::filesystem::path& tokenizer_json) {
  const TokenizerJson file = read_tokenizer_json(tokenizer_json);
  file_hash_ = file.hash;
  is_normalised_ = is_nfc(file);
  rules_ = word_rules(file);
  check_decoder(file);
  read_model(file);
  read_added_tokens(file);
  if (const auto beginning = beginning_of(file)) {
    bos_ = id_of(*beginning);
    if (!bos_) file.fail(fmt::format("'post_processor' names '{}', which is no token", *beginning));
  }
  read_ends(file, tokenizer_json.parent_path());
}

void ByteLevelTokenizer::read_model(const TokenizerJson& file) {
  const Json& model = member(*file.rest, "model");
  if (type_of(model) != "BPE") refuse(file, "model.type", member(model, "type"), "BPE is");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const Json& value = member(model, key); !value.is_null() && !is_empty_text(value))
      refuse(file, fmt::format("model.{}", key), value, "a byte-level vocabulary has none");
  if (const Json& dropout = member(model, "dropout"); !dropout.is_null() && dropout != 0)
    refuse(file, "model.dropout", dropout, "pieces are always made in the same way");
  takes_whole_words_ = flag(model, "ignore_merges");
  if (file.pieces.empty()) file.fail("its model has no pieces");

  const PieceIds ids(file);
  texts_.reserve(file.pieces.size());
  for (const auto& [piece, id] : file.pieces) {
    if (id < 0 || id >= kMostTokens) file.fail(fmt::format("piece '{}' has the id {}", piece, id));
    if (static_cast<std::size_t>(id) >= texts_.size())
      texts_.resize(static_cast<std::size_t>(id) + 1);
    std::string& text = texts_[static_cast<std::size_t>(id)];
    if (!text.empty()) file.fail(fmt::format("two pieces have the id {}; one is '{}'", id, piece));
    auto bytes = bytes_of_piece(piece);
    if (takes_whole_words_ && bytes) ids_.emplace(*bytes, static_cast<std::int32_t>(id));
    text = piece;  // an added token may stand among the pieces
    if (bytes) text = std::move(*bytes);
  }
  const Json& unknown = member(model, "unk_token");
  if (const auto id = ids.find(unknown.is_string() ? unknown.get<std::string>() : ""))
    unknown_ = *id;
  joins_unknown_ = flag(model, "fuse_unk");
  if (flag(model, "byte_fallback") && ids.find("<0x00>"))
    refuse(file, "model.byte_fallback", true,
           "a byte-level vocabulary has no other pieces of bytes");
  std::array<std::int32_t, 256> bytes{};
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
    const auto id = ids.find(byte_characters()[byte]);
    bytes[byte] = id.value_or(kUnknownPiece);
    if (!id && (!unknown_ || byte == 'a'))
      file.fail(
          fmt::format("no piece stands for the byte {:#04x} ('{}'): it is no byte-level "
                      "vocabulary",
                      byte, byte_characters()[byte]));
  }
  pairs_.emplace(bytes, merges_of(file, ids));
}

void ByteLevelTokenizer::read_added_tokens(const TokenizerJson& file) {
  const Json& list = member(*file.rest, "added_tokens");
  if (!list.is_null() && !list.is_array()) refuse(file, "added_tokens", list, "a list is");
  for (const Json& entry : list) {
    const Json& content = member(entry, "content");
    const Json& id = member(entry, "id");
    if (!content.is_string() || content.get<std::string>().empty() || !id.is_number_integer())
      refuse(file, "added_tokens", entry, "each needs an id and its content");
    AddedToken token{.text = content,
                     .id = id,
                     .is_special = flag(entry, "special"),
                     .strips_left = flag(entry, "lstrip"),
                     .strips_right = flag(entry, "rstrip")};
    if (flag(entry, "single_word"))
      refuse(file, "added_tokens", entry, "tokens that are whole words alone are not");
    if (token.id < 0 || token.id >= kMostTokens)
      file.fail(fmt::format("token '{}' has the id {}", token.text, token.id));
    if (static_cast<std::size_t>(token.id) >= texts_.size())
      texts_.resize(static_cast<std::size_t>(token.id) + 1);
    std::string& text = texts_[static_cast<std::size_t>(token.id)];
    if (!text.empty() && text != token.text && bytes_of_piece(token.text) != text)
      file.fail(fmt::format("token '{}' has the id {} of '{}'", token.text, token.id, text));
    text = token.text;
    if (!added_ids_.emplace(token.text, token.id).second)
      file.fail(fmt::format("token '{}' comes twice", token.text));
    added_[static_cast<unsigned char>(token.text[0])].push_back(std::move(token));
  }
  const auto add_placeholder = [this](std::string_view text, std::int64_t id) {
    added_[static_cast<unsigned char>(text[0])].push_back(
        {.text = std::string(text), .id = id, .is_special = true});
  };
  add_placeholder(kImagePlaceholder, image_token());
  add_placeholder(kAudioPlaceholder, audio_token());
  for (auto& tokens : added_)
    std::ranges::stable_sort(tokens, std::greater<>(),
                             [](const AddedToken& token) { return token.text.size(); });
}

std::optional<std::int64_t> ByteLevelTokenizer::id_of(const std::string& token) const {
  if (const auto found = added_ids_.find(token); found != added_ids_.end()) return found->second;
  const auto found = std::ranges::find(texts_, token);
  if (found == texts_.end()) return std::nullopt;
  return found - texts_.begin();
}

void ByteLevelTokenizer::read_ends(const TokenizerJson& file, const std::filesystem::path& folder) {
  const auto add = [this](std::int64_t id) {
    if (id >= 0 && id < size() && std::ranges::find(ends_, id) == ends_.end()) ends_.push_back(id);
  };
  // The first of them that says it, as generation with transformers has it.
  for (const char* name : {"generation_config.json", "config.json"})
    if (ends_.empty())
      for (const std::int64_t id : ids_in(member(file_beside(folder / name), "eos_token_id")))
        add(id);
  if (const auto end =
          token_text(member(file_beside(folder / "tokenizer_config.json"), "eos_token"));
      end && ends_.empty())
    if (const auto id = id_of(*end)) add(*id);
  if (ends_.empty())
    file.fail(
        "no file beside it says which token ends an answer: eos_token in tokenizer_config.json, or "
        "eos_token_id in generation_config.json");
}

const AddedToken* ByteLevelTokenizer::added_at(const PromptText& text, std::size_t position) const {
  const std::string_view rest = std::string_view(text.text()).substr(position);
  for (const AddedToken& token : added_[static_cast<unsigned char>(rest[0])])
    if (rest.starts_with(token.text) &&
        !(token.is_special && text.has_users_text(position, position + token.text.size())))
      return &token;
  return nullptr;
}

std::vector<Token> ByteLevelTokenizer::encode_with_spans(const PromptText& marked) const {
  const std::string_view text = marked.text();
  std::vector<Token> tokens;
  std::size_t begin = 0;  // of what is not taken yet
  for (std::size_t position = 0; position < text.size();) {
    const AddedToken* added = added_at(marked, position);
    if (added == nullptr) {
      ++position;
      continue;
    }
    std::string_view plain = text.substr(begin, position - begin);
    if (added->strips_left) plain = strip_right(plain);
    append_plain(plain, begin, tokens);
    begin = position + added->text.size();
    tokens.push_back({added->id, position, begin});
    if (added->strips_right) begin = text.size() - strip_left(text.substr(begin)).size();
    position = begin;
  }
  append_plain(text.substr(begin), begin, tokens);
  return tokens;
}

void ByteLevelTokenizer::append_plain(std::string_view text, std::size_t offset,
                                      std::vector<Token>& tokens) const {
  if (text.empty()) return;
  std::string_view read = text;
  ReadableText utf8, normal;
  if (!is_utf8(read)) {
    utf8 = readable_text(read);
    read = utf8.text;
  }
  if (is_normalised_ && !is_in_nfc(read)) {
    normal = composed(read);
    read = normal.text;
  }
  const auto place_of = [&](std::size_t place) {
    place = character_begin(read, place);
    if (!normal.places.empty()) place = normal.places[place];
    if (!utf8.places.empty()) place = utf8.places[place];
    return offset + place;
  };
  std::vector<WordPiece> pieces;
  append_words(read, pieces);
  std::size_t begin = offset;
  for (const WordPiece& piece : pieces) {
    const std::size_t end = place_of(piece.end);
    tokens.push_back({piece.id == kUnknownPiece ? *unknown_ : piece.id, begin, end});
    begin = end;
  }
}

void ByteLevelTokenizer::append_words(std::string_view text, std::vector<WordPiece>& pieces) const {
  split_words(text, rules_, [&](std::string_view word) {
    const auto offset = static_cast<std::size_t>(word.data() - text.data());
    if (takes_whole_words_)
      if (const auto whole = ids_.find(std::string(word)); whole != ids_.end()) {
        pieces.push_back({whole->second, offset + word.size()});
        return;
      }
    append_pieces(word, offset, pieces);
  });
}

void ByteLevelTokenizer::append_pieces(std::string_view word, std::size_t offset,
                                       std::vector<WordPiece>& pieces) const {
  const std::size_t first = pieces.size();
  pairs_->encode(word, pieces);
  std::size_t end = first;
  for (std::size_t i = first; i < pieces.size(); ++i) {
    const bool is_joined = joins_unknown_ && i > first && pieces[i].id == kUnknownPiece &&
                           pieces[end - 1].id == kUnknownPiece;
    if (!is_joined) ++end;
    pieces[end - 1] = {pieces[i].id, pieces[i].end + offset};
  }
  pieces.resize(end);
}

std::string ByteLevelTokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string bytes;
  for (const std::int64_t id : ids) {
    if (id == image_token()) {
      bytes += kImagePlaceholder;
    } else if (id == audio_token()) {
      bytes += kAudioPlaceholder;
    } else if (id < 0 || id >= size() || texts_[static_cast<std::size_t>(id)].empty()) {
      bytes += kReplacementCharacter;
    } else {
      bytes += texts_[static_cast<std::size_t>(id)];
    }
  }
  if (is_utf8(bytes)) return bytes;
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    UChar32 character;
    U8_NEXT_OR_FFFD(bytes.data(), at, bytes.size(), character);
    append_utf8(text, static_cast<std::uint32_t>(character));
  }
  return text;
}

}  // namespace vllama::text
