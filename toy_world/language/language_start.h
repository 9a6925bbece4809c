// How the weights of the toy language model start: as any LLaMA's, but the first heads already look
// at the words before. What a description says of a shape stands in neighbouring words, and a model
// that has to find this out first does not learn to look words up within hours.
#pragma once

#include "language/llama.h"
#include "nn/parameter.h"

namespace vllama::toy {

// `parameters` are those of models::Llama::declare(), filled by nn::initialize(). Entry 0 of every
// word becomes a constant; in layer 0 the first four heads attend to the words 1, 2, 3 and 5
// places before and carry a part of them, in the directions of the word itself.
void start_looking_back(const nn::ParameterList& parameters, const language::LlamaConfig& config,
                        std::uint64_t seed);

}  // namespace vllama::toy
