#include "models/file_sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <concepts>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "weights/file_sizes.h"

namespace vllama::models {
namespace {

using config::Size;

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
void read_q_former(weights::FileSizes& file, QFormerConfig& former, const std::string& section,
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

void read_vision_checkpoint(weights::FileSizes& file, VisionConfig& vision) {
  read_q_former(file, vision.q_former, "model.vision.video_q_former", "video_query_tokens",
                "video_Qformer.bert.");
  file.take("model.vision.max_frame_positions", vision.max_positions,
            "video_frame_position_embedding.weight", 0);
}

void read_audio_checkpoint(weights::FileSizes& file, AudioConfig& audio) {
  read_q_former(file, audio.q_former, "model.audio.audio_q_former", "audio_query_tokens",
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
  std::function<void(weights::FileSizes&)> read;
};

std::vector<NamedFile> named_files(ModelConfig& config) {
  const WeightFiles& weights = config.weights;
  VisionConfig& vision = config.vision;
  AudioConfig& audio = config.audio;
  std::vector<NamedFile> files;
  if (config.has_vision()) {
    files.push_back({"vision_encoder", weights.vision_encoder, has_open_sizes(vision.encoder),
                     [&](weights::FileSizes& file) {
                       read_sizes(file, vision.encoder, "model.vision.encoder");
                     }});
    files.push_back({"q_former", weights.q_former, has_open_sizes(vision.resampler),
                     [&](weights::FileSizes& file) {
                       read_q_former(file, vision.resampler, "model.vision.image_q_former",
                                     "query_tokens", "Qformer.bert.");
                     }});
    files.push_back({"vision_checkpoint", weights.vision_checkpoint,
                     has_open_sizes(vision.q_former, vision.max_positions),
                     [&](weights::FileSizes& file) { read_vision_checkpoint(file, vision); }});
  }
  if (config.has_audio() && !audio.sees())
    files.push_back({"audio_encoder", weights.audio_encoder, has_open_sizes(audio.encoder),
                     [&](weights::FileSizes& file) {
                       read_sizes(file, audio.encoder, "model.audio.audio_encoder");
                     }});
  if (config.has_audio() && audio.sees())
    files.push_back({"image_bind", weights.image_bind,
                     has_open_sizes(audio.twin, audio.encoder, audio.embedding_width),
                     [&](weights::FileSizes& file) {
                       read_sizes(file, audio.twin, "model.audio.vision_encoder");
                       read_sizes(file, audio.encoder, "model.audio.audio_encoder");
                       encoders::read_space_width(file, audio.embedding_width,
                                                  "model.audio.embedding_width");
                     }});
  if (config.has_audio())
    files.push_back({"audio_checkpoint", weights.audio_checkpoint,
                     has_open_sizes(audio.q_former, audio.max_positions),
                     [&](weights::FileSizes& file) { read_audio_checkpoint(file, audio); }});
  files.push_back({"saved_step", weights.saved_step,
                   (config.has_vision() && has_open_sizes(vision)) ||
                       (config.has_audio() && has_open_sizes(audio)),
                   [&](weights::FileSizes& file) {
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
    weights::FileSizes file(*shapes, named.file);
    try {
      named.read(file);
    } catch (const UserError& error) {
      result.contradictions[named.key] =
          fmt::format("model.weights.{}: {}", named.key, error.what());
      continue;
    }
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
    weights::FileSizes file(*shapes, named.file);
    const ModelConfig given = config;
    try {
      named.read(file);
    } catch (const UserError&) {
      config = given;
      continue;
    }
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
