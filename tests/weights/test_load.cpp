// Parameters are loaded strictly, converted to one type, and viewed in place where that is
// possible.
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/load.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;

namespace {

struct Model {
  at::Tensor weight, bias;
  std::vector<ParameterSlot> slots() { return {{"weight", {2, 3}, &weight}, {"bias", {3}, &bias}}; }
};

std::unique_ptr<TensorSource> source_of(const TemporaryFolder& folder,
                                        const NamedTensors& tensors) {
  write_safetensors(folder.path() / "w.safetensors", tensors);
  return open_weights(folder.path() / "w.safetensors");
}

bool lies_in(const at::Tensor& tensor, const TensorSource& source, const std::string& name) {
  return tensor.const_data_ptr() == source.read(name).const_data_ptr();
}

const at::Tensor kWeight = at::arange(6, at::kHalf).view({2, 3});
const at::Tensor kBias = at::full({3}, 0.1, at::kHalf);

}  // namespace

TEST_CASE("tensors are converted to the wanted type") {
  const TemporaryFolder folder;
  const auto source = source_of(folder, {{"weight", kWeight}, {"bias", kBias}});
  Model model;
  const LoadSummary summary = load_parameters(*source, model.slots(), {.dtype = at::kFloat});
  CHECK(model.weight.scalar_type() == at::kFloat);
  CHECK(model.weight.equal(kWeight.to(at::kFloat)));
  CHECK(model.bias.equal(kBias.to(at::kFloat)));
  CHECK(summary.num_loaded == 2);
  CHECK(summary.num_bytes == 9 * 4);
  model.weight.fill_(1);  // a copy, so writing is allowed
}

TEST_CASE("tensors of the wanted type view the file unless they will be written") {
  const TemporaryFolder folder;
  const auto source = source_of(folder, {{"weight", kWeight}, {"bias", kBias}});
  Model viewing, owning;
  load_parameters(*source, viewing.slots(), {.dtype = at::kHalf});
  load_parameters(*source, owning.slots(), {.dtype = at::kHalf, .writable = true});
  CHECK(lies_in(viewing.weight, *source, "weight"));
  CHECK_FALSE(lies_in(owning.weight, *source, "weight"));
  CHECK(owning.weight.equal(viewing.weight));
  owning.weight.fill_(1);
  CHECK(viewing.weight.equal(kWeight));
  source->release("weight");
  CHECK(viewing.weight.equal(kWeight));
}

TEST_CASE("one error names everything that does not fit and nothing is changed") {
  const TemporaryFolder folder;
  const auto source = source_of(
      folder,
      {{"weight", kWeight.t()}, {"extra.position_ids", at::arange(4)}, {"other", at::arange(4)}});
  Model model;
  at::Tensor scale, ids;
  std::vector<ParameterSlot> slots = model.slots();
  slots.push_back({"scale", {7}, &scale});
  slots.push_back({"other", {4}, &ids});
  const auto load = [&] { load_parameters(*source, slots, {.dtype = at::kFloat}); };
  CHECK_THROWS_AS(load(), UserError);
  CHECK_THROWS_WITH(load(), Contains("w.safetensors") && Contains("missing (2)") &&
                                Contains("bias [3]") && Contains("scale [7]") &&
                                Contains("unexpected (1)") && Contains("extra.position_ids [4]") &&
                                Contains("weight: expected [2, 3], the file has [3, 2]") &&
                                Contains("other: expected Float, the file has Long"));
  CHECK_FALSE(model.weight.defined());
}

TEST_CASE("ignorable names are counted, not reported") {
  const TemporaryFolder folder;
  const auto source =
      source_of(folder, {{"weight", kWeight}, {"bias", kBias}, {"a.position_ids", at::arange(4)}});
  Model model;
  const auto is_ignorable = [](const std::string& name) { return name.ends_with("position_ids"); };
  CHECK(load_parameters(*source, model.slots(), {.is_ignorable = is_ignorable}).num_ignored == 1);
}

TEST_CASE("views with strides and unaligned data are copied") {
  const auto source = open_weights(golden_file("checkpoint/samples.pth"));
  at::Tensor transposed, sliced;
  const std::vector<ParameterSlot> slots = {{"transposed", {6, 4}, &transposed},
                                            {"sliced", {2, 3}, &sliced}};
  load_parameters(*source, slots, {.is_ignorable = [](const std::string&) { return true; }});
  CHECK(transposed.is_contiguous());
  CHECK(transposed.equal(at::arange(24, at::kFloat).div(8).view({4, 6}).t()));

  const TemporaryFolder folder;
  const std::string floats("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2
  write_safetensors_bytes(folder.path() / "odd.safetensors",
                          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
                          "x" + floats);
  const auto odd = open_weights(folder.path() / "odd.safetensors");
  CHECK(odd->read("b").equal(at::arange(1, 3, at::kFloat)));
}

TEST_CASE("bytes other than 0 and 1 are true") {
  const TemporaryFolder folder;
  write_safetensors_bytes(folder.path() / "a.safetensors",
                          R"({"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})",
                          std::string("\0\1\x7f", 3));
  const at::Tensor flags = open_weights(folder.path() / "a.safetensors")->read("a");
  CHECK(flags.scalar_type() == at::kBool);
  CHECK(flags.sum().item<std::int64_t>() == 2);
}
