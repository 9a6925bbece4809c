// Builds Video-LLaMA from the published weight files.
#pragma once

#include <memory>

#include "models/video_llama.h"

namespace vllama::models {

// Reads every file named in `config.weights`, in this order: vision encoder, Q-Former, language
// model; the trained part starts from its initial distribution (a function of `seed`), then the
// projection file, then the checkpoint, the later winning. Frozen tensors are held once, in the
// configured precision. Throws UserError naming the file and every tensor that is missing,
// unexpected or misshapen.
std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& config, at::Device device,
                                             std::uint64_t seed);

// The folder's tokenizer and its embedding table must fit: as many rows as pieces, or a few more
// for added tokens. Throws UserError with both numbers.
void check_vocabulary(const LlamaConfig& language_model, std::int64_t num_pieces,
                      const std::string& folder);

}  // namespace vllama::models
