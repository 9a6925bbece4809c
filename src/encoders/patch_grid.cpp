#include "encoders/patch_grid.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bicubic2d.h>

namespace vllama::encoders {

at::Tensor resize_positions(const at::Tensor& positions_1LD, std::int64_t num_tokens,
                            std::int64_t num_class_tokens) {
  if (positions_1LD.size(1) == num_tokens) return positions_1LD;
  const std::int64_t from = grid_side(positions_1LD.size(1), num_class_tokens).value(),
                     to = grid_side(num_tokens, num_class_tokens).value();
  const at::Tensor grid = positions_1LD.narrow(1, num_class_tokens, from * from)
                              .to(at::kFloat)
                              .view({1, from, from, -1})
                              .permute({0, 3, 1, 2});
  const at::Tensor resized =
      at::upsample_bicubic2d(grid, std::vector<std::int64_t>{to, to}, /*align_corners=*/false);
  return at::cat({positions_1LD.narrow(1, 0, num_class_tokens).to(at::kFloat),
                  resized.permute({0, 2, 3, 1}).flatten(1, 2)},
                 1);
}

}  // namespace vllama::encoders
