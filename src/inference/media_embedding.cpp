#include "inference/media_embedding.h"

#include "models/video_llama.h"
#include "samples/example.h"

namespace vllama::inference {

at::Tensor media_embedding(const models::VideoLlama& model, const samples::MediaInput& input) {
  samples::MediaGroup group;
  group.values = input.values;
  group.extents = {input.extent()};
  return model.media_embeddings(input.encoder, group);
}

}  // namespace vllama::inference
