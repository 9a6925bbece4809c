// ImageBind's encoders, whose embeddings of pictures and of sound lie in one space (arXiv
// 2305.05665). Each makes one token of a unit.
#pragma once

#include "encoders/encoder.h"
#include "encoders/image_bind_audio.h"
#include "encoders/image_bind_vision.h"
#include "encoders/shared_space.h"
#include "samples/audio_clips.h"

namespace vllama::encoders {

// imagebind_huge.pth also holds the encoders of text, depth, heat and motion.
bool is_unused_image_bind_name(const std::string& name);

class ImageBindPictures final : public Encoder {
 public:
  // declare() throws UserError for sizes that do not fit together.
  ImageBindPictures(const ImageBindVisionConfig& config, const SharedSpace& space);

  samples::EncoderInput input() const override;
  std::int64_t tokens_per_unit() const override { return 1; }
  std::int64_t width() const override { return space_.width; }
  // frames_FHWC uint8 -> images_FCHW in the type of the weights
  at::Tensor prepared(const at::Tensor& frames_FHWC) const override;
  // -> embeddings of length sqrt(D), or 1 at the published scale, fp32
  at::Tensor operator()(const at::Tensor& images_FCHW) const override;

  void declare(nn::ParameterList& list) override { trunk_.declare(list); }
  bool is_unused(const std::string& name) const override { return is_unused_image_bind_name(name); }
  EncoderCost cost_per_unit() const override;
  std::int64_t num_blocks() const override { return trunk_.config().num_blocks; }

  const ImageBindVision& trunk() const { return trunk_; }

 private:
  SharedSpace space_;
  ImageBindVision trunk_;
};

class ImageBindSounds final : public Encoder {
 public:
  // declare() throws UserError for sizes that do not fit together.
  ImageBindSounds(const ImageBindAudioConfig& config, const SharedSpace& space);

  samples::EncoderInput input() const override { return samples::sound_clips(); }
  std::int64_t tokens_per_unit() const override { return 1; }
  std::int64_t width() const override { return space_.width; }
  at::Tensor prepared(const at::Tensor& mel_K1MT) const override { return mel_K1MT; }
  // mel_K1MT of any floating-point type -> embeddings of length sqrt(D), or published_factor() at
  // the published scale, fp32.
  at::Tensor operator()(const at::Tensor& mel_K1MT) const override;

  // Names of imagebind_huge.pth: the trunk, and the logarithm of the factor.
  void declare(nn::ParameterList& list) override;
  bool is_unused(const std::string& name) const override { return is_unused_image_bind_name(name); }
  // Holds the factor in fp32 whatever the trunk computes in, and warns if it is not the published
  // 20.
  void finish_reading(const weights::TensorSource& file) override;
  EncoderCost cost_per_unit() const override;
  std::int64_t num_blocks() const override { return trunk_.config().num_blocks; }

  // What the file multiplies unit vectors of sound with: min(exp(log_logit_scale), 100), a scalar.
  at::Tensor published_factor() const;

  const ImageBindAudio& trunk() const { return trunk_; }

 private:
  SharedSpace space_;
  ImageBindAudio trunk_;
  at::Tensor log_factor_;
};

inline constexpr char kLogAudioFactorName[] = "modality_postprocessors.audio.1.log_logit_scale";

}  // namespace vllama::encoders
