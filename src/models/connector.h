// What makes of the tokens of a medium, however many, always the same number. Shapes: N media, S
// tokens of all of them end to end, E their width, Q tokens a medium, D their width.
#pragma once

#include "models/modules.h"
#include "nn/dropout.h"
#include "nn/parameter.h"
#include "nn/segments.h"

namespace vllama::models {

class Connector {
 public:
  virtual ~Connector() = default;

  virtual std::int64_t num_tokens() const = 0;
  virtual std::int64_t width() const = 0;

  // The parameters that are published as `part`.
  virtual void declare(nn::ParameterList& list, const PublishedPart& part) = 0;

  // states_SE, divided among the media -> [N * Q, D] in their type.
  virtual at::Tensor operator()(const at::Tensor& states_SE, const nn::Segments& media,
                                nn::Dropout dropout = {}) const = 0;

  // Floating-point operations of the matrix products and attention of one medium, forward.
  virtual double flops(std::int64_t num_states) const = 0;
};

}  // namespace vllama::models
