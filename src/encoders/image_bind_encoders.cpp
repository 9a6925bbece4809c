#include "encoders/image_bind_encoders.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/log.h"
#include "encoders/clip_pictures.h"
#include "encoders/patch_grid.h"
#include "encoders/transformer_cost.h"
#include "weights/file_sizes.h"

namespace vllama::encoders {
namespace {

constexpr double kLargestFactor = 100;
constexpr double kPublishedFactor = 20;
constexpr double kFactorTolerance = 1e-3;
constexpr std::array<std::string_view, 4> kOtherModalities{"text", "depth", "thermal", "imu"};
constexpr const char* kPositionTable = "pos_embedding_helper.pos_embed";

// Takes the part up to the next dot off the name, with the dot; empty without one. The names come
// from files and may be of any length, so they are taken apart without recursion.
std::string_view split_at_dot(std::string_view& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view part = name.substr(0, dot);
  name.remove_prefix(dot + 1);
  return part;
}

EncoderCost with_head(EncoderCost cost, std::int64_t width, std::int64_t embedding_width) {
  cost.flops += product_flops(1, static_cast<double>(width), static_cast<double>(embedding_width));
  return cost;
}

// Of the distances that make so many patches of a mel spectrogram: what is configured, the side of
// a patch, or the smallest.
std::optional<std::int64_t> mel_stride(ImageBindAudioConfig config,
                                       std::optional<std::int64_t> num_tokens) {
  if (!num_tokens || config.kernel_size > ImageBindAudioConfig::num_mel_bins) return std::nullopt;
  std::vector<std::int64_t> candidates{config.stride, config.kernel_size};
  for (std::int64_t i = 1; i <= ImageBindAudioConfig::num_mel_frames; ++i) candidates.push_back(i);
  for (const std::int64_t candidate : candidates) {
    config.stride = candidate;
    if (config.num_tokens() == *num_tokens) return candidate;
  }
  return std::nullopt;
}

// Of the encoder of "vision" or "audio". `read_patches`, given what the names of the encoder's
// inputs begin with, takes the sizes that only this one has.
template <class Sizes, class ReadPatches>
void read_trunk_sizes(weights::FileSizes& file, Sizes& sizes, const std::string& modality,
                      const std::string& section, ReadPatches read_patches) {
  const std::string inputs = fmt::format("modality_preprocessors.{}.", modality);
  const std::string blocks = fmt::format("modality_trunks.{}.blocks.", modality);
  if (!file.shapes().holds_any(blocks)) return;
  file.take(section + ".width", sizes.width, inputs + "cls_token", 2);
  read_patches(inputs);
  file.take(section + ".mlp_width", sizes.mlp_width, blocks + "0.mlp.fc1.weight", 0);
  file.take_count(section + ".num_blocks", sizes.num_blocks, blocks, "norm_1.weight");
  file.check_heads(section, sizes.num_heads, sizes.width, Sizes{}.width);
}

}  // namespace

bool is_unused_image_bind_name(const std::string& name) {
  std::string_view rest = name;
  const std::string_view part = split_at_dot(rest), modality = split_at_dot(rest);
  return part.starts_with("modality_") && part != "modality_" &&
         part.find_first_not_of("abcdefghijklmnopqrstuvwxyz", 9) == std::string_view::npos &&
         std::ranges::find(kOtherModalities, modality) != kOtherModalities.end();
}

ImageBindPictures::ImageBindPictures(const ImageBindVisionConfig& config, const SharedSpace& space)
    : space_(space), trunk_(config, space.width) {}

samples::EncoderInput ImageBindPictures::input() const {
  return clip_pictures(trunk_.config().image_size);
}

at::Tensor ImageBindPictures::prepared(const at::Tensor& frames_FHWC) const {
  return normalized(frames_FHWC, clip_pictures(trunk_.config().image_size), trunk_.dtype());
}

at::Tensor ImageBindPictures::operator()(const at::Tensor& images_FCHW) const {
  const at::Tensor units_FE = trunk_(images_FCHW);
  return space_.scale == EmbeddingScale::equal
             ? units_FE * std::sqrt(static_cast<double>(space_.width))
             : units_FE;
}

// The kernel of the patches spans two frames in time. (The encoder here sums it over them, which
// saves 0.1 % of the whole.)
EncoderCost ImageBindPictures::cost_per_unit() const {
  const ImageBindVisionConfig& config = trunk_.config();
  return with_head(transformer_cost(config, 2 * 3 * config.patch_size * config.patch_size),
                   config.width, space_.width);
}

ImageBindSounds::ImageBindSounds(const ImageBindAudioConfig& config, const SharedSpace& space)
    : space_(space), trunk_(config, space.width) {}

at::Tensor ImageBindSounds::operator()(const at::Tensor& mel_K1MT) const {
  const at::Tensor units_KE = trunk_(mel_K1MT);
  return space_.scale == EmbeddingScale::equal
             ? units_KE * std::sqrt(static_cast<double>(space_.width))
             : units_KE * published_factor();
}

at::Tensor ImageBindSounds::published_factor() const {
  return log_factor_.to(at::kFloat).exp().clamp_max(kLargestFactor);
}

void ImageBindSounds::declare(nn::ParameterList& list) {
  trunk_.declare(list);
  list.push_back({kLogAudioFactorName, {}, &log_factor_, nn::constant(std::log(kPublishedFactor))});
}

// bf16 would make 20.09 of 20.
void ImageBindSounds::finish_reading(const weights::TensorSource& file) {
  log_factor_ = file.read(kLogAudioFactorName).clone().to(log_factor_.device(), at::kFloat);
  const auto factor = published_factor().item<double>();
  if (!(std::abs(factor - kPublishedFactor) <= kFactorTolerance))
    log::warn("'{}': {} scales sound by {}, not by the published {}", file.tensors().front().file,
              kLogAudioFactorName, factor, kPublishedFactor);
}

EncoderCost ImageBindSounds::cost_per_unit() const {
  const ImageBindAudioConfig& config = trunk_.config();
  return with_head(
      transformer_cost(config, config.kernel_size * config.kernel_size, /*extra_keys=*/1),
      config.width, space_.width);
}

std::unique_ptr<Encoder> make_encoder(const ImageBindVisionConfig& sizes,
                                      const SharedSpace& space) {
  return std::make_unique<ImageBindPictures>(sizes, space);
}

std::unique_ptr<Encoder> make_encoder(const ImageBindAudioConfig& sizes, const SharedSpace& space) {
  return std::make_unique<ImageBindSounds>(sizes, space);
}

void read_sizes(weights::FileSizes& file, ImageBindVisionConfig& config,
                const std::string& section) {
  read_trunk_sizes(file, config, "vision", section, [&](const std::string& inputs) {
    file.take(section + ".patch_size", config.patch_size, inputs + "rgbt_stem.proj.1.weight", 3);
    file.take(section + ".image_size", config.image_size,
              image_side(file.shapes().extent(inputs + kPositionTable, 1), config.patch_size),
              inputs + kPositionTable);
  });
}

void read_sizes(weights::FileSizes& file, ImageBindAudioConfig& config,
                const std::string& section) {
  read_trunk_sizes(file, config, "audio", section, [&](const std::string& inputs) {
    file.take(section + ".kernel_size", config.kernel_size, inputs + "rgbt_stem.proj.weight", 2);
    file.take(section + ".stride", config.stride,
              mel_stride(config, file.shapes().extent(inputs + kPositionTable, 1)),
              inputs + kPositionTable);
  });
}

void read_space_width(weights::FileSizes& file, config::Size& width, const std::string& key) {
  file.take(key, width, "modality_heads.vision.2.weight", 0);
}

}  // namespace vllama::encoders
