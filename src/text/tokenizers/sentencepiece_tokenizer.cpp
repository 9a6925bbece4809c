#include "text/tokenizers/sentencepiece_tokenizer.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "text/tokenizers/end_tokens.h"
#include "text/tokenizers/model_file.h"
#include "text/tokenizers/sentencepiece_json.h"
#include "text/tokenizers/unicode.h"

namespace vllama::text {
namespace {

void check(const sentencepiece::util::Status& status, const std::string& file) {
  if (!status.ok())
    throw UserError(fmt::format("SentencePiece cannot use '{}': {}", file, status.ToString()));
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& model_file)
    : file_(model_file.string()) {
  const auto mapped = MappedFile::open(model_file);
  file_hash_ = fmt::format("{:016x}", fnv1a(mapped->text()));
  open(mapped->text());
}

SentencePieceTokenizer::SentencePieceTokenizer(const TokenizerJson& file,
                                               const std::filesystem::path& folder)
    : file_(file.file), file_hash_(file.hash) {
  const SentencePieceModel model = sentencepiece_model(file, DummyPrefix::as_the_file_says);
  open(model.bytes);
  has_prefix_at_beginning_only_ = model.has_prefix_at_beginning_only;
  has_none_before_spaces_ = model.has_none_before_spaces;
  if (has_prefix_at_beginning_only_ || has_none_before_spaces_) {
    without_prefix_ = std::make_unique<Processor>();
    check(without_prefix_->LoadFromSerializedProto(
              sentencepiece_model(file, DummyPrefix::none).bytes),
          file_);
  }
  if (const auto named = end_ids(folder, size_); !named.empty()) ends_ = named;
}

void SentencePieceTokenizer::open(std::string_view model) {
  check_model_file(model, file_);
  processor_ = std::make_unique<Processor>();
  check(processor_->LoadFromSerializedProto(model), file_);
  size_ = processor_->GetPieceSize();
  unknown_ = processor_->unk_id();
  bos_ = processor_->bos_id();
  ends_ = {processor_->eos_id()};
  if (unknown_ < 0 || bos_ < 0 || ends_.front() < 0)
    throw UserError(fmt::format("'{}' lacks one of the pieces for unknown, begin and end", file_));
  for (int id = 0; id < static_cast<int>(size_); ++id)
    if (processor_->IsUnknown(id) || processor_->IsControl(id))
      specials_.push_back({processor_->IdToPiece(id), id, false});
  specials_.push_back({std::string(kImagePlaceholder), image_token(), true});
  specials_.push_back({std::string(kAudioPlaceholder), audio_token(), true});
}

SentencePieceTokenizer::~SentencePieceTokenizer() = default;

const SentencePieceTokenizer::Special* SentencePieceTokenizer::special_at(
    const PromptText& text, std::size_t position) const {
  const std::string_view rest = std::string_view(text.text()).substr(position);
  const Special* longest = nullptr;
  for (const Special& special : specials_)
    if (rest.starts_with(special.text) &&
        !text.has_users_text(position, position + special.text.size()) &&
        (longest == nullptr || special.text.size() > longest->text.size()))
      longest = &special;
  return longest;
}

std::vector<Token> SentencePieceTokenizer::encode_with_spans(const PromptText& marked) const {
  const std::string_view text = marked.text();
  std::vector<Token> tokens;
  std::size_t segment = 0;
  bool strips_left = false;  // the segment follows a placeholder
  const auto flush = [&](std::size_t end, bool strips_right) {
    std::string_view rest = text.substr(segment, end - segment);
    if (strips_left) rest = strip_left(rest);
    const std::size_t begin = end - rest.size();
    if (strips_right) rest = strip_right(rest);
    append_segment(rest, begin, tokens);
  };
  for (std::size_t position = 0; position < text.size();) {
    const Special* special = special_at(marked, position);
    if (special == nullptr) {
      ++position;
      continue;
    }
    flush(position, special->strips_spaces);
    segment = position + special->text.size();
    tokens.push_back({special->id, position, segment});
    strips_left = special->strips_spaces;
    position = segment;
  }
  flush(text.size(), false);
  return tokens;
}

void SentencePieceTokenizer::append_segment(std::string_view segment, std::size_t offset,
                                            std::vector<Token>& tokens) const {
  if (segment.empty()) return;
  sentencepiece::ImmutableSentencePieceText encoded;
  const bool begins_with_space = segment.starts_with(' ') || segment.starts_with("\u2581");
  const bool has_no_prefix = (has_prefix_at_beginning_only_ && offset > 0) ||
                             (has_none_before_spaces_ && begins_with_space);
  const Processor& processor = has_no_prefix ? *without_prefix_ : *processor_;
  check(processor.Encode(segment, encoded.mutable_proto()), file_);
  for (const auto& piece : encoded.pieces())
    tokens.push_back({piece.id(), offset + piece.begin(), offset + piece.end()});
}

std::string SentencePieceTokenizer::decode(std::span<const std::int64_t> ids) const {
  const auto is_placeholder = [&](std::int64_t id) {
    return id == image_token() || id == audio_token();
  };
  std::string text;
  bool first = true;
  const auto append = [&](std::string_view part) {
    if (!first) text += ' ';
    text += part;
    first = false;
  };
  for (std::size_t begin = 0; begin < ids.size();) {
    const std::size_t end = static_cast<std::size_t>(
        std::find_if(ids.begin() + begin, ids.end(), is_placeholder) - ids.begin());
    if (end > begin) append(decode_stretch(ids.subspan(begin, end - begin)));
    if (end < ids.size()) append(ids[end] == image_token() ? kImagePlaceholder : kAudioPlaceholder);
    begin = end + 1;
  }
  return text;
}

// A stretch without placeholders: special tokens stand for themselves, and a space comes
// before the text that precedes one of them (but not between two of them, nor at the beginning).
std::string SentencePieceTokenizer::decode_stretch(std::span<const std::int64_t> ids) const {
  const auto is_special = [&](std::int64_t id) {
    return std::ranges::find(specials_, id, &Special::id) != specials_.end();
  };
  std::string text;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!is_special(ids[i])) continue;
    if (i > begin) text += ' ' + decode_pieces(ids.subspan(begin, i - begin));
    text += processor_->IdToPiece(static_cast<int>(ids[i]));
    begin = i + 1;
  }
  return text + decode_pieces(ids.subspan(begin));
}

std::string SentencePieceTokenizer::decode_pieces(std::span<const std::int64_t> ids) const {
  std::vector<std::string> pieces;
  for (const std::int64_t id : ids)
    pieces.push_back(id >= 0 && id < size_ ? processor_->IdToPiece(static_cast<int>(id))
                                           : std::string(kReplacementCharacter));
  std::string text;
  check(processor_->Decode(pieces, &text), file_);
  return text;
}

}  // namespace vllama::text
