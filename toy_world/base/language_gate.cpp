#include "toy_world/base/language_gate.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "eval/generate/generator.h"
#include "models/weight_reading.h"
#include "text/tokenizer.h"

namespace vllama::toy {
namespace {

constexpr std::size_t kPromptsAtOnce = 64;

models::Llama load(const std::filesystem::path& folder) {
  models::Llama model(models::read_llama_config(folder / "config.json"));
  models::WeightReading reading{"", folder.string(), {}, {}};
  model.declare(reading.parameters);
  models::load(reading);
  model.prepare(at::kFloat, at::kCPU);
  return model;
}

std::string first_option(const std::string& answer, std::string_view type) {
  const auto words = options(type);
  for (auto begin = answer.begin(); begin != answer.end();) {
    const auto is_letter = [](unsigned char letter) { return std::isalpha(letter) != 0; };
    begin = std::find_if(begin, answer.end(), is_letter);
    const auto end = std::find_if_not(begin, answer.end(), is_letter);
    const std::string_view word(&*begin, static_cast<std::size_t>(end - begin));
    if (std::ranges::find(words, word) != words.end()) return std::string(word);
    begin = end;
  }
  return "";
}

class Examiner {
 public:
  explicit Examiner(const std::filesystem::path& folder)
      : model_(load(folder)),
        tokenizer_(folder / "tokenizer.model"),
        rules_(eval::stop_rules(tokenizer_, text::chat_template("training", "vicuna"))),
        generator_(model_, tokenizer_, rules_, {.max_new_tokens = 16}) {}

  void examine(LanguageScore& score, const std::vector<Exam>& exams) const {
    std::vector<eval::Prompt> prompts;
    for (const Exam& exam : exams)
      prompts.push_back(eval::make_prompt(model_, std::vector{exam_prompt(tokenizer_, exam)}, {}));
    const auto answers = generator_(prompts);
    for (std::size_t i = 0; i < exams.size(); ++i) {
      const auto shapes = std::min<std::size_t>(exams[i].described.scene.shapes.size(), 3) - 1;
      score.num_right[shapes] += first_option(answers[i].text, score.type) == exams[i].asked.word;
      ++score.num_asked[shapes];
    }
  }

 private:
  models::Llama model_;
  text::Tokenizer tokenizer_;
  eval::StopRules rules_;
  eval::Generator generator_;
};

}  // namespace

double LanguageScore::share() const {
  return static_cast<double>(std::accumulate(num_right.begin(), num_right.end(), 0)) /
         std::accumulate(num_asked.begin(), num_asked.end(), 0);
}

std::vector<LanguageScore> examine_language_model(const std::filesystem::path& folder,
                                                  std::size_t num_questions, std::uint64_t seed) {
  const Examiner examiner(folder);
  std::vector<LanguageScore> scores;
  RandomStream random(random_key({seed, 0}));
  for (const Style style : {Style::caption, Style::keywords, Style::picture, Style::heard}) {
    for (const std::string_view type : types_of(style)) {
      LanguageScore& score = scores.emplace_back(LanguageScore{std::string(type), style, {}, {}});
      for (std::size_t done = 0; done < num_questions; done += kPromptsAtOnce) {
        std::vector<Exam> exams;
        for (std::size_t i = done; i < std::min(num_questions, done + kPromptsAtOnce); ++i)
          exams.push_back(draw_exam(random, style, type));
        examiner.examine(score, exams);
      }
    }
  }
  return scores;
}

}  // namespace vllama::toy
