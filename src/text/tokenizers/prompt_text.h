// A text under construction that remembers, byte by byte, who wrote it and what is to be learned.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::text {

// Special tokens that a template spells out count; in what users wrote the same letters are letters
// like any others, so that nobody's caption ends a turn.
enum class Author { prompt_template, user };

class PromptText {
 public:
  PromptText() = default;
  // Text of a template.
  explicit PromptText(std::string_view text) { add(text, Author::prompt_template); }

  void add(std::string_view part, Author author, bool is_learned = false);

  const std::string& text() const { return text_; }
  std::size_t size() const { return text_.size(); }
  bool is_learned(std::size_t byte) const;
  // Whether users wrote any of the bytes [begin, end), which are not empty.
  bool has_users_text(std::size_t begin, std::size_t end) const;
  // Bytes [begin, end) as a text of their own.
  PromptText part(std::size_t begin, std::size_t end) const;

 private:
  struct Stretch {
    std::size_t end;
    Author author;
    bool is_learned;
  };
  std::vector<Stretch>::const_iterator stretch_at(std::size_t byte) const;

  std::string text_;
  std::vector<Stretch> stretches_;  // none is empty
};

}  // namespace vllama::text
