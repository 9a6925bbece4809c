// A small model with both branches and random weights, opened for a chat.
#pragma once

#include "inference/open_model.h"
#include "tests/support/fixtures.h"

namespace vllama::test {

// Writes the weights and the tokenizer into the folder, and says where they are. `branches` as in
// models::ModelConfig.
models::ModelConfig write_tiny_chat_weights(const TemporaryFolder& folder,
                                            const std::string& branches);

// 384 positions; a video takes 3 + 2 tokens, frames and sound, an image 3.
inference::OpenedModel tiny_chat_model(const TemporaryFolder& folder,
                                       const std::string& branches = "vision_and_audio");

// SigLIP with an MLP and Whisper with a Q-Former over windows of 0.5 s: a frame takes 1 token, a
// window 2.
inference::OpenedModel tiny_chat_model_of_today(const TemporaryFolder& folder);

}  // namespace vllama::test
