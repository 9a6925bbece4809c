#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "optim/adamw.h"
#include "optim/indexed_state.h"
#include "tests/optim/golden_adamw.h"

using namespace vllama;
using namespace vllama::optim;
using Catch::Contains;

TEST_CASE("a state survives the way through flat indices") {
  const auto golden = test::load_adamw_golden();
  FlatParameters parameters(test::initial_parameters(golden));
  AdamW optimizer(parameters, {});
  for (int i = 0; i < 3; ++i) {
    test::set_gradients(parameters, golden.at("steps").at(i).at("gradients"));
    optimizer.step(1e-3);
  }
  const auto indexed = to_indexed_state(optimizer.state(), parameters.slots());
  REQUIRE(indexed.size() == 4);
  CHECK(indexed.at(0).step.scalar_type() == at::kFloat);
  CHECK(indexed.at(0).step.item<float>() == 3);
  // Decayed first: proj.weight, queries; then norm.weight and proj.bias in the model's order.
  CHECK(indexed.at(0).exp_avg.equal(optimizer.state().at(parameters.slots()[0].name + ".exp_avg")));
  CHECK(indexed.at(1).exp_avg.dim() >= 2);
  CHECK(indexed.at(2).exp_avg.dim() == 1);

  FlatParameters others(test::initial_parameters(golden));
  AdamW loaded(others, {});
  loaded.load_state(to_named_state(indexed, others.slots()));
  CHECK(loaded.num_steps() == 3);
  for (const auto& [name, tensor] : optimizer.state()) CHECK(loaded.state().at(name).equal(tensor));
}

TEST_CASE("old files count steps in integers; shapes are checked by name when loading") {
  FlatParameters parameters(
      std::vector<TrainedParameter>{{"w", at::ones({2, 2}), true}, {"b", at::ones({2}), false}});
  AdamW optimizer(parameters, {});
  std::map<std::int64_t, IndexedMoments> indexed = {
      {0, {at::full({}, 5, at::kLong), at::ones({2, 2}), at::ones({2, 2})}},
      {1, {at::full({1}, 5.0, at::kFloat), at::ones({2}), at::ones({2})}}};
  optimizer.load_state(to_named_state(indexed, parameters.slots()));
  CHECK(optimizer.num_steps() == 5);
  indexed[1].exp_avg = at::ones({3});
  CHECK_THROWS_WITH(optimizer.load_state(to_named_state(indexed, parameters.slots())),
                    Contains("'b.exp_avg' has shape [3], expected [2]"));
}

TEST_CASE("an indexed state with holes is refused with all of them named") {
  FlatParameters parameters(std::vector<TrainedParameter>{
      {"w", at::ones({2, 2}), true}, {"v", at::ones({2, 2}), true}, {"b", at::ones({2}), false}});
  const at::Tensor step = at::full({}, 1.0);
  std::map<std::int64_t, IndexedMoments> indexed = {{0, {step, at::ones({2, 2}), at::Tensor()}},
                                                    {2, {step, at::ones({2}), at::ones({2})}},
                                                    {3, {step, at::ones({2}), at::ones({2})}},
                                                    {-1, {step, at::ones({2}), at::ones({2})}}};
  CHECK_THROWS_WITH(to_named_state(indexed, parameters.slots()),
                    Contains("index 0 ('w') needs") && Contains("missing index 1 ('v')") &&
                        Contains("unknown index 3") && Contains("unknown index -1"));
  indexed = {{0, {step, at::ones({2, 2}), at::ones({2, 2})}},
             {1, {at::full({}, 2.0), at::ones({2, 2}), at::ones({2, 2})}},
             {2, {step, at::ones({2}), at::ones({2})}}};
  CHECK_THROWS_AS(to_named_state(indexed, parameters.slots()), UserError);
  CHECK_THROWS_WITH(to_named_state(indexed, parameters.slots()),
                    Contains("index 1 is at step 2, index 0 at step 1"));
}
