#include "samples/batch.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/random.h"
#include "text/prompt.h"

namespace vllama::samples {
namespace {

at::Tensor to_tensor(const std::vector<std::int64_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  if (!values.empty())
    std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(std::int64_t));
  return tensor;
}

// The values of several media, one behind the other. at::cat would call up a team of threads, one
// per core, beside every worker of a loader.
at::Tensor joined(const std::vector<at::Tensor>& values) {
  std::vector<std::int64_t> sizes = values.front().sizes().vec();
  sizes.front() = 0;
  for (const at::Tensor& value : values) sizes.front() += value.size(0);
  const at::Tensor result = at::empty(sizes, values.front().options());
  auto* place = static_cast<std::byte*>(result.data_ptr());
  for (const at::Tensor& value : values) {
    VLLAMA_ASSERT(value.scalar_type() == result.scalar_type() && value.device().is_cpu(),
                  "media of a batch that one encoder reads must be of one type, in CPU memory");
    const at::Tensor packed = value.contiguous();
    std::memcpy(place, packed.data_ptr(), packed.nbytes());
    place += packed.nbytes();
  }
  return result;
}

// A media group in the making.
struct OpenGroup {
  std::vector<at::Tensor> values;
  std::vector<std::int64_t> positions;
};

class Packer {
 public:
  explicit Packer(std::int64_t image_token) : image_token_(image_token) {}

  void add(const Example& example) {
    add_tokens(example);
    batch_.sample_ids.push_back(example.id);
    batch_.sequence_lengths.push_back(static_cast<std::int64_t>(example.token_ids.size()));
    batch_.num_shortened += example.text_shortened;
    batch_.num_concealed_frames += example.num_concealed_frames;
  }

  Batch finish() {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i].values.empty()) continue;
      batch_.media[i].values = joined(groups_[i].values);
      batch_.media[i].positions_M = to_tensor(groups_[i].positions);
    }
    batch_.token_ids_T = to_tensor(token_ids_);
    batch_.labels_T = to_tensor(labels_);
    return std::move(batch_);
  }

 private:
  void add_tokens(const Example& example) {
    VLLAMA_ASSERT(example.token_ids.size() == example.labels.size() && !example.labels.empty(),
                  fmt::format("an example has one label for each token: {} for {}",
                              example.labels.size(), example.token_ids.size()));
    for (std::size_t i = 0; i < example.media.size(); ++i) add_medium(example, i);
    const std::vector<std::size_t> encoders = encoder_of_each_media_token(example);
    std::size_t num_media_tokens = 0;
    for (std::size_t i = 0; i < example.token_ids.size(); ++i) {
      const bool is_media = example.token_ids[i] == image_token_;
      const bool is_target = example.labels[i] != text::kIgnoredLabel;
      VLLAMA_ASSERT(!is_target || (!is_media && i > 0),
                    "neither media nor the first token of a sequence can be learned");
      if (is_media) {
        VLLAMA_ASSERT(num_media_tokens < encoders.size(), "media tokens without a medium");
        groups_[encoders[num_media_tokens++]].positions.push_back(
            static_cast<std::int64_t>(token_ids_.size()));
      }
      token_ids_.push_back(is_media ? 0 : example.token_ids[i]);
      labels_.push_back(example.labels[i]);
      batch_.num_targets += is_target;
    }
    VLLAMA_ASSERT(num_media_tokens == encoders.size(),
                  fmt::format("media have {} media tokens, and there are places for {}",
                              encoders.size(), num_media_tokens));
  }

  // The embeddings of an encoder take their places in the order of its media, each from its first
  // to its last.
  static std::vector<std::size_t> encoder_of_each_media_token(const Example& example) {
    std::vector<std::size_t> encoders;
    std::vector<std::int64_t> missing;
    for (const MediaInput& input : example.media) missing.push_back(input.num_tokens);
    for (const MediaRun& run : media_runs(example)) {
      encoders.insert(encoders.end(), static_cast<std::size_t>(run.num_tokens),
                      example.media.at(run.medium).encoder);
      missing[run.medium] -= run.num_tokens;
    }
    VLLAMA_ASSERT(std::ranges::all_of(missing, [](auto count) { return count == 0; }),
                  "the runs of a medium sum up to its media tokens");
    return encoders;
  }

  void add_medium(const Example& example, std::size_t index) {
    const MediaInput& medium = example.media[index];
    const std::size_t encoder = medium.encoder;
    if (encoder >= groups_.size()) {
      groups_.resize(encoder + 1);
      batch_.media.resize(encoder + 1);
    }
    VLLAMA_ASSERT(medium.num_tokens > 0 && medium.values.dim() >= 2 && medium.values.size(0) > 0,
                  "a medium has frames or clips, and tokens");
    auto& values = groups_[encoder].values;
    VLLAMA_ASSERT(
        values.empty() || values[0].sizes().slice(1) == medium.values.sizes().slice(1),
        fmt::format("media of a batch that one encoder reads must be of one size, not {} and {}",
                    c10::str(values[0].sizes()), c10::str(medium.values.sizes())));
    values.push_back(medium.values);
    MediaGroup& group = batch_.media[encoder];
    group.extents.push_back(medium.extent());
    group.dropout_keys.push_back(index == 0 ? example.dropout_key
                                            : random_key({example.dropout_key, index}));
  }

  std::int64_t image_token_;
  Batch batch_;
  std::vector<OpenGroup> groups_;  // by encoder
  std::vector<std::int64_t> token_ids_, labels_;
};

}  // namespace

Batch pack(std::span<const Example> examples, std::int64_t image_token) {
  Packer packer(image_token);
  for (const Example& example : examples) packer.add(example);
  return packer.finish();
}

}  // namespace vllama::samples
