// The part of the flat buffers that a rank holds when a run shares the work over its ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "optim/flat_parameters.h"

namespace vllama::optim {

struct FlatShard {
  std::vector<std::int64_t> part_ends;  // of all ranks
  std::int64_t rank = 0;

  std::int64_t begin() const {
    return rank == 0 ? 0 : part_ends[static_cast<std::size_t>(rank - 1)];
  }
  std::int64_t end() const { return part_ends[static_cast<std::size_t>(rank)]; }
  std::int64_t num_elements() const { return end() - begin(); }
  bool is_whole() const { return part_ends.size() == 1; }
};

FlatShard whole_of(const FlatParameters& parameters);
FlatShard shard_of(const FlatParameters& parameters, const distributed::Communicator& ranks);

// Together: a buffer of which every rank holds the elements of its shard, in one piece in the host
// memory of rank 0; undefined elsewhere. No rank needs more than 64 MB for it on its device.
at::Tensor gather_on_first(const at::Tensor& own_part, const FlatShard& shard,
                           distributed::Communicator& ranks, const std::string& what);

// Together: the reverse. On rank 0 alone, `read(offset, piece)` is asked for the elements of the
// whole buffer from `offset` on, to be copied into `piece`.
using ReadPiece = std::function<void(std::int64_t offset, const at::Tensor& piece)>;
void scatter_from_first(const ReadPiece& read, at::Tensor& own_part, const FlatShard& shard,
                        distributed::Communicator& ranks, const std::string& what);

}  // namespace vllama::optim
