// Builds Video-LLaMA from the published weight files.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/video_llama.h"

namespace vllama::models {

// Reads every file named in `config.weights`, in this order: vision encoder, Q-Former, language
// model; the trained part starts from its initial distribution (a function of `seed`), then the
// projection file, then the branches' checkpoints, then the saved step, the later winning. Frozen
// tensors are held once, in the type they compute in; what trains is fp32. With `sharers`, which
// outlive the model, its language model is held in parts by all of them, and read matrix by matrix
// (see Llama::shard_layers). Sizes that `config` does not give are those of the files
// (file_sizes.h). Throws UserError naming the file and its sizes where others are given, or every
// tensor that is missing, unexpected, misshapen or not finite.
std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& config, at::Device device,
                                             std::uint64_t seed,
                                             nn::PartExchange* sharers = nullptr);

// What of the model is not in its base files, in fp32 on the CPU: the branches, the adapters, and
// whatever of the base an earlier run has trained. Read and initialised as load_video_llama does,
// then `trained` (as models::load_saved_step; none if empty); of the base only the language
// model's config.json is looked at. In the order of VideoLlama::module_parameters(). Throws
// UserError as load_video_llama.
std::vector<std::pair<std::string, at::Tensor>> read_trained_part(const ModelConfig& config,
                                                                  const std::string& trained,
                                                                  std::uint64_t seed);

// Names the files that the configured branches need and the configuration lacks; else empty.
std::string missing_files(const ModelConfig& config);

// Compares the names, shapes and types in every file that load_video_llama would read with what the
// model needs; no tensor is read or allocated. Gives load_video_llama's message for each file that
// would not load, and one for files that are not named; empty if all would load. Throws UserError
// for sizes that contradict each other.
std::vector<std::string> check_weights(const ModelConfig& config);

// The folder's tokenizer and its embedding table must fit: as many rows as tokens, or up to
// `max_added_rows` more (text/tokenizer.h). Throws UserError with both numbers.
void check_vocabulary(const language::LlamaConfig& language_model, std::int64_t num_tokens,
                      std::int64_t max_added_rows, const std::string& folder);

}  // namespace vllama::models
