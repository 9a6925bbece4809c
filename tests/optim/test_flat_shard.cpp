// Shards of the optimizer: what each rank updates is, bit for bit, what one rank would.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "optim/adamw.h"
#include "tests/optim/tensor_copies.h"
#include "tests/support/tensors.h"

using namespace vllama;
using namespace vllama::optim;
using namespace vllama::test;

namespace {

// Ranges of sizes that are no multiple of a vector, with decays and rates of their own.
std::vector<TrainedParameter> odd_parameters() {
  return {{"a.weight", random_tensor({37, 11}, 1), true},
          {"b.weight", random_tensor({5, 3}, 2), true, 0.5},
          {"c.weight", random_tensor({301, 7}, 3), true},
          {"a.bias", random_tensor({13}, 4), false},
          {"b.bias", random_tensor({129}, 5), false, 0.25}};
}

void set_gradients(FlatParameters& parameters, std::uint64_t seed) {
  parameters.flat_gradients().copy_(random_tensor({parameters.num_elements()}, seed));
}

}  // namespace

TEST_CASE("shards: parts lie end to end, are about equal, and begin where vectors begin") {
  const FlatParameters parameters(odd_parameters());
  const auto ranges = parameters.ranges();
  for (const std::int64_t num_parts : {1, 2, 3, 4, 8, 64}) {
    const auto ends = parameters.part_ends(num_parts);
    REQUIRE(std::ssize(ends) == num_parts);
    CHECK(ends.back() == parameters.num_elements());
    std::int64_t begin = 0;
    for (const std::int64_t end : ends) {
      CHECK(end >= begin);
      CHECK(end - begin <= parameters.num_elements() / num_parts + 64 + num_parts);
      if (begin > 0 && begin < parameters.num_elements()) {
        std::int64_t range_start = 0;
        for (const FlatRange& range : ranges)
          if (range.offset <= begin) range_start = range.offset;
        CHECK((begin - range_start) % 64 == 0);
      }
      begin = end;
    }
  }
}

TEST_CASE("shards: updated, saved and loaded as the whole") {
  FlatParameters whole(odd_parameters());
  AdamW whole_optimizer(whole, {});
  std::map<std::string, at::Tensor> saved_parameters, saved_state;
  for (std::uint64_t step = 0; step < 6; ++step) {
    if (step == 3) {
      saved_parameters = test::copy_of(whole.named_parameters());
      saved_state = test::copy_of(whole_optimizer.state());
    }
    set_gradients(whole, step);
    whole_optimizer.step(1e-2);
  }
  for (const std::int64_t num_ranks : {2, 3, 4, 64}) {
    for (std::int64_t rank = 0; rank < num_ranks; ++rank) {
      INFO("rank " << rank << " of " << num_ranks);
      FlatParameters parameters(odd_parameters());
      const FlatShard shard{parameters.part_ends(num_ranks), rank};
      AdamW started(parameters, {}, shard), resumed(parameters, {}, shard);
      const auto equals_whole = [&] {
        return same_bits(parameters.flat_parameters().slice(0, shard.begin(), shard.end()),
                         whole.flat_parameters().slice(0, shard.begin(), shard.end()));
      };
      for (std::uint64_t step = 0; step < 6; ++step) {
        set_gradients(parameters, step);
        started.step(1e-2);
      }
      CHECK(equals_whole());

      for (const auto& [name, tensor] : parameters.named_parameters())
        tensor.copy_(saved_parameters.at(name));
      resumed.load_state(saved_state);
      CHECK(resumed.num_steps() == 3);
      for (std::uint64_t step = 3; step < 6; ++step) {
        set_gradients(parameters, step);
        resumed.step(1e-2);
      }
      CHECK(equals_whole());
      CHECK_THROWS_AS(resumed.state(), InternalError);
    }
  }
}
