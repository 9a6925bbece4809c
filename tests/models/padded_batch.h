// From batches padded on the right, as recorded, to sequences that lie end to end.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "nn/segments.h"

namespace vllama::test {

// The rows of padded_BS... that are not padding (mask_BS int64, 1 where they are not), end to end.
at::Tensor packed(const at::Tensor& padded_BS, const at::Tensor& mask_BS);

// The numbers of those rows.
nn::Segments sequences_of(const at::Tensor& mask_BS);

// Rows whose successor in the sequence is a target (a label that is not negative), and those
// targets; both int64.
std::pair<at::Tensor, at::Tensor> targets_of(const at::Tensor& labels_T,
                                             const nn::Segments& sequences);

}  // namespace vllama::test
