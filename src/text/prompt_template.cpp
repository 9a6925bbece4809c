#include "text/prompt_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/named_rows.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::text {
namespace {

// The released demos say it in a sentence. The runs of spaces are part of the released prompt.
constexpr MediaWrap kReferenceSound{
    "Close your eyes, open your ears and you imagine only based on the sound that: ", ". "};
constexpr MediaWrap kReferenceFramesBehindSound{
    "                Close your ears, open your eyes and you see that <Video>",
    "</Video>.  "
    "                Now answer my question based on what you have just seen and heard. "};

// ChatML, as OpenAI wrote it first. What is learned is an answer with its end, not the line end
// behind it, which stands in front of the next turn.
constexpr PromptLayout chatml(std::string_view default_system) {
  return {.has_beginning = false,
          .takes_system_text = true,
          .before_system = "<|im_start|>system\n",
          .after_system = "<|im_end|>\n",
          .default_system = default_system,
          .omits_empty_system = true,
          .between_turns = "\n",
          .before_question = "<|im_start|>user\n",
          .after_question = "<|im_end|>\n<|im_start|>assistant\n",
          .after_answer = "<|im_end|>",
          .stop_text = "<|im_end|>"};
}

// Of Llama 3 and 3.x, without the dates that 3.1 puts into its system text.
constexpr PromptLayout kLlama3{
    .takes_system_text = true,
    .before_system = "<|start_header_id|>system<|end_header_id|>\n\n",
    .after_system = "<|eot_id|>",
    .omits_empty_system = true,
    .before_question = "<|start_header_id|>user<|end_header_id|>\n\n",
    .after_question = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    .after_answer = "<|eot_id|>",
    .stop_text = "<|eot_id|>"};

// Of Vicuna 1.1 and later, and of LLaVA 1.5.
constexpr PromptLayout kVicuna11{
    .takes_system_text = true,
    .after_system = " ",
    .default_system =
        "A chat between a curious user and an artificial intelligence assistant. The "
        "assistant gives helpful, detailed, and polite answers to the user's questions.",
    .before_question = "USER: ",
    .after_question = " ASSISTANT:",
    .before_answer = " ",
    .after_answer = "</s>",
    .stop_text = "</s>",
    .answer_role = "ASSISTANT:"};

// Of Qwen 3 where it answers at once: the thoughts that its last answer begins with are empty, and
// not learned.
constexpr PromptLayout without_thinking(PromptLayout layout) {
  layout.before_last_answer = "<think>\n\n</think>\n\n";
  return layout;
}

// Of Mistral's models with the tokenizer of version 3, which knows its marks as tokens.
constexpr PromptLayout kMistral{.before_question = "[INST] ",
                                .after_question = "[/INST]",
                                .before_answer = " ",
                                .after_answer = "</s>",
                                .stop_text = "</s>"};

// Models of today are talked to as they were trained.
constexpr PromptTemplate same_for_both(std::string_view name, const PromptLayout& layout) {
  return {.name = name, .training = layout, .reference = layout};
}

constexpr PromptTemplate kFamilies[] = {
    {.name = "vicuna",
     .training = {.before_system = "\n\n",
                  .turn_mark = "###",
                  .before_question = "Human: ",
                  .after_question = "\n",
                  .before_answer = "###Assistant: ",
                  .after_answer = "\n",
                  .end = "###",
                  .stop_text = "###",
                  .answer_role = "Assistant:"},
     .reference = {.takes_system_text = true,
                   .after_system = "###",
                   .has_demo_system = true,
                   .before_question = "Human: ",
                   .after_question = "###",
                   .before_answer = "Assistant: ",
                   .after_answer = "###",
                   .sound = kReferenceSound,
                   .after_image = "  ",
                   .after_times = " ",
                   .sound_first = true,
                   .frames_behind_sound = kReferenceFramesBehindSound,
                   .stop_text = "###",
                   .answer_role = "Assistant:"}},
    {.name = "llama_v2",
     .training = {.before_system = "[INST] <<SYS>>\n \n<</SYS>>\n\n",
                  .between_turns = "<s>[INST] ",
                  .after_question = " [/INST]",
                  .before_answer = " ",
                  .after_answer = " </s>",
                  .omits_empty_answers = true,
                  .stop_text = "</s>",
                  .answer_role = "ASSISTANT:"},
     .reference = {.takes_system_text = true,
                   .before_system = "[INST] <<SYS>>\n",
                   .after_system = "\n<</SYS>>\n\n",
                   .has_demo_system = true,
                   .between_turns = "<s>[INST] ",
                   .after_question = " [/INST]",
                   .before_answer = " ",
                   .after_answer = " </s>",
                   .sound = kReferenceSound,
                   .after_image = "  ",
                   .after_times = " ",
                   .sound_first = true,
                   .frames_behind_sound = kReferenceFramesBehindSound,
                   .stop_text = "</s>",
                   .answer_role = "ASSISTANT:"}},
    same_for_both("vicuna_v1_1", kVicuna11),
    same_for_both("llama_3", kLlama3),
    same_for_both("mistral", kMistral),
    same_for_both("chatml", chatml("")),
    same_for_both("qwen3", without_thinking(chatml(""))),
    same_for_both("qwen3_thinking", chatml("")),
    same_for_both("qwen2_5", chatml("You are Qwen, created by Alibaba Cloud. You are a helpful "
                                    "assistant.")),
    same_for_both("smollm2",
                  chatml("You are a helpful AI assistant named SmolLM, trained by Hugging "
                         "Face")),
};

std::string wrapped(const MediaWrap& wrap, std::int64_t num_media_tokens) {
  std::string text(wrap.before);
  for (std::int64_t i = 0; i < num_media_tokens; ++i) text += kImagePlaceholder;
  return text + std::string(wrap.after);
}

}  // namespace

std::string PromptLayout::media_text(MediaKind kind, std::int64_t num_media_tokens,
                                     std::string_view time_message) const {
  switch (kind) {
    case MediaKind::image:
      return wrapped(image, num_media_tokens);
    case MediaKind::sound:
      return wrapped(sound, num_media_tokens);
    case MediaKind::video:
      break;
  }
  return fmt::format("{}{}", wrapped(video, num_media_tokens), time_message);
}

const PromptTemplate* find_prompt_template(std::string_view name) {
  return row_named(kFamilies, name);
}

const PromptTemplate& prompt_template(std::string_view name) {
  if (const PromptTemplate* found = find_prompt_template(name)) return *found;
  throw UserError(fmt::format("no conversation template '{}': choose {}", name,
                              fmt::join(prompt_template_names(), " or ")));
}

std::vector<std::string> prompt_template_names() {
  return names_of_rows(kFamilies);
}

}  // namespace vllama::text
