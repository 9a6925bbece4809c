// Encoders that are published inside of larger models, whose names put different things in front.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "nn/parameter.h"
#include "weights/tensor_source.h"

namespace vllama::encoders {

// Gives parameters that begin with the first of `prefixes` the one that this file has in its place:
// that which stands before `landmark`, a name of the encoder, in it. Without any, they stay.
void take_prefix(nn::ParameterList& parameters, std::span<const std::string_view> prefixes,
                 std::string_view landmark, const weights::TensorSource& file);

}  // namespace vllama::encoders
