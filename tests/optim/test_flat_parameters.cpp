#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "optim/flat_parameters.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::optim;
using Catch::Contains;

namespace {

at::Tensor counting(std::vector<std::int64_t> shape, double start) {
  std::int64_t num_elements = 1;
  for (const std::int64_t size : shape) num_elements *= size;
  return at::arange(start, start + static_cast<double>(num_elements), at::kFloat).view(shape);
}

std::vector<std::int64_t> shape_of(const nlohmann::json& entry) {
  return entry.at("shape").get<std::vector<std::int64_t>>();
}

}  // namespace

TEST_CASE("weight decay follows the published rule") {
  CHECK(decays("llama_proj.weight", 2));
  CHECK(decays("video_query_tokens", 3));
  CHECK(decays("video_frame_position_embedding.weight", 2));
  CHECK_FALSE(decays("llama_proj.bias", 1));
  CHECK_FALSE(decays("bert.embeddings.LayerNorm.weight", 1));
  CHECK_FALSE(decays("relative_bias_table", 2));
  CHECK_FALSE(decays("ln_vision.weight", 2));
  CHECK_FALSE(decays("bn.weight", 4));
  CHECK_FALSE(decays("scale", 0));
}

TEST_CASE("the order of both branches is that of the published optimizer state") {
  VLLAMA_SHARED_FILE(path, "goldens/optim/optimizer_groups.json");
  const auto golden = nlohmann::json::parse(read_file(path));
  for (const char* branch : {"vl", "al"}) {
    INFO(branch);
    std::set<std::string> trained;
    for (const char* group : {"group0_weight_decay", "group1_no_decay"})
      for (const auto& entry : golden.at(branch).at(group)) trained.insert(entry.at("name"));
    std::vector<TrainedParameter> in_model_order;
    for (const auto& entry : golden.at(branch).at("checkpoint_model_keys")) {
      const std::string name = entry.at("name");
      if (!trained.contains(name)) continue;
      const auto shape = shape_of(entry);
      in_model_order.push_back(
          {name, at::zeros(shape), decays(name, static_cast<std::int64_t>(shape.size()))});
    }
    const FlatParameters parameters(in_model_order);
    REQUIRE(parameters.slots().size() == 58);

    std::int64_t offset = 0;
    for (const char* group : {"group0_weight_decay", "group1_no_decay"}) {
      for (const auto& entry : golden.at(branch).at(group)) {
        const FlatSlot& slot = parameters.slots().at(entry.at("index").get<std::size_t>());
        CHECK(slot.name == entry.at("name"));
        CHECK(slot.shape == shape_of(entry));
        CHECK(slot.decays == (std::string(group) == "group0_weight_decay"));
        CHECK(slot.offset == offset);
        offset += slot.num_elements;
      }
    }
    CHECK(parameters.num_elements() == offset);
    REQUIRE(parameters.ranges().size() == 2);
    CHECK(parameters.ranges()[0].num_elements == parameters.slots().at(23).offset);
    CHECK(parameters.ranges()[1].offset == parameters.slots().at(23).offset);
  }
}

TEST_CASE("parameters keep their values and become views of one buffer, decayed ones first") {
  const std::vector<TrainedParameter> model = {{"bias", counting({2}, 100), false},
                                               {"first", counting({2, 3}, 0), true},
                                               {"scale", counting({1}, 200), false},
                                               {"second", counting({1, 2}, 50), true}};
  const at::Tensor same_tensor_elsewhere = model[1].tensor;
  const FlatParameters parameters(model);
  const auto expected = std::vector<float>{0, 1, 2, 3, 4, 5, 50, 51, /*not decayed*/ 100, 101, 200};
  const float* values = parameters.flat_parameters().const_data_ptr<float>();
  CHECK(std::vector<float>(values, values + 11) == expected);
  REQUIRE(parameters.ranges().size() == 2);
  CHECK(parameters.ranges()[0].decays);
  CHECK(parameters.ranges()[0].offset == 0);
  CHECK(parameters.ranges()[0].num_elements == 8);
  CHECK_FALSE(parameters.ranges()[1].decays);
  CHECK(parameters.ranges()[1].offset == 8);
  CHECK(parameters.ranges()[1].num_elements == 3);

  parameters.flat_parameters().fill_(7);
  CHECK(same_tensor_elsewhere.equal(at::full({2, 3}, 7.0)));
  CHECK(same_tensor_elsewhere.is_leaf());
  CHECK(same_tensor_elsewhere.requires_grad());
  CHECK(parameters.named_parameters().at("second").const_data_ptr() == values + 6);
}

TEST_CASE("learning rates cut the buffer into ranges and leave the order alone") {
  const FlatParameters parameters(
      std::vector<TrainedParameter>{{"slow.weight", at::ones({2, 3}), true, 0.5},
                                    {"slow.bias", at::ones({2}), false, 0.5},
                                    {"first.weight", at::ones({3, 1}), true},
                                    {"second.weight", at::ones({1, 2}), true},
                                    {"second.bias", at::ones({4}), false}});
  std::vector<std::string> names;
  for (const FlatSlot& slot : parameters.slots()) names.push_back(slot.name);
  CHECK(names == std::vector<std::string>{"slow.weight", "first.weight", "second.weight",
                                          "slow.bias", "second.bias"});
  struct Expected {
    std::int64_t offset, num_elements;
    bool decays;
    double factor;
  };
  const std::vector<Expected> expected{
      {0, 6, true, 0.5}, {6, 5, true, 1}, {11, 2, false, 0.5}, {13, 4, false, 1}};
  const auto ranges = parameters.ranges();
  REQUIRE(ranges.size() == expected.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    CHECK(ranges[i].offset == expected[i].offset);
    CHECK(ranges[i].num_elements == expected[i].num_elements);
    CHECK(ranges[i].decays == expected[i].decays);
    CHECK(ranges[i].learning_rate_factor == expected[i].factor);
  }
}

TEST_CASE("backward adds into the flat gradients in place, again and again") {
  const std::vector<TrainedParameter> model = {{"weight", counting({2, 3}, 0), true},
                                               {"unused", counting({4}, 0), false},
                                               {"bias", counting({3}, 0), false}};
  FlatParameters parameters(model);
  const at::Tensor input = counting({5, 2}, 1);
  // d/dweight of sum((x W + b)^2) / 2 is x^T (x W + b), and d/dbias its column sums.
  const at::Tensor output = input.matmul(counting({2, 3}, 0)) + counting({3}, 0);
  const at::Tensor weight_gradient = input.t().matmul(output);
  const at::Tensor bias_gradient = output.sum(0);

  for (int times = 1; times <= 3; ++times) {
    const at::Tensor result = input.matmul(model[0].tensor) + model[2].tensor;
    (result * result * 0.5).sum().backward();
    const auto gradients = parameters.named_gradients();
    CHECK(gradients.at("weight").allclose(weight_gradient * times));
    CHECK(gradients.at("bias").allclose(bias_gradient * times));
    CHECK(gradients.at("unused").equal(at::zeros({4})));
    for (const auto& parameter : model)
      CHECK(parameter.tensor.grad().const_data_ptr() ==
            gradients.at(parameter.name).const_data_ptr());
  }
  parameters.zero_gradients();
  CHECK(model[0].tensor.grad().equal(at::zeros({2, 3})));
  CHECK(model[0].tensor.grad().const_data_ptr() == parameters.flat_gradients().const_data_ptr());
}

TEST_CASE("gradients of a transposed use and of a broadcast land in place too") {
  const std::vector<TrainedParameter> model = {{"weight", counting({3, 2}, 1), true},
                                               {"position", counting({1, 1, 3}, 1), true}};
  FlatParameters parameters(model);
  const at::Tensor input = counting({4, 2}, 1);
  (input.matmul(model[0].tensor.t()).unsqueeze(0) * model[1].tensor).sum().backward();
  for (const auto& parameter : model) {
    CHECK(parameter.tensor.grad().is_contiguous());
    CHECK(parameter.tensor.grad().const_data_ptr() ==
          parameters.named_gradients().at(parameter.name).const_data_ptr());
  }
  CHECK(parameters.flat_gradients().ne(0).sum().item<std::int64_t>() == 9);
}

TEST_CASE("what cannot be laid out flat is named") {
  using List = std::vector<TrainedParameter>;
  const at::Tensor shared = at::ones({2});
  CHECK_THROWS_WITH(FlatParameters(List{}), Contains("nothing to train"));
  CHECK_THROWS_WITH(FlatParameters(List{{"a", at::ones({2}), true}, {"a", at::ones({2}), true}}),
                    Contains("'a' is listed twice"));
  CHECK_THROWS_WITH(FlatParameters(List{{"a", shared, true}, {"b", shared, true}}),
                    Contains("'b' shares its memory"));
  CHECK_THROWS_WITH(FlatParameters(List{{"a", at::ones({2}, at::kHalf), true}}),
                    Contains("'a' is not fp32"));
  CHECK_THROWS_WITH(FlatParameters(List{{"a", at::ones({2, 3}).t(), true}}),
                    Contains("'a' is not contiguous"));
  CHECK_THROWS_WITH(FlatParameters(List{{"a", at::Tensor(), true}}), Contains("'a' has no tensor"));
  CHECK_THROWS_AS(FlatParameters(List{{"a", at::zeros({0}), true}}), InternalError);
  CHECK_THROWS_WITH(FlatParameters(List{{"a", at::ones({2}), true, -1}}),
                    Contains("'a' has a negative learning rate"));
}
