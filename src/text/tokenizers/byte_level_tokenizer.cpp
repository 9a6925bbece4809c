#include "text/tokenizers/byte_level_tokenizer.h"

#include <fmt/format.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <functional>

#include "core/utf8.h"
#include "text/tokenizers/byte_alphabet.h"
#include "text/tokenizers/byte_level_rules.h"
#include "text/tokenizers/end_tokens.h"
#include "text/tokenizers/json_parts.h"
#include "text/tokenizers/piece_ids.h"
#include "text/tokenizers/read_text.h"
#include "text/tokenizers/unicode.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

// Far above any vocabulary; a number beyond it is a mistake, and would take memory.
constexpr std::int64_t kMostTokens = 4'000'000;

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

ByteLevelTokenizer::ByteLevelTokenizer(const TokenizerJson& file,
                                       const std::filesystem::path& folder) {
  file_hash_ = file.hash;
  const ByteLevelRules rules = byte_level_rules(file);
  is_normalised_ = rules.is_normalised;
  rules_ = rules.words;
  read_model(file);
  read_added_tokens(file);
  if (rules.beginning) {
    bos_ = id_of(*rules.beginning);
    if (!bos_)
      file.fail(fmt::format("'post_processor' names '{}', which is no token", *rules.beginning));
  }
  read_ends(file, folder);
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
    std::string& text = text_of(id);
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
    std::string& text = text_of(token.id);
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

std::string& ByteLevelTokenizer::text_of(std::int64_t id) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= texts_.size()) texts_.resize(index + 1);
  return texts_[index];
}

std::optional<std::int64_t> ByteLevelTokenizer::id_of(const std::string& token) const {
  if (const auto found = added_ids_.find(token); found != added_ids_.end()) return found->second;
  const auto found = std::ranges::find(texts_, token);
  if (found == texts_.end()) return std::nullopt;
  return found - texts_.begin();
}

void ByteLevelTokenizer::read_ends(const TokenizerJson& file, const std::filesystem::path& folder) {
  ends_ = end_ids(folder, size());
  if (ends_.empty())
    if (const auto end = end_text(folder))
      if (const auto id = id_of(*end)) ends_.push_back(*id);
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
  const ReadText read(text, is_normalised_);
  std::vector<WordPiece> pieces;
  append_words(read.text(), pieces);
  std::size_t begin = offset;
  for (const WordPiece& piece : pieces) {
    const std::size_t end = offset + read.place_of(piece.end);
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
