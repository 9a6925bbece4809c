#include "text/prompt_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/named_rows.h"
#include "text/tokenizer.h"

namespace vllama::text {
namespace {

constexpr MediaWrap kImage{"<Image>", "</Image>"};
constexpr MediaWrap kVideo{"<Video>", "</Video> "};
constexpr MediaWrap kSound{"<Audio>", "</Audio> "};

// The released demos say it in a sentence. The runs of spaces are part of the released prompt.
constexpr MediaWrap kReferenceSound{
    "Close your eyes, open your ears and you imagine only based on the sound that: ", ". "};
constexpr MediaWrap kReferenceFramesBehindSound{
    "                Close your ears, open your eyes and you see that <Video>",
    "</Video>.  "
    "                Now answer my question based on what you have just seen and heard. "};

constexpr PromptTemplate kFamilies[] = {
    {.name = "vicuna",
     .training = {.before_system = "\n\n",
                  .turn_mark = "###",
                  .before_question = "Human: ",
                  .after_question = "\n",
                  .before_answer = "###Assistant: ",
                  .after_answer = "\n",
                  .end = "###",
                  .image = kImage,
                  .video = kVideo,
                  .sound = kSound,
                  .after_image = "\n",
                  .stop_text = "###",
                  .answer_role = "Assistant:"},
     .reference = {.takes_system_text = true,
                   .after_system = "###",
                   .before_question = "Human: ",
                   .after_question = "###",
                   .before_answer = "Assistant: ",
                   .after_answer = "###",
                   .image = kImage,
                   .video = kVideo,
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
                  .image = kImage,
                  .video = kVideo,
                  .sound = kSound,
                  .after_image = "\n",
                  .stop_text = "</s>",
                  .answer_role = "ASSISTANT:"},
     .reference = {.takes_system_text = true,
                   .before_system = "[INST] <<SYS>>\n",
                   .after_system = "\n<</SYS>>\n\n",
                   .between_turns = "<s>[INST] ",
                   .after_question = " [/INST]",
                   .before_answer = " ",
                   .after_answer = " </s>",
                   .image = kImage,
                   .video = kVideo,
                   .sound = kReferenceSound,
                   .after_image = "  ",
                   .after_times = " ",
                   .sound_first = true,
                   .frames_behind_sound = kReferenceFramesBehindSound,
                   .stop_text = "</s>",
                   .answer_role = "ASSISTANT:"}},
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

const PromptTemplate& prompt_template(std::string_view name) {
  if (const PromptTemplate* found = row_named(kFamilies, name)) return *found;
  throw UserError(fmt::format("no conversation template '{}': choose {}", name,
                              fmt::join(prompt_template_names(), " or ")));
}

std::vector<std::string> prompt_template_names() {
  return names_of_rows(kFamilies);
}

}  // namespace vllama::text
