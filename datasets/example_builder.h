// From a record to an example: frames are decoded, cropped and resized, the caption becomes tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/data_config.h"
#include "datasets/order.h"
#include "datasets/record.h"
#include "processors/example.h"
#include "text/caption.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

namespace vllama::datasets {

// What the model expects of an example.
struct ModelInput {
  std::int64_t image_size = 224;       // pixels, square
  std::int64_t num_media_tokens = 32;  // positions that embeddings of the frames will take
};

// Where the time of a sample went.
struct StageSeconds {
  double decode = 0;  // opening, demuxing, decoding and scaling to the model's size
  double pixels = 0;  // crop and resize
  double text = 0;

  double total() const { return decode + pixels + text; }
  StageSeconds& operator+=(const StageSeconds& other);
};

// Immutable: may be used by several threads at once.
class ExampleBuilder {
 public:
  // `tokenizer` must outlive the builder. Throws UserError for a faulty prompt file or settings
  // that contradict each other.
  ExampleBuilder(const DatasetConfig& dataset, const CaptionConfig& captions,
                 const media::VideoOptions& video, const ModelInput& model,
                 const text::Tokenizer& tokenizer);

  // Everything random comes from `sample`. Throws media::MediaError or text::TextError if this
  // record's media or text cannot be used. Adds the time spent to `seconds`.
  processors::Example build(const Record& record, const PlannedSample& sample,
                            StageSeconds& seconds) const;

 private:
  void add_video(const Record& record, const PlannedSample& sample, processors::Example& example,
                 StageSeconds& seconds) const;
  void add_image(const Record& record, const PlannedSample& sample, processors::Example& example,
                 StageSeconds& seconds) const;
  void add_caption(const Record& record, const PlannedSample& sample,
                   processors::Example& example) const;

  DatasetConfig dataset_;
  media::VideoOptions video_;
  ModelInput model_;
  const text::Tokenizer& tokenizer_;
  text::CaptionCleaner cleaner_;
  text::CaptionLayout layout_;
  std::vector<text::CaptionPrompt> prompts_;
};

}  // namespace vllama::datasets
