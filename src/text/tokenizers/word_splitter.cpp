#include "text/tokenizers/word_splitter.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

namespace vllama::text {
namespace {

enum class Kind : unsigned char { letter, number, space, line_end, other, none };

Kind kind_in_unicode(UChar32 character) {
  if (character == '\r' || character == '\n') return Kind::line_end;
  const auto mask = U_GET_GC_MASK(character);
  if ((mask & U_GC_L_MASK) != 0) return Kind::letter;
  if ((mask & U_GC_N_MASK) != 0) return Kind::number;
  return u_isUWhiteSpace(character) ? Kind::space : Kind::other;
}

constexpr UChar32 kNumTabled = 0x10000;

Kind kind_of(UChar32 character) {
  static const auto table = [] {
    auto kinds = std::make_unique<std::array<Kind, kNumTabled>>();
    for (UChar32 c = 0; c < kNumTabled; ++c)
      (*kinds)[static_cast<std::size_t>(c)] = kind_in_unicode(c);
    return kinds;
  }();
  return character < kNumTabled ? (*table)[static_cast<std::size_t>(character)]
                                : kind_in_unicode(character);
}

bool is_space(Kind kind) {
  return kind == Kind::space || kind == Kind::line_end;
}

struct Character {
  UChar32 code = 0;
  Kind kind = Kind::none;  // behind the end of the text
  std::size_t end = 0;
};

// The words of one text; places are bytes.
class Words {
 public:
  Words(std::string_view text, WordPattern pattern) : text_(text), pattern_(pattern) {}

  // The end of the word that begins at `begin`, which is in front of the end of the text.
  std::size_t word_end(std::size_t begin) const {
    const Character first = at(begin);
    if (first.code == '\'')
      if (const std::size_t length = contraction_length(begin + 1); length > 0)
        return begin + 1 + length;
    if (first.kind == Kind::letter) return run_end(begin, Kind::letter);
    const Character second = at(first.end);
    if (second.kind == Kind::letter && may_lead_letters(first))
      return run_end(first.end, Kind::letter);
    if (first.kind == Kind::number) return number_end(begin);
    if (is_gpt2() && first.code == ' ' && second.kind == Kind::number)
      return run_end(first.end, Kind::number);
    if (first.kind == Kind::other) return others_end(begin);
    if (first.code == ' ' && second.kind == Kind::other) return others_end(first.end);
    return spaces_end(begin);
  }

 private:
  bool is_gpt2() const { return pattern_ == WordPattern::gpt2; }

  Character at(std::size_t place) const {
    if (place >= text_.size()) return {};
    Character character;
    std::size_t next = place;
    U8_NEXT_OR_FFFD(text_.data(), next, text_.size(), character.code);
    character.kind = kind_of(character.code);
    character.end = next;
    return character;
  }

  std::size_t run_end(std::size_t begin, Kind kind) const {
    std::size_t end = begin;
    for (Character next = at(end); next.kind == kind; next = at(end)) end = next.end;
    return end;
  }

  // Letters behind an apostrophe that make a word with it, as in "we'll".
  std::size_t contraction_length(std::size_t begin) const {
    constexpr std::string_view kEndings[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    const std::string_view rest = text_.substr(begin, 2);
    // The long s is an s where letters may be large or small.
    if (!is_gpt2() && rest == "\u017F") return rest.size();
    const auto is_next = [&](std::string_view ending) {
      return rest.size() >= ending.size() &&
             std::ranges::equal(
                 ending, rest.substr(0, ending.size()), [&](char wanted, char found) {
                   return wanted == found || (!is_gpt2() && wanted - 'a' + 'A' == found);
                 });
    };
    for (const std::string_view ending : kEndings)
      if (is_next(ending)) return ending.size();
    return 0;
  }

  bool may_lead_letters(const Character& first) const {
    if (is_gpt2()) return first.code == ' ';
    return first.kind == Kind::other || first.kind == Kind::space;
  }

  std::size_t number_end(std::size_t begin) const {
    if (is_gpt2()) return run_end(begin, Kind::number);
    const int most = pattern_ == WordPattern::llama3 ? 3 : 1;
    std::size_t end = begin;
    for (int i = 0; i < most; ++i) {
      const Character next = at(end);
      if (next.kind != Kind::number) break;
      end = next.end;
    }
    return end;
  }

  std::size_t others_end(std::size_t begin) const {
    const std::size_t end = run_end(begin, Kind::other);
    return is_gpt2() ? end : run_end(end, Kind::line_end);
  }

  // Up to the last line end if there is one; else all of it, or without the last space, which goes
  // with the word behind it.
  std::size_t spaces_end(std::size_t begin) const {
    std::size_t end = begin, last = begin, lines_end = begin;
    for (Character next = at(end); is_space(next.kind); next = at(end)) {
      last = end;
      end = next.end;
      if (next.kind == Kind::line_end) lines_end = end;
    }
    if (!is_gpt2() && lines_end > begin) return lines_end;
    return end == text_.size() || last == begin ? end : last;
  }

  std::string_view text_;
  WordPattern pattern_;
};

void split_by_pattern(std::string_view text, WordPattern pattern,
                      const std::function<void(std::string_view)>& word) {
  const Words words(text, pattern);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = words.word_end(begin);
    word(text.substr(begin, end - begin));
    begin = end;
  }
}

}  // namespace

std::optional<WordPattern> word_pattern(std::string_view expression) {
  constexpr std::string_view kBeginning =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)";
  constexpr std::string_view kEnd = R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  if (expression == R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)")
    return WordPattern::gpt2;
  if (!expression.starts_with(kBeginning) || !expression.ends_with(kEnd)) return std::nullopt;
  expression.remove_prefix(kBeginning.size());
  if (expression.size() < kEnd.size()) return std::nullopt;
  expression.remove_suffix(kEnd.size());
  if (expression == R"(\p{N}{1,3})") return WordPattern::llama3;
  if (expression == R"(\p{N})") return WordPattern::qwen2;
  return std::nullopt;
}

void split_words(std::string_view text, const WordRules& rules,
                 const std::function<void(std::string_view word)>& word) {
  if (!rules.splits_digits) return split_by_pattern(text, rules.pattern, word);
  std::size_t begin = 0;  // of what lies between digits
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    UChar32 character;
    U8_NEXT_OR_FFFD(text.data(), end, text.size(), character);
    if (kind_of(character) == Kind::number) {
      split_by_pattern(text.substr(begin, at - begin), rules.pattern, word);
      word(text.substr(at, end - at));
      begin = end;
    }
    at = end;
  }
  split_by_pattern(text.substr(begin), rules.pattern, word);
}

}  // namespace vllama::text
