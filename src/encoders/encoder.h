// A pretrained encoder: from pictures, or clips of sound, to tokens. Shapes: U units (pictures or
// clips), L tokens a unit, D width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/adapters.h"
#include "nn/parameter.h"
#include "samples/encoder_input.h"
#include "weights/tensor_source.h"

namespace vllama::encoders {

// Of one unit, forward.
struct EncoderCost {
  double flops = 0;                  // of matrix products and attention (models/flops.h)
  std::int64_t working_numbers = 0;  // that are in memory at a time, without gradients
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  // What a unit is.
  virtual samples::EncoderInput input() const = 0;
  virtual std::int64_t tokens_per_unit() const = 0;
  virtual std::int64_t width() const = 0;

  // Units as samples have them, on the device of the weights, as what the encoder computes with.
  virtual at::Tensor prepared(const at::Tensor& units) const = 0;
  // Prepared units -> [U * L, D], unit by unit. With autograd, what blocks computed is computed
  // again in the backward pass.
  virtual at::Tensor operator()(const at::Tensor& inputs) const = 0;

  // The parameters under the names of the encoder's published file.
  virtual void declare(nn::ParameterList& list) = 0;
  // Those that are published in the file of what reads the encoder.
  virtual void declare_output_norm(nn::ParameterList& /*list*/) {}
  // Whether the published file has a name on purpose that is of no use here.
  virtual bool is_unused(const std::string& name) const = 0;

  // A file may be for another size of input. Before it is read, parameters may take the shapes that
  // they have there; behind it, what was read becomes the encoder's own.
  virtual void take_shapes(nn::ParameterList& /*parameters*/,
                           const weights::TensorSource& /*file*/) const {}
  virtual void finish_reading(const weights::TensorSource& /*file*/) {}

  virtual EncoderCost cost_per_unit() const = 0;

  virtual std::int64_t num_blocks() const = 0;
  // The matrices of its blocks, by the names that declare() gives them, which may get adapters.
  virtual std::vector<nn::NamedLinear> block_matrices() { return {}; }
  // Whether a parameter, by the name that declare() gives it, is of the last `count` blocks or of
  // what is behind them. Encoders that never train are not asked.
  virtual bool is_in_last_blocks(const std::string& /*name*/, std::int64_t /*count*/) const {
    return false;
  }
};

}  // namespace vllama::encoders
