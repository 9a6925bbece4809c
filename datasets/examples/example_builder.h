// From a record to an example: its media become tensors, its text becomes tokens.
#pragma once

#include <vector>

#include "datasets/entries/record.h"
#include "datasets/formats/data_config.h"
#include "datasets/order/order.h"
#include "samples/media_builder.h"
#include "text/caption.h"
#include "text/prompt.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::datasets {

// Immutable: may be used by several threads at once.
class ExampleBuilder {
 public:
  // `tokenizer` must outlive the builder. Throws UserError for a faulty prompt file or settings
  // that contradict each other or the model.
  ExampleBuilder(const DatasetConfig& dataset, const DataConfig& data,
                 const samples::ModelInput& model, const text::Tokenizer& tokenizer);

  // Everything random comes from `sample`. Throws media::MediaError or text::TextError if this
  // record's media or text cannot be used. Adds the time spent to `seconds`.
  samples::Example build(const Record& record, const PlannedSample& sample,
                         samples::StageSeconds& seconds) const;

  const text::Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  // What stands in a question for a medium.
  std::string text_of(const samples::BuiltMedium& medium) const;
  text::TokenSequence caption(const text::Conversation& conversation, const PlannedSample& sample,
                              std::int64_t num_media_tokens) const;

  samples::MediaBuilder media_;
  const text::Tokenizer& tokenizer_;
  bool cleans_captions_;
  text::CaptionCleaner cleaner_;
  text::CaptionLayout caption_layout_;  // without its number of media tokens
  std::vector<text::CaptionPrompt> prompts_;
  text::ConversationLayout conversation_layout_;
};

}  // namespace vllama::datasets
