#include "models/file_sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "weights/tensor_shapes.h"

namespace vllama::models {
namespace {

using config::Size;

// One file beside what the configuration says of it.
class FileSizes {
 public:
  explicit FileSizes(const weights::TensorShapes& shapes) : shapes_(shapes) {}

  const weights::TensorShapes& shapes() const { return shapes_; }

  // `key` is the size's place in the configuration; `evidence` a tensor that shows it.
  void take(const std::string& key, Size& size, std::optional<std::int64_t> found,
            const std::string& evidence) {
    if (!found || *found < 1) return;
    if (size.is_given() && size != *found)
      differences_.push_back(fmt::format("{} is {}, but the file has {} ({})", key,
                                         std::int64_t{size}, *found, evidence));
    if (size != *found) size = size.is_given() ? Size(*found) : Size::published(*found);
  }

  void take(const std::string& key, Size& size, const std::string& tensor, std::size_t dimension) {
    take(key, size, shapes_.extent(tensor, dimension), tensor);
  }

  // Layers "<prefix>0.", "<prefix>1.", ...; each has the tensor "<prefix>N.<part>".
  void take_count(const std::string& key, Size& size, const std::string& prefix,
                  const std::string& part) {
    const std::int64_t found = shapes_.count_numbered(prefix);
    const std::int64_t last = std::max<std::int64_t>(found, size) - 1;
    take(key, size, found, fmt::format("{}{}{}.{}", size > found ? "no " : "", prefix, last, part));
  }

  // No shape tells the number of heads: at another width than the published one it is a guess.
  void check_heads(const std::string& section, const Size& num_heads, const Size& width,
                   std::int64_t published_width) {
    if (width % num_heads == 0) {
      if (!num_heads.is_given() && width != published_width)
        guesses_.push_back(fmt::format("{}.num_heads: {}", section, std::int64_t{num_heads}));
      return;
    }
    differences_.push_back(
        fmt::format("{}.num_heads is {}{}, which does not divide the width {}: give the number "
                    "that the weights "
                    "were trained with",
                    section, std::int64_t{num_heads},
                    num_heads.is_given() ? "" : " where it is not given", std::int64_t{width}));
  }

  const std::vector<std::string>& differences() const { return differences_; }
  const std::vector<std::string>& guesses() const { return guesses_; }

 private:
  const weights::TensorShapes& shapes_;
  std::vector<std::string> differences_, guesses_;
};

// The side of a square grid of patches with a class token in front.
std::optional<std::int64_t> grid_side(std::optional<std::int64_t> num_tokens) {
  if (!num_tokens || *num_tokens < 2) return std::nullopt;
  const auto side = std::llround(std::sqrt(static_cast<double>(*num_tokens - 1)));
  if (side * side != *num_tokens - 1) return std::nullopt;
  return side;
}

std::optional<std::int64_t> image_side(std::optional<std::int64_t> num_tokens,
                                       std::int64_t patch_size) {
  const auto side = grid_side(num_tokens);
  if (!side) return std::nullopt;
  return *side * patch_size;
}

void read_vision_encoder(FileSizes& file, encoders::EvaVitConfig& encoder) {
  const std::string section = "model.vision.encoder";
  const weights::TensorShapes& shapes = file.shapes();
  const bool is_there = shapes.holds("cls_token") || shapes.holds("blocks.0.norm1.weight");
  if (!is_there) return;
  file.take(section + ".width", encoder.width, "cls_token", 2);
  file.take(section + ".patch_size", encoder.patch_size, "patch_embed.proj.weight", 2);
  file.take(section + ".mlp_width", encoder.mlp_width, "blocks.0.mlp.fc1.weight", 0);
  // The published file also has the last block, its norm and a classifier, which BLIP-2 leaves out.
  const bool is_whole = shapes.holds_any("norm.") || shapes.holds_any("head.");
  const std::int64_t num_blocks = shapes.count_numbered("blocks.");
  if (!encoder.num_blocks.is_given() && is_whole && num_blocks > 1)
    encoder.num_blocks = Size::published(num_blocks - 1);
  else if (!encoder.num_blocks.is_given() || encoder.num_blocks > num_blocks)
    file.take_count(section + ".num_blocks", encoder.num_blocks, "blocks.", "attn.qkv.weight");
  if (const auto side = image_side(shapes.extent("pos_embed", 1), encoder.patch_size);
      side && !encoder.image_size.is_given())
    encoder.image_size = Size::published(*side);
  file.check_heads(section, encoder.num_heads, encoder.width, encoders::EvaVitConfig{}.width);
}

// The layers that look at the encoder are 0, n, 2n, ...; if none but the first does, any n that is
// not smaller than the number of layers says so.
std::optional<std::int64_t> distance_of_cross_attention(const weights::TensorShapes& shapes,
                                                        const std::string& layers,
                                                        std::int64_t configured) {
  const auto looks = [&](std::int64_t i) {
    return shapes.holds(fmt::format("{}{}.crossattention.self.query.weight", layers, i));
  };
  const std::int64_t num_layers = shapes.count_numbered(layers);
  if (num_layers == 0 || !looks(0)) return std::nullopt;
  std::int64_t distance = 1;
  while (distance < num_layers && !looks(distance)) ++distance;
  return distance == num_layers ? std::max(distance, configured) : distance;
}

// `queries` is the name of the query tokens, `prefix` what stands before "encoder.layer.".
void read_q_former(FileSizes& file, QFormerConfig& former, const std::string& section,
                   const std::string& queries, const std::string& prefix) {
  const weights::TensorShapes& shapes = file.shapes();
  const std::string layers = prefix + "encoder.layer.";
  if (!shapes.holds_any(layers)) return;
  file.take(section + ".num_queries", former.num_queries, queries, 1);
  file.take(section + ".width", former.width, queries, 2);
  file.take(section + ".mlp_width", former.mlp_width, layers + "0.intermediate_query.dense.weight",
            0);
  file.take_count(section + ".num_layers", former.num_layers, layers,
                  "attention.self.query.weight");
  file.take(section + ".cross_attention_every", former.cross_attention_every,
            distance_of_cross_attention(shapes, layers, former.cross_attention_every),
            layers + "N.crossattention.self.query.weight");
  file.check_heads(section, former.num_heads, former.width, QFormerConfig{}.width);
}

// Of the distances that make so many patches of a mel spectrogram: what is configured, the side of
// a patch, or the smallest.
std::optional<std::int64_t> mel_stride(encoders::ImageBindAudioConfig encoder,
                                       std::optional<std::int64_t> num_tokens) {
  if (!num_tokens || encoder.kernel_size > encoders::ImageBindAudioConfig::num_mel_bins)
    return std::nullopt;
  std::vector<std::int64_t> candidates{encoder.stride, encoder.kernel_size};
  for (std::int64_t i = 1; i <= encoders::ImageBindAudioConfig::num_mel_frames; ++i)
    candidates.push_back(i);
  for (const std::int64_t candidate : candidates) {
    encoder.stride = candidate;
    if (encoder.num_tokens() == *num_tokens) return candidate;
  }
  return std::nullopt;
}

// One of the two encoders of ImageBind, of "vision" or "audio". `read_patches`, given the section
// and what the names of the encoder's inputs begin with, takes the sizes that only this one has.
template <class Encoder, class ReadPatches>
void read_image_bind_encoder(FileSizes& file, const std::string& modality, Encoder& encoder,
                             ReadPatches read_patches) {
  const std::string section = fmt::format("model.audio.{}_encoder", modality);
  const std::string inputs = fmt::format("modality_preprocessors.{}.", modality);
  const std::string blocks = fmt::format("modality_trunks.{}.blocks.", modality);
  if (!file.shapes().holds_any(blocks)) return;
  file.take(section + ".width", encoder.width, inputs + "cls_token", 2);
  read_patches(section, inputs);
  file.take(section + ".mlp_width", encoder.mlp_width, blocks + "0.mlp.fc1.weight", 0);
  file.take_count(section + ".num_blocks", encoder.num_blocks, blocks, "norm_1.weight");
  file.check_heads(section, encoder.num_heads, encoder.width, Encoder{}.width);
}

void read_image_bind(FileSizes& file, AudioConfig& audio) {
  const std::string table = "pos_embedding_helper.pos_embed";
  read_image_bind_encoder(
      file, "vision", audio.vision_encoder,
      [&, &encoder = audio.vision_encoder](const std::string& section, const std::string& inputs) {
        file.take(section + ".patch_size", encoder.patch_size, inputs + "rgbt_stem.proj.1.weight",
                  3);
        file.take(section + ".image_size", encoder.image_size,
                  image_side(file.shapes().extent(inputs + table, 1), encoder.patch_size),
                  inputs + table);
      });
  read_image_bind_encoder(
      file, "audio", audio.audio_encoder,
      [&, &encoder = audio.audio_encoder](const std::string& section, const std::string& inputs) {
        file.take(section + ".kernel_size", encoder.kernel_size, inputs + "rgbt_stem.proj.weight",
                  2);
        file.take(section + ".stride", encoder.stride,
                  mel_stride(encoder, file.shapes().extent(inputs + table, 1)), inputs + table);
      });
  file.take("model.audio.embedding_width", audio.embedding_width, "modality_heads.vision.2.weight",
            0);
}

void read_vision_checkpoint(FileSizes& file, VisionConfig& vision) {
  read_q_former(file, vision.video_q_former, "model.vision.video_q_former", "video_query_tokens",
                "video_Qformer.bert.");
  file.take("model.vision.max_frame_positions", vision.max_frame_positions,
            "video_frame_position_embedding.weight", 0);
}

void read_audio_checkpoint(FileSizes& file, AudioConfig& audio) {
  read_q_former(file, audio.audio_q_former, "model.audio.audio_q_former", "audio_query_tokens",
                "audio_Qformer.bert.");
  file.take("model.audio.max_positions", audio.max_positions, "audio_position_embedding.weight", 0);
}

// Finds sizes of a section that were not given.
class OpenSizes {
 public:
  template <class T, class... Rules>
  void operator()(const char*, T& value, const char*, const Rules&...) {
    if constexpr (std::same_as<T, Size>)
      found_ = found_ || !value.is_given();
    else if constexpr (config::Section<T>)
      value.visit(*this);
  }
  bool found() const { return found_; }

 private:
  bool found_ = false;
};

template <class... Sections>
bool has_open_sizes(Sections... sections) {
  OpenSizes sizes;
  (sizes("", sections, ""), ...);
  return sizes.found();
}

// Files named by the configuration, each with what reads it, and whether it tells sizes that were
// not given. A later file wins.
struct NamedFile {
  std::string key, file;
  bool tells_open_sizes;
  std::function<void(FileSizes&)> read;
};

std::vector<NamedFile> named_files(ModelConfig& config) {
  const WeightFiles& weights = config.weights;
  VisionConfig& vision = config.vision;
  AudioConfig& audio = config.audio;
  std::vector<NamedFile> files;
  if (config.has_vision()) {
    files.push_back({"vision_encoder", weights.vision_encoder, has_open_sizes(vision.encoder),
                     [&](FileSizes& file) { read_vision_encoder(file, vision.encoder); }});
    files.push_back(
        {"q_former", weights.q_former, has_open_sizes(vision.image_q_former), [&](FileSizes& file) {
           read_q_former(file, vision.image_q_former, "model.vision.image_q_former", "query_tokens",
                         "Qformer.bert.");
         }});
    files.push_back({"vision_checkpoint", weights.vision_checkpoint,
                     has_open_sizes(vision.video_q_former, vision.max_frame_positions),
                     [&](FileSizes& file) { read_vision_checkpoint(file, vision); }});
  }
  if (config.has_audio()) {
    files.push_back(
        {"image_bind", weights.image_bind,
         has_open_sizes(audio.vision_encoder, audio.audio_encoder, audio.embedding_width),
         [&](FileSizes& file) { read_image_bind(file, audio); }});
    files.push_back({"audio_checkpoint", weights.audio_checkpoint,
                     has_open_sizes(audio.audio_q_former, audio.max_positions),
                     [&](FileSizes& file) { read_audio_checkpoint(file, audio); }});
  }
  files.push_back({"saved_step", weights.saved_step,
                   (config.has_vision() && has_open_sizes(vision)) ||
                       (config.has_audio() && has_open_sizes(audio)),
                   [&](FileSizes& file) {
                     if (config.has_vision()) read_vision_checkpoint(file, vision);
                     if (config.has_audio()) read_audio_checkpoint(file, audio);
                   }});
  std::erase_if(files, [](const NamedFile& named) { return named.file.empty(); });
  return files;
}

// Nothing if the file cannot be read: whatever loads it says why.
std::optional<weights::TensorShapes> shapes_of(const std::string& file) {
  try {
    return weights::TensorShapes(*weights::open_weights(file));
  } catch (const UserError&) {
    return std::nullopt;
  }
}

}  // namespace

SizedModel sizes_of_files(ModelConfig config) {
  SizedModel result{std::move(config)};
  for (const NamedFile& named : named_files(result.config)) {
    const auto shapes = shapes_of(named.file);
    if (!shapes) continue;
    FileSizes file(*shapes);
    named.read(file);
    if (!file.differences().empty())
      result.contradictions[named.key] = fmt::format(
          "model.weights.{}: '{}' has other sizes than the configuration: {}; leave these keys "
          "out, "
          "and the sizes are those of the file",
          named.key, named.file, fmt::join(file.differences(), "; "));
  }
  return result;
}

ModelConfig with_sizes_of_files(ModelConfig config) {
  for (const NamedFile& named : named_files(config)) {
    if (!named.tells_open_sizes) continue;
    const auto shapes = shapes_of(named.file);
    if (!shapes) {
      log::warn(
          "model.weights.{}: '{}' cannot be read: the published sizes are assumed where none are "
          "given",
          named.key, named.file);
      continue;
    }
    FileSizes file(*shapes);
    const ModelConfig given = config;
    named.read(file);
    // What loads the file says what does not agree; nothing else may be computed meanwhile.
    if (!file.differences().empty()) config = given;
    for (const std::string& guess : file.guesses())
      log::warn(
          "{}, as published, is assumed: no file tells it, and '{}' is not as wide as the "
          "published "
          "one; give it if it is another",
          guess, named.file);
  }
  return config;
}

}  // namespace vllama::models
