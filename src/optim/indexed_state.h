// The optimizer state of the published checkpoints, which names tensors by flat index: 0, 1, ...
// through the decayed parameters, then through the others.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "optim/flat_parameters.h"

namespace vllama::optim {

// What the entry state[index] of a published checkpoint holds. `step` is one number of any type.
struct IndexedMoments {
  at::Tensor step, exp_avg, exp_avg_sq;
};

// The same state under names, as AdamW::load_state takes it (which then checks the shapes). One
// UserError names every missing or unknown index and every incomplete entry, and it is an error
// when entries differ in their step, because one step updates every parameter.
std::map<std::string, at::Tensor> to_named_state(
    const std::map<std::int64_t, IndexedMoments>& indexed, std::span<const FlatSlot> slots);

// The reverse: what AdamW::state returned, by index, with `step` as an fp32 scalar. The moments are
// the same tensors, not copies.
std::map<std::int64_t, IndexedMoments> to_indexed_state(
    const std::map<std::string, at::Tensor>& named, std::span<const FlatSlot> slots);

}  // namespace vllama::optim
