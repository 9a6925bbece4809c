// A branch of the model, in the order of the paper: frames or clips of sound -> encoder ->
// resampler of each, if there is one -> positions -> connector -> linear layer into the
// language model's embedding space. Vision and audio are two configurations of it. Shapes: U units
// (frames or clips) of all media end to end, P tokens a unit behind encoder and resampler, S those
// of all units that are no padding, D their width, M embeddings of all media, H language-model
// width.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "encoders/encoder.h"
#include "encoders/encoder_lora.h"
#include "models/connector.h"
#include "models/model_config.h"
#include "models/position_table.h"
#include "models/q_former.h"
#include "nn/linear.h"
#include "samples/media_extent.h"

namespace vllama::models {

// What settings, messages and files call a branch and its parts.
struct BranchNames {
  ModulePlace place;
  std::string branch;                            // as in model.branches
  std::string section;                           // of the configuration
  std::string max_positions_key, positions_key;  // below it
  std::string encoders;                          // all of them, for people
  ModuleName encoder, encoder_lora;              // that may train
  std::optional<ModuleName> resampler;           // nothing: there is none
  std::string encoder_file, checkpoint;          // below model.weights
};

// What a connector gets of a medium.
MediumShape shape_of(const samples::MediaExtent& medium, std::int64_t states_per_unit);

class Branch {
 public:
  struct Parts {
    BranchNames names;
    // One, or several whose tokens lie in one space: of one width, and as many for each unit.
    std::vector<std::unique_ptr<encoders::Encoder>> encoders;
    std::unique_ptr<QFormer> resampler;  // null: the encoder's tokens go on as they are
    PositionTable positions;
    std::shared_ptr<Connector> connector;
    std::int64_t units_at_once;  // that pass an encoder together
    encoders::EncoderLora lora;
    double window_seconds = 0;            // of sound that the connector reads apart; 0: all of it
    std::int64_t num_trained_blocks = 0;  // of the encoder, from its end
  };
  Branch(Parts parts, std::int64_t language_width);

  // Names of the encoders' own file, which they share.
  void declare_encoders(nn::ParameterList& list);
  // The parameters of the encoder that may train, as a saved step names them: below the part of its
  // module, the names of its file.
  void declare_encoder_module(nn::ParameterList& list);
  // The adapters of that encoder, under those names.
  void declare_adapters(nn::ParameterList& list);
  // Names of the resampler's file: its own, and the norm of the encoder that it reads.
  void declare_resampler(nn::ParameterList& list);
  // What a published checkpoint holds of the branch, in its order (modules.h).
  void declare_trainable(nn::ParameterList& list);

  using Media = std::vector<samples::MediaExtent>;

  // Units of encoder number `encoder`, as samples have them -> [S, D], with autograd history
  // only if the encoder or the resampler trains. Then the encoder's tokens are kept for backward,
  // and what the resampler computed from them is computed again, units_at_once at a time. Without
  // media nothing is padding.
  at::Tensor encode(std::size_t encoder, const at::Tensor& units, const Media& media = {}) const;
  // The same of units that the encoder has prepared -> [U * P, D], padding included.
  at::Tensor encode_prepared(std::size_t encoder, const at::Tensor& inputs) const;

  // The trained part: features [S, D] -> [M, H], fp32. What stands at one time gets a position
  // (position_table.h, Connector::places). The samples of the dropout are the windows of the media
  // (Connector::windows). Throws UserError if a medium has more places than there are positions.
  at::Tensor embed(const at::Tensor& features, const Media& media,
                   const nn::Dropout& dropout = {}) const;

  // Of each window of the media a key for its dropout masks, from those of the media.
  std::vector<std::uint64_t> dropout_keys(const Media& media,
                                          const std::vector<std::uint64_t>& of_media) const;

  // Of the encoder, so many blocks from its end train.
  void set_trained_blocks(std::int64_t count) { parts_.num_trained_blocks = count; }
  // In place of them, adapters beside their matrices. Throws UserError for targets that the encoder
  // does not have.
  void add_adapters();
  void merge_adapters();
  bool has_adapters() const { return has_adapters_; }
  std::int64_t num_trained_blocks() const { return parts_.num_trained_blocks; }

  void clear_unused_positions() { parts_.positions.clear_unused(); }

  const BranchNames& names() const { return parts_.names; }
  const std::vector<std::unique_ptr<encoders::Encoder>>& encoders() const {
    return parts_.encoders;
  }
  // Null if there is none.
  const QFormer* resampler() const { return parts_.resampler.get(); }
  const Connector& connector() const { return *parts_.connector; }
  // Lives as long as it is asked what media take up.
  std::shared_ptr<const Connector> shared_connector() const { return parts_.connector; }
  std::int64_t most_places() const { return parts_.positions.most_units(); }
  std::int64_t units_at_once() const { return parts_.units_at_once; }
  double window_seconds() const { return parts_.window_seconds; }
  // Behind encoder and resampler.
  std::int64_t tokens_per_unit() const;

 private:
  std::int64_t width() const;
  std::vector<MediumShape> shapes_of(const Media& media) const;
  at::Tensor with_positions(const at::Tensor& features_SD,
                            const std::vector<MediumShape>& media) const;

  // Of the encoder that may train: of several, the one that hears.
  encoders::Encoder& trainable_encoder() { return *parts_.encoders.back(); }
  std::string name_in_step(const std::string& name) const;

  Parts parts_;
  bool has_adapters_ = false;
  nn::Linear projection_;
};

// EVA ViT with BLIP-2's image Q-Former, or another image encoder with or without one, frame
// positions, and the Video Q-Former or a layer over patches. Its parts judge their sizes when they
// are declared. Throws UserError for a connector that does not fit the encoder.
Branch make_branch(const VisionConfig& config, std::int64_t language_width);
// ImageBind's two encoders, positions and the Audio Q-Former: it trains on pictures and hears at
// inference. Or Whisper's encoder alone, and the Audio Q-Former over windows of sound. Throws
// UserError for windows that are no whole number of tokens.
Branch make_branch(const AudioConfig& config, std::int64_t language_width);

// Those that the model has, vision first. Their parts throw UserError for sizes that do not fit
// together when they are declared.
std::vector<Branch> make_branches(const ModelConfig& config, std::int64_t language_width);

}  // namespace vllama::models
