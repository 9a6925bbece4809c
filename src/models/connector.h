// What makes of the states of a medium, however many, the vectors that a projection takes to the
// language model. Shapes: S states of all media end to end, E their width, M vectors of all media,
// D their width.
#pragma once

#include <span>
#include <vector>

#include "models/modules.h"
#include "nn/dropout.h"
#include "nn/parameter.h"

namespace vllama::models {

// The states of a medium: `states_per_unit` of each of its units, less the padding at the end.
struct MediumShape {
  std::int64_t num_units = 0, states_per_unit = 0, num_states = 0;

  // How many states each of its units has.
  std::vector<std::int64_t> units() const;
};

class Connector {
 public:
  virtual ~Connector() = default;

  virtual std::int64_t width() const = 0;
  virtual std::int64_t num_tokens(const MediumShape& medium) const = 0;

  // How its states divide into what stands at one time, and has one position.
  virtual std::vector<std::int64_t> places(const MediumShape& medium) const {
    return medium.units();
  }
  // Whether its vectors lie place by place, as many for each.
  virtual bool keeps_places() const = 0;
  // How its states divide into what is read apart, and has dropout masks of its own.
  virtual std::vector<std::int64_t> windows(const MediumShape& medium) const {
    return {medium.num_states};
  }

  // The parameters that are published as `part`, if it has such.
  virtual void declare(nn::ParameterList& list, const PublishedPart& part) = 0;

  // states_SE -> [M, D] in their type, medium by medium. The samples of the dropout are windows.
  virtual at::Tensor operator()(const at::Tensor& states_SE, std::span<const MediumShape> media,
                                nn::Dropout dropout = {}) const = 0;

  // Floating-point operations of the matrix products and attention of one medium, forward.
  virtual double flops(const MediumShape& medium) const = 0;
};

}  // namespace vllama::models
