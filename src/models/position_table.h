// Where in its clip each frame or sound clip stands, told by the rows of a trained table.
#pragma once

#include <string>
#include <vector>

#include "models/position_rule.h"
#include "nn/linear.h"

namespace vllama::models {

class PositionTable {
 public:
  // `name` begins the names of the settings in messages, as "model.vision". Throws UserError if the
  // rule wants more rows than there are.
  PositionTable(PositionRule rule, std::int64_t num_rows, std::int64_t width,
                const std::string& name);

  void declare(nn::ParameterList& list, const std::string& prefix);

  // What is added to each of the units of items that lie end to end, [U, W]. Of an item with n
  // units, unit i gets
  //   table         row i of the table
  //   interpolated  what stands at i / n of its first N = num_rows rows: rows floor(i N / n) and
  //                 the next one, in proportion, and row N - 1 behind that. Frame i of n lies at i
  //                 / n of a clip, so it gets what a frame at this time gets in a clip of N frames;
  //                 with n = N it is the table
  //   none          zero, [1, W]
  // An item takes at most most_units().
  at::Tensor operator()(const std::vector<std::int64_t>& units_per_item) const;

  // Without positions the table is all zero, so that a file computes the same in programs that add
  // them.
  void clear_unused();

  std::int64_t most_units() const;

 private:
  at::Tensor interpolated(const std::vector<std::int64_t>& units_per_item) const;

  PositionRule rule_;
  nn::Embedding table_;
};

}  // namespace vllama::models
