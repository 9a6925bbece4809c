#include "toy_world/language/language_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "eval/scores/first_option.h"
#include "inference/generate/generator.h"
#include "models/base_files.h"
#include "models/weight_reading.h"
#include "text/tokenizers/open_tokenizer.h"

namespace vllama::toy {
namespace {

constexpr std::size_t kPromptsAtOnce = 64;
constexpr double kThreshold = 0.95;

constexpr std::array<std::pair<Style, const char*>, 5> kStyles{
    {{Style::caption, "captions"},
     {Style::keywords, "keywords"},
     {Style::picture, "pictures"},
     {Style::heard, "sounds heard"},
     {Style::both, "clips with one sound"}}};

std::unique_ptr<language::Llama> load(const std::filesystem::path& folder) {
  auto model =
      std::make_unique<language::Llama>(language::read_llama_config(folder / "config.json"));
  models::WeightReading reading{"", folder.string(), {}, {}};
  model->declare(reading.parameters);
  models::load(reading);
  model->prepare(at::kFloat, at::kCPU);
  return model;
}

bool is_right(const std::string& answer, const QuestionAnswer& asked) {
  const auto words = options(asked.type);
  const auto named = eval::first_named_option(answer, {words.begin(), words.end()});
  return named && words[*named] == asked.word;
}

class Examiner {
 public:
  explicit Examiner(const std::filesystem::path& folder)
      : model_(load(folder)),
        tokenizer_(text::open_tokenizer(folder)),
        rules_(inference::stop_rules(*tokenizer_, text::prompt_template("vicuna").training)),
        generator_(*model_, *tokenizer_, rules_, {.max_new_tokens = 16}) {}

  std::size_t num_right(const std::vector<Exam>& exams) const {
    std::vector<inference::Prompt> prompts;
    for (const Exam& exam : exams)
      prompts.push_back(inference::make_prompt(
          *model_, std::vector<std::vector<std::int64_t>>{exam_prompt(*tokenizer_, exam)}, {}));
    const auto answers = generator_(prompts);
    std::size_t count = 0;
    for (std::size_t i = 0; i < exams.size(); ++i)
      count += is_right(answers[i].text, exams[i].asked);
    return count;
  }

 private:
  std::unique_ptr<language::Llama> model_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  inference::StopRules rules_;
  inference::Generator generator_;
};

}  // namespace

std::vector<Gate> language_gates(const std::filesystem::path& folder, std::uint64_t seed,
                                 std::size_t num_questions) {
  const Examiner examiner(folder / models::kLanguageModelFolder);
  std::vector<Gate> gates;
  RandomStream random(random_key({seed, static_cast<std::uint64_t>(RandomPurpose::toy_world)}));
  for (const auto& [style, name] : kStyles) {
    for (const std::string_view type : types_of(style)) {
      std::size_t num_right = 0;
      for (std::size_t done = 0; done < num_questions; done += kPromptsAtOnce) {
        std::vector<Exam> exams;
        for (std::size_t i = done; i < std::min(num_questions, done + kPromptsAtOnce); ++i)
          exams.push_back(draw_exam(random, style, type));
        num_right += examiner.num_right(exams);
      }
      gates.push_back({fmt::format("{} in {}", type, name),
                       static_cast<double>(num_right) / static_cast<double>(num_questions),
                       kThreshold});
    }
  }
  return gates;
}

}  // namespace vllama::toy
