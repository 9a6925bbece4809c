// Texts from which the toy language model learns to read: a description in words where media will
// stand, and questions about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/random.h"
#include "text/prompt.h"
#include "toy_world/scene/phrases.h"

namespace vllama::toy {

// How a scene is described; `both`: what a clip shows, and apart from it the only shape that is
// heard.
enum class Style { caption, keywords, picture, heard, both };

// A description and what may be asked of it.
struct Described {
  Style style;
  std::string text;
  std::string sound_text;  // of `both`: what stands for the sound
  Scene scene;             // as far as the texts tell
  std::vector<std::string_view> types;
};

// Types of questions that a description in `style` can answer.
const std::vector<std::string_view>& types_of(Style style);

// A scene with any pairs of kind and colour, described in `style`.
Described describe(RandomStream& random, Style style);

// An answer within a sequence: which token decides it.
struct Decision {
  std::string type;
  std::size_t num_shapes;
  std::size_t token;  // its place in ids
};

struct Document {
  std::vector<std::int64_t> ids;
  std::vector<float> weights;          // of each token as a target; 0: not learned
  std::vector<std::size_t> described;  // places in ids of what stands for media
  bool is_blurred = false;             // which is never quite a word
  std::vector<Decision> decisions;
};

// What a phase of training reads.
struct TextMixture {
  double drills;                          // share of documents that are drills
  std::vector<std::string_view> drilled;  // types asked in drills, each as often
  double both;                            // share of documents about pictures and a sound
  double blurred;                         // share of documents whose description is blurred
};

// Document number `index` of the stream named by `key`.
Document make_document(const text::Tokenizer& tokenizer, const TextMixture& mixture,
                       std::uint64_t key);

// Texts that hold every word of the world, to learn a tokenizer from.
std::vector<std::string> sample_texts(std::uint64_t key, std::size_t count);

// A question about a description, in the layout of chats and recipes.
struct Exam {
  Described described;
  QuestionAnswer asked;
};
Exam draw_exam(RandomStream& random, Style style, std::string_view type);

// The prompt's ids up to where the answer begins.
std::vector<std::int64_t> exam_prompt(const text::Tokenizer& tokenizer, const Exam& exam);

}  // namespace vllama::toy
