#include "inference/generate/answer_text.h"

#include <algorithm>

#include "core/error.h"
#include "core/utf8.h"
#include "text/tokenizers/unicode.h"

namespace vllama::inference {
namespace {

// Of a character's at most four bytes, all but the last may have come.
constexpr int kMostOpenBytes = 3;

std::string_view without_open_character(std::string_view text) {
  for (int i = 0; i < kMostOpenBytes && text.ends_with(kReplacementCharacter); ++i)
    text.remove_suffix(kReplacementCharacter.size());
  return text;
}

// Without the longest end that one of the texts begins with.
std::string_view without_open_stop(std::string_view text, const std::vector<std::string>& stops) {
  std::size_t longest = 0;
  for (const std::string& stop : stops)
    for (std::size_t length = std::min(stop.size(), text.size()); length > longest; --length)
      if (text.ends_with(std::string_view(stop).substr(0, length))) longest = length;
  return text.substr(0, text.size() - longest);
}

bool ends_with(std::span<const std::int64_t> ids, std::span<const std::int64_t> sequence) {
  return ids.size() >= sequence.size() && std::ranges::equal(ids.last(sequence.size()), sequence);
}

}  // namespace

StopRules stop_rules(const text::Tokenizer& tokenizer, const text::PromptLayout& layout) {
  return {text::stop_sequences(tokenizer, layout), {std::string(layout.stop_text)}};
}

std::string_view name_of(AnswerEnd end) {
  switch (end) {
    case AnswerEnd::none:
      return "none";
    case AnswerEnd::end_token:
      return "end_token";
    case AnswerEnd::stop_text:
      return "stop_text";
    case AnswerEnd::length:
      return "length";
    case AnswerEnd::cancelled:
      return "cancelled";
  }
  throw InternalError("unknown AnswerEnd");
}

std::string AnswerText::decoded(std::size_t num_ids) const {
  if (tokenizer_ == nullptr) return {};
  return tokenizer_->decode(text::without_beginning(*tokenizer_, std::span(ids_).first(num_ids)));
}

AnswerEnd AnswerText::push(std::int64_t id) {
  ids_.push_back(id);
  for (const auto& sequence : rules_->sequences)
    if (ends_with(ids_, sequence)) num_stop_ids_ = std::max(num_stop_ids_, sequence.size());
  decoded_ = decoded(ids_.size() - num_stop_ids_);
  for (const std::string& stop : rules_->texts)
    stop_text_begin_ = std::min(stop_text_begin_, decoded_.find(stop));
  if (num_stop_ids_ == 1 && tokenizer_ != nullptr &&
      std::ranges::find(tokenizer_->ends(), id) != tokenizer_->ends().end())
    return AnswerEnd::end_token;
  const bool stops = num_stop_ids_ > 0 || stop_text_begin_ != std::string::npos;
  return stops ? AnswerEnd::stop_text : AnswerEnd::none;
}

std::vector<std::int64_t> AnswerText::answer_ids() const {
  std::size_t count = ids_.size() - num_stop_ids_;
  if (stop_text_begin_ != std::string::npos)
    while (count > 0 && decoded(count - 1).size() >= stop_text_begin_) --count;
  return {ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::string AnswerText::text() const {
  const std::string_view kept = std::string_view(decoded_).substr(0, stop_text_begin_);
  return std::string(text::strip_right(text::strip_left(kept)));
}

std::string AnswerText::take(bool is_whole) {
  std::string_view certain =
      text::strip_left(std::string_view(decoded_).substr(0, stop_text_begin_));
  if (!is_whole) certain = without_open_stop(without_open_character(certain), rules_->texts);
  certain = text::strip_right(certain);
  if (!certain.starts_with(taken_)) return {};
  const std::string fresh(certain.substr(taken_.size()));
  taken_ += fresh;
  return fresh;
}

}  // namespace vllama::inference
