// How the weights of the toy language model start: as any LLaMA's, but the first heads already look
// at the words before. What a description says of a shape stands in neighbouring words, and a model
// that has to find this out first does not learn to look words up within hours.
#pragma once

#include "models/llama.h"
#include "nn/parameter.h"

namespace vllama::toy {

// `parameters` are those of models::Llama::declare(), filled by nn::initialize(). Entry 0 of every
// word becomes a constant; in layer 0, head h = 0, 1, 2 attends to the word h + 1 places before and
// carries a part of it, in the directions of the word itself.
void start_looking_back(const nn::ParameterList& parameters, const models::LlamaConfig& config,
                        std::uint64_t seed);

}  // namespace vllama::toy
