#include "datasets/examples/example_builder.h"

#include "core/error.h"
#include "core/stopwatch.h"

namespace vllama::datasets {

ExampleBuilder::ExampleBuilder(const DatasetConfig& dataset, const DataConfig& data,
                               const samples::ModelInput& model, const text::Tokenizer& tokenizer)
    : media_(dataset.name, dataset, data.media_settings(), model),
      tokenizer_(tokenizer),
      cleans_captions_(dataset.cleans_captions()) {
  const samples::Compat& compat = samples::compat_of(data.compat);
  const auto truncation =
      compat.cuts_stop_tokens ? text::Truncation::cut : text::Truncation::keep_stop;
  cleaner_.max_words = dataset.max_caption_words;
  const CaptionConfig& captions = data.captions;
  caption_layout_.end_sign = text::unescape_newlines(captions.end_sign);
  caption_layout_.limit = {captions.max_tokens, truncation};
  if (!captions.prompt_file.empty())
    prompts_ = text::read_caption_prompts(captions.prompt_file,
                                          text::unescape_newlines(captions.prompt_template));
  caption_layout_.reads_special_tokens = compat.reads_special_tokens;
  conversation_layout_ = {.layout = &text::prompt_template(data.conversations.family).training,
                          .limit = {data.conversations.max_tokens, truncation},
                          .reads_special_tokens = compat.reads_special_tokens,
                          .system = data.conversations.system};
}

samples::Example ExampleBuilder::build(const Record& record, const PlannedSample& sample,
                                       samples::StageSeconds& seconds) const {
  samples::Example example;
  example.id = record.id;
  example.dropout_key = sample.key().random(RandomPurpose::dropout).next();
  std::vector<std::string> media_texts;
  std::int64_t num_media_tokens = 0;
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    samples::BuiltMedium medium = media_.build(record.media[i], sample.key(), i, seconds);
    media_texts.push_back(text_of(medium));
    for (const samples::MediaRun& run : medium.runs)
      example.runs.push_back({example.media.size() + run.medium, run.num_tokens});
    for (auto& input : medium.inputs) example.media.push_back(std::move(input));
    num_media_tokens += medium.num_tokens;
    example.num_concealed_frames += medium.num_concealed_frames;
  }
  const Stopwatch watch(seconds.text);
  text::TokenSequence sequence = record.conversation.is_caption()
                                     ? caption(record.conversation, sample, num_media_tokens)
                                     : text::build_conversation(tokenizer_, record.conversation,
                                                                media_texts, conversation_layout_);
  example.token_ids = std::move(sequence.ids);
  example.labels = std::move(sequence.labels);
  example.text_shortened = sequence.shortened;
  return example;
}

std::string ExampleBuilder::text_of(const samples::BuiltMedium& medium) const {
  const text::PromptLayout& layout = *conversation_layout_.layout;
  if (medium.is_interleaved)
    return layout.media_text(MediaKind::video, medium.num_tokens, medium.time_message);
  std::string text;
  for (const samples::MediaInput& input : medium.inputs)
    text += layout.media_text(input.kind, input.num_tokens, medium.time_message);
  return text;
}

text::TokenSequence ExampleBuilder::caption(const text::Conversation& conversation,
                                            const PlannedSample& sample,
                                            std::int64_t num_media_tokens) const {
  const std::string& answer = conversation.turns[0].answer;
  text::CaptionLayout layout = caption_layout_;
  layout.num_media_tokens = num_media_tokens;
  text::CaptionPrompt prompt;
  if (!prompts_.empty())
    prompt = prompts_[sample.key().random(RandomPurpose::prompt).below(prompts_.size())];
  return text::build_caption(tokenizer_, cleans_captions_ ? cleaner_(answer) : answer, layout,
                             prompt);
}

}  // namespace vllama::datasets
