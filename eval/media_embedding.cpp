#include "eval/media_embedding.h"

namespace vllama::eval {

at::Tensor media_embedding(const models::VideoLlama& model, const processors::MediaInput& input) {
  processors::MediaGroup group;
  group.values = input.values;
  group.rows_per_medium = {input.values.size(0)};
  return model.media_embeddings(input.route, group);
}

datasets::DataConfig decoding_config(const MediaSettings& media) {
  datasets::DataConfig data;
  data.video = media.video;
  data.sound = media.sound;
  data.compat = media.compat;
  return data;
}

}  // namespace vllama::eval
