#include "train/show/token_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/markup.h"
#include "core/terminal_text.h"
#include "core/utf8.h"
#include "text/prompt.h"

namespace vllama::train {
namespace {

constexpr std::size_t kLongestCharacter = 4;  // bytes, each a token

// Two backgrounds per role, for neighbouring tokens, and what the foreground needs to stand out.
constexpr std::array kBackgrounds = {
    std::array{"\x1b[38;5;250;48;5;236m", "\x1b[38;5;250;48;5;239m"},
    std::array{"\x1b[38;5;231;48;5;22m", "\x1b[38;5;231;48;5;28m"},
    std::array{"\x1b[38;5;231;48;5;54m", "\x1b[38;5;231;48;5;54m"},
};
constexpr const char* kPlain = "\x1b[0m";
constexpr std::array kRoleNames = {"ignored", "target", "media"};

std::size_t number_of(TokenRole role) {
  return static_cast<std::size_t>(role);
}

// Reads tokens as they stand inside a text: a decoder drops the space at a text's beginning.
class TokenReader {
 public:
  explicit TokenReader(const text::Tokenizer& tokenizer)
      : tokenizer_(tokenizer), before_(tokenizer.encode("a")), lead_(tokenizer.decode(before_)) {}

  std::vector<TokenView> read(std::span<const std::int64_t> ids) const {
    std::vector<TokenView> tokens;
    while (!ids.empty()) {
      std::size_t length = 1;
      std::string text = text_of(ids.first(1));
      // Bytes of one character make sense only together.
      while (text.find(kReplacementCharacter) != std::string::npos && length < kLongestCharacter &&
             length < ids.size())
        text = text_of(ids.first(++length));
      if (text.find(kReplacementCharacter) != std::string::npos) {
        length = 1;
        text = kReplacementCharacter;
      }
      for (std::size_t i = 0; i < length; ++i)
        tokens.push_back({ids[i], i + 1 < length ? std::string() : text});
      ids = ids.subspan(length);
    }
    return tokens;
  }

 private:
  std::string text_of(std::span<const std::int64_t> ids) const {
    if (ids.size() == 1 && is_special(ids[0])) return tokenizer_.decode(ids);
    std::vector<std::int64_t> all = before_;
    all.insert(all.end(), ids.begin(), ids.end());
    const std::string text = tokenizer_.decode(all);
    return text.starts_with(lead_) ? text.substr(lead_.size()) : tokenizer_.decode(ids);
  }

  bool is_special(std::int64_t id) const {
    return id == tokenizer_.bos() || id == tokenizer_.unknown() ||
           std::ranges::find(tokenizer_.ends(), id) != tokenizer_.ends().end();
  }

  const text::Tokenizer& tokenizer_;
  std::vector<std::int64_t> before_;
  std::string lead_;
};

std::string medium_text(const TokenStretch& stretch) {
  return fmt::format("[{} x {}]", stretch.tokens.size(), stretch.medium);
}

std::string coloured(std::span<const TokenStretch> stretches, bool has_unicode) {
  std::string text;
  std::size_t shade = 0;
  for (const TokenStretch& stretch : stretches) {
    const auto& backgrounds = kBackgrounds[number_of(stretch.role)];
    if (stretch.role == TokenRole::media) {
      text += fmt::format("{}{}{}", backgrounds[0], medium_text(stretch), kPlain);
      continue;
    }
    for (const TokenView& token : stretch.tokens) {
      text +=
          fmt::format("{}{}{}", backgrounds[++shade % 2], visible(token.text, has_unicode), kPlain);
      if (token.text == "\n") text += "\n";
    }
  }
  if (!text.ends_with('\n')) text += "\n";
  std::string legend;
  for (std::size_t role = 0; role < kRoleNames.size(); ++role)
    legend += fmt::format("{} {} {} ", kBackgrounds[role][0], kRoleNames[role], kPlain);
  return legend + "\n\n" + text;
}

std::string listed(std::span<const TokenStretch> stretches, bool has_unicode) {
  std::string text;
  for (const TokenStretch& stretch : stretches) {
    std::string line;
    for (const TokenView& token : stretch.tokens) {
      if (!line.empty()) line += '|';
      line += visible(token.text, has_unicode);
    }
    text += fmt::format("  {:<8} {}\n", kRoleNames[number_of(stretch.role)],
                        stretch.role == TokenRole::media ? medium_text(stretch) : line);
  }
  return text;
}

}  // namespace

std::vector<TokenStretch> token_stretches(const text::Tokenizer& tokenizer,
                                          std::span<const std::int64_t> ids,
                                          std::span<const std::int64_t> labels,
                                          std::span<const MediumLabel> media) {
  VLLAMA_ASSERT(ids.size() == labels.size(),
                fmt::format("every token has a label: {} for {}", labels.size(), ids.size()));
  const TokenReader reader(tokenizer);
  std::vector<TokenStretch> stretches;
  for (std::size_t begin = 0, end = 0; begin < ids.size(); begin = end) {
    if (ids[begin] == tokenizer.image_token()) {
      VLLAMA_ASSERT(!media.empty(), "media tokens belong to media");
      end = begin + static_cast<std::size_t>(media.front().num_tokens);
      VLLAMA_ASSERT(end <= ids.size(), "all tokens of a medium are there");
      stretches.push_back({TokenRole::media, {}, media.front().name});
      for (std::size_t i = begin; i < end; ++i) stretches.back().tokens.push_back({ids[i], ""});
      media = media.subspan(1);
      continue;
    }
    const auto is_learned = [&](std::size_t i) { return labels[i] != text::kIgnoredLabel; };
    for (end = begin + 1; end < ids.size() && ids[end] != tokenizer.image_token() &&
                          is_learned(end) == is_learned(begin);)
      ++end;
    stretches.push_back({is_learned(begin) ? TokenRole::target : TokenRole::ignored,
                         reader.read(ids.subspan(begin, end - begin)),
                         {}});
  }
  return stretches;
}

std::int64_t count_tokens(std::span<const TokenStretch> stretches, TokenRole role) {
  std::size_t count = 0;
  for (const TokenStretch& stretch : stretches)
    if (stretch.role == role) count += stretch.tokens.size();
  return static_cast<std::int64_t>(count);
}

std::string token_text(std::span<const TokenStretch> stretches, const TextStyle& style) {
  return style.has_colour ? coloured(stretches, style.has_unicode)
                          : listed(stretches, style.has_unicode);
}

std::string token_html(std::span<const TokenStretch> stretches) {
  std::string html;
  for (const TokenStretch& stretch : stretches) {
    const char* role = kRoleNames[number_of(stretch.role)];
    if (stretch.role == TokenRole::media) {
      html += fmt::format("<span class=\"{}\" title=\"{} tokens\">{}</span>", role,
                          stretch.tokens.size(), markup_escaped(medium_text(stretch)));
      continue;
    }
    for (const TokenView& token : stretch.tokens)
      html +=
          fmt::format("<span class=\"{}\" title=\"{}\">{}</span>{}", role, token.id,
                      markup_escaped(visible(token.text, true)), token.text == "\n" ? "<br>" : "");
  }
  return html;
}

}  // namespace vllama::train
