// A branch of the model, in the order of the paper: frames or clips of sound -> encoder ->
// resampler of each, if there is one -> positions -> connector -> linear layer into the
// language model's embedding space. Vision and audio are two configurations of it. Shapes: U units
// (frames or clips) of all media end to end, P tokens a unit behind encoder and resampler, D their
// width, N media, Q tokens a medium, H language-model width.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "encoders/encoder.h"
#include "models/connector.h"
#include "models/model_config.h"
#include "models/position_table.h"
#include "nn/linear.h"

namespace vllama::models {

// What settings, messages and files call a branch and its parts.
struct BranchNames {
  ModulePlace place;
  std::string branch;                            // as in model.branches
  std::string section;                           // of the configuration
  std::string max_positions_key, positions_key;  // below it
  std::string encoders;                          // all of them, for people
  std::optional<ModuleName> resampler;           // nothing: there is none
  std::string encoder_file, checkpoint;          // below model.weights
};

class Branch {
 public:
  struct Parts {
    BranchNames names;
    // One, or several whose tokens lie in one space: of one width, and as many for each unit.
    std::vector<std::unique_ptr<encoders::Encoder>> encoders;
    std::unique_ptr<Connector> resampler;  // null: the encoder's tokens go on as they are
    PositionTable positions;
    std::unique_ptr<Connector> connector;
    std::int64_t units_at_once;  // that pass an encoder together
  };
  Branch(Parts parts, std::int64_t language_width);

  // Names of the encoders' own file, which they share.
  void declare_encoders(nn::ParameterList& list);
  // Names of the resampler's file: its own, and the norm of the encoder that it reads.
  void declare_resampler(nn::ParameterList& list);
  // What a published checkpoint holds of the branch, in its order (modules.h).
  void declare_trainable(nn::ParameterList& list);

  // Units of encoder number `encoder`, as samples have them -> [U * P, D], with autograd history
  // only if the resampler trains. Then the encoder's tokens are kept for backward, and what the
  // resampler computed from them is computed again, units_at_once at a time.
  at::Tensor encode(std::size_t encoder, const at::Tensor& units) const;
  // The same of units that the encoder has prepared.
  at::Tensor encode_prepared(std::size_t encoder, const at::Tensor& inputs) const;

  // The trained part: features [U * P, D] -> [N * Q, H], fp32. Each unit gets its position
  // (position_table.h). Throws UserError if a medium has more units than
  // there are positions.
  at::Tensor embed(const at::Tensor& features, const std::vector<std::int64_t>& units_per_medium,
                   const nn::Dropout& dropout = {}) const;

  void clear_unused_positions() { parts_.positions.clear_unused(); }

  const BranchNames& names() const { return parts_.names; }
  const std::vector<std::unique_ptr<encoders::Encoder>>& encoders() const {
    return parts_.encoders;
  }
  // Null if there is none.
  const Connector* resampler() const { return parts_.resampler.get(); }
  const Connector& connector() const { return *parts_.connector; }
  std::int64_t most_units() const { return parts_.positions.most_units(); }
  std::int64_t units_at_once() const { return parts_.units_at_once; }
  // Behind encoder and resampler.
  std::int64_t tokens_per_unit() const;

 private:
  std::int64_t width() const;

  Parts parts_;
  nn::Linear projection_;
};

// EVA ViT or another image encoder, BLIP-2's image Q-Former, frame positions and the Video
// Q-Former. Its parts judge their sizes when they are declared.
Branch make_branch(const VisionConfig& config, std::int64_t language_width);
// ImageBind's two encoders, positions and the Audio Q-Former. It trains on pictures and hears at
// inference.
Branch make_branch(const AudioConfig& config, std::int64_t language_width);

// Those that the model has, vision first. Their parts throw UserError for sizes that do not fit
// together when they are declared.
std::vector<Branch> make_branches(const ModelConfig& config, std::int64_t language_width);

}  // namespace vllama::models
