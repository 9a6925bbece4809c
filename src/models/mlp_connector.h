// The connector of LLaVA (arXiv 2310.03744) and its descendants: a layer with GELU over every
// patch, or over neighbours joined; the projection behind it is the second layer. Every picture
// and every frame keeps vectors of its own. Shapes: as of Connector; s x s patches a picture.
#pragma once

#include "config/fields.h"
#include "models/connector.h"
#include "nn/linear.h"

namespace vllama::models {

struct MlpConfig {
  std::int64_t merge = 1;
  std::int64_t clip_pooling = 1;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::Range<std::int64_t> range{1, 16};
    field("merge", merge,
          "side of the squares of patches that become one vector, their features behind one "
          "another: 2 gives a quarter of the vectors",
          range);
    field("clip_pooling", clip_pooling,
          "side of the squares of patches whose mean stands for them in clips of more than one "
          "frame, before they are merged",
          range);
  }
};

class MlpConnector final : public Connector {
 public:
  // `width` is that of the language model. Throws UserError if the states of a unit make no square
  // grid.
  MlpConnector(const MlpConfig& config, std::int64_t states_per_unit, std::int64_t states_width,
               std::int64_t width);

  std::int64_t width() const override { return layer_.outputs; }
  std::int64_t num_tokens(const MediumShape& medium) const override;
  bool keeps_places() const override { return true; }
  void declare(nn::ParameterList& list, const PublishedPart& part) override;
  // Nothing is dropped.
  at::Tensor operator()(const at::Tensor& states_SE, std::span<const MediumShape> media,
                        nn::Dropout dropout = {}) const override;
  double flops(const MediumShape& medium) const override;

 private:
  bool is_clip(const MediumShape& medium) const { return medium.num_units > 1; }
  // Of a unit: patches a side behind pooling and merging.
  std::int64_t side_of(const MediumShape& medium) const;
  // Of the F units of one medium, [F * s * s, E] -> [F * tokens, merge^2 * E].
  at::Tensor merged(const at::Tensor& states_SE, const MediumShape& medium) const;

  MlpConfig config_;
  std::int64_t grid_side_, states_width_;
  nn::Linear layer_;
};

}  // namespace vllama::models
