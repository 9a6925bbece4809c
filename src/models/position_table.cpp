#include "models/position_table.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "nn/segments.h"

namespace vllama::models {

PositionTable::PositionTable(PositionRule rule, std::int64_t num_rows, std::int64_t width,
                             const std::string& name)
    : rule_(std::move(rule)), table_(num_rows, width) {
  if (rule_.num_rows > num_rows)
    throw UserError(fmt::format("{}.position_rows = {} is more than the {} rows of the table", name,
                                rule_.num_rows, num_rows));
  if (rule_.num_rows == 0) rule_.num_rows = num_rows;
}

void PositionTable::declare(nn::ParameterList& list, const std::string& prefix) {
  table_.declare(list, prefix, nn::normal(1.0));
}

at::Tensor PositionTable::operator()(const std::vector<std::int64_t>& units_per_item) const {
  if (rule_.kind == PositionKind::none)
    return at::zeros({1, table_.width}, table_.weight_RW.options());
  if (rule_.kind == PositionKind::interpolated) return interpolated(units_per_item);
  return table_(at::tensor(nn::Segments(units_per_item).positions(), at::kLong)
                    .to(table_.weight_RW.device()));
}

at::Tensor PositionTable::interpolated(const std::vector<std::int64_t>& units_per_item) const {
  const std::int64_t last = rule_.num_rows - 1;
  std::vector<std::int64_t> below, above;
  std::vector<double> shares;
  for (const std::int64_t count : units_per_item)
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = i * rule_.num_rows / count;
      below.push_back(row);
      above.push_back(std::min(row + 1, last));
      shares.push_back(static_cast<double>(i * rule_.num_rows % count) /
                       static_cast<double>(count));
    }
  const auto to_device = [this](const at::Tensor& values) {
    return values.to(table_.weight_RW.device());
  };
  const at::Tensor below_RW = table_(to_device(at::tensor(below, at::kLong)));
  const at::Tensor above_RW = table_(to_device(at::tensor(above, at::kLong)));
  const at::Tensor shares_R1 =
      to_device(at::tensor(shares, at::kDouble).to(below_RW.scalar_type())).unsqueeze(1);
  return below_RW + (above_RW - below_RW) * shares_R1;
}

void PositionTable::clear_unused() {
  at::Tensor& rows_RW = table_.weight_RW;
  if (rule_.kind == PositionKind::none) rows_RW = at::zeros(rows_RW.sizes(), rows_RW.options());
}

std::int64_t PositionTable::most_units() const {
  return rule_.kind == PositionKind::table ? table_.rows : std::numeric_limits<std::int64_t>::max();
}

}  // namespace vllama::models
