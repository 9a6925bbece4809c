// EVA ViT with the LayerNorm behind it, as BLIP-2 reads it.
#pragma once

#include <memory>

#include "encoders/encoder.h"
#include "encoders/eva_vit.h"
#include "encoders/shared_space.h"
#include "weights/file_sizes.h"

namespace vllama::encoders {

class EvaEncoder final : public Encoder {
 public:
  // declare() throws UserError for sizes that do not fit together.
  explicit EvaEncoder(const EvaVitConfig& config);

  samples::EncoderInput input() const override;
  std::int64_t tokens_per_unit() const override { return vit_.config().num_tokens(); }
  std::int64_t width() const override { return vit_.config().width; }

  // frames_FHWC uint8 -> images_FCHW in the type of the weights
  at::Tensor prepared(const at::Tensor& frames_FHWC) const override;
  at::Tensor operator()(const at::Tensor& images_FCHW) const override;

  // Names of eva_vit_g.pth, and "ln_vision" of the BLIP-2 file.
  void declare(nn::ParameterList& list) override { vit_.declare(list); }
  void declare_output_norm(nn::ParameterList& list) override { norm_.declare(list, "ln_vision"); }
  // eva_vit_g.pth holds one block more than BLIP-2 uses, a final norm and a classification head.
  bool is_unused(const std::string& name) const override;

  // The position table ("pos_embed") may be for another image size: it is read in the shape it has
  // in the file and resized.
  void take_shapes(nn::ParameterList& parameters, const weights::TensorSource& file) const override;
  void finish_reading(const weights::TensorSource& file) override;

  EncoderCost cost_per_unit() const override;

 private:
  EvaVit vit_;
  nn::LayerNorm norm_;
};

inline std::unique_ptr<Encoder> make_encoder(const EvaVitConfig& sizes, const SharedSpace&) {
  return std::make_unique<EvaEncoder>(sizes);
}

// Takes the sizes that the file tells; `section` begins their keys in messages. From the published
// file the last but one block is read, unless num_blocks says otherwise; image_size may be another
// than the file's.
void read_sizes(weights::FileSizes& file, EvaVitConfig& config, const std::string& section);

}  // namespace vllama::encoders
