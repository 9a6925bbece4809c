#include "optim/flat_shard.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace vllama::optim {
namespace {

constexpr std::int64_t kPieceElements = 1 << 24;

// The pieces of all ranks' parts in turn: action(owner, offset in the whole, number of elements).
template <class Action>
void for_each_piece(const std::vector<std::int64_t>& part_ends, Action action) {
  std::int64_t offset = 0;
  for (std::size_t owner = 0; owner < part_ends.size(); ++owner) {
    while (offset < part_ends[owner]) {
      const std::int64_t size = std::min(kPieceElements, part_ends[owner] - offset);
      action(static_cast<std::int64_t>(owner), offset, size);
      offset += size;
    }
  }
}

// Memory for the pieces of others.
at::Tensor piece_buffer(const at::Tensor& own_part, const FlatShard& shard) {
  return at::empty({std::min(kPieceElements, shard.part_ends.back())}, own_part.options());
}

}  // namespace

FlatShard whole_of(const FlatParameters& parameters) {
  return {parameters.part_ends(1), 0};
}

FlatShard shard_of(const FlatParameters& parameters, const distributed::Communicator& ranks) {
  return {parameters.part_ends(ranks.num_ranks()), ranks.rank()};
}

// Broadcasts, of which all but rank 0 drop what they get: NCCL would open a connection of its own,
// with its own memory, for every pair of ranks that send and receive.
at::Tensor gather_on_first(const at::Tensor& own_part, const FlatShard& shard,
                           distributed::Communicator& ranks, const std::string& what) {
  at::Tensor whole;
  if (ranks.is_first())
    whole = at::empty({shard.part_ends.back()}, own_part.options().device(at::kCPU));
  const at::Tensor buffer = piece_buffer(own_part, shard);
  const auto gather = [&](std::int64_t owner, std::int64_t offset, std::int64_t size) {
    at::Tensor piece = owner == shard.rank ? own_part.narrow(0, offset - shard.begin(), size)
                                           : buffer.narrow(0, 0, size);
    if (owner != 0) ranks.broadcast(piece, what, owner);
    if (ranks.is_first()) whole.narrow(0, offset, size).copy_(piece);
  };
  for_each_piece(shard.part_ends, gather);
  return whole;
}

void scatter_from_first(const ReadPiece& read, at::Tensor& own_part, const FlatShard& shard,
                        distributed::Communicator& ranks, const std::string& what) {
  const at::Tensor buffer = piece_buffer(own_part, shard);
  const auto scatter = [&](std::int64_t owner, std::int64_t offset, std::int64_t size) {
    at::Tensor piece = owner == shard.rank ? own_part.narrow(0, offset - shard.begin(), size)
                                           : buffer.narrow(0, 0, size);
    if (ranks.is_first()) read(offset, piece);
    if (owner != 0) ranks.broadcast(piece, what);
  };
  for_each_piece(shard.part_ends, scatter);
}

}  // namespace vllama::optim
