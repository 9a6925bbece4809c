// Files written by PyTorch are read with the names, types, shapes and values PyTorch finds in them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "tests/support/fixtures.h"
#include "weights/describe.h"
#include "weights/pth/pth_reader.h"
#include "weights/tensor_source.h"

using namespace vllama;
using namespace vllama::weights;
using nlohmann::json;

namespace {

// Both sides sum squares in float64 and differ in the order of the sum only.
constexpr double kNormTolerance = 1e-12;

json parsed(const std::filesystem::path& path) {
  return json::parse(read_file(path));
}

void check_tensors(const json& found, const json& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(expected[i]);
    CHECK(found[i]["name"] == expected[i][0]);
    CHECK(found[i]["dtype"] == expected[i][1]);
    CHECK(found[i]["shape"] == expected[i][2]);
    REQUIRE(found[i]["norm"].is_null() == expected[i][3].is_null());  // not finite
    if (expected[i][3].is_null()) continue;
    CHECK(found[i]["norm"].get<double>() ==
          Approx(expected[i][3].get<double>()).epsilon(kNormTolerance).margin(1e-300));
  }
}

// The values of a tensor as doubles, row-major.
std::vector<double> values_of(const TensorView& view) {
  const at::Tensor tensor = to_tensor(view).to(at::kDouble);
  REQUIRE(tensor.is_contiguous());
  return {tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel()};
}

void check_samples(const Value& content) {
  const json expected = parsed(test::golden_file("checkpoint/samples.json"));
  const Map* model = content.find("model")->get_if<Map>();
  REQUIRE(model != nullptr);
  REQUIRE(model->size() == expected.size());
  for (const auto& [name, facts] : expected.items()) {
    INFO(name);
    const TensorView* view = model->find(name)->get_if<TensorView>();
    REQUIRE(view != nullptr);
    CHECK(facts_of(view->type).name == facts["dtype"].get<std::string>());
    CHECK(view->shape == facts["shape"].get<std::vector<std::int64_t>>());
    CHECK(values_of(*view) == facts["values"].get<std::vector<double>>());
  }
  CHECK(*content.find("epoch")->get_if<std::int64_t>() == 3);
  CHECK(*content.find("big")->get_if<std::int64_t>() == std::int64_t{1} << 40);
  CHECK(*content.find("negative")->get_if<std::int64_t>() == -7);
  CHECK(*content.find("rate")->get_if<double>() == 1e-5);
  CHECK(*content.find("flag")->get_if<bool>());
  CHECK(content.find("none")->is_none());
  CHECK(*content.find("text")->get_if<std::string>() == "naïve 文");
  CHECK(content.find("list")->get_if<List>()->size() == 2);
  CHECK(content.find("betas")->get_if<Tuple>()->items.size() == 2);
  CHECK(*content.find(5)->get_if<std::string>() == "five");
  CHECK(content.find("absent") == nullptr);
}

}  // namespace

TEST_CASE("every type, view and value of a zip container is read") {
  const Value content = read_pth(test::golden_file("checkpoint/samples.pth"));
  check_samples(content);
  const auto view = [&](const char* name) {
    return content.find("model")->find(name)->get_if<TensorView>();
  };
  CHECK(view("tied")->bytes.data() == view("float32")->bytes.data());
  CHECK(view("transposed")->strides == std::vector<std::int64_t>{1, 6});
  CHECK_FALSE(view("transposed")->is_contiguous());
}

TEST_CASE("the stream container of old PyTorch gives the same") {
  check_samples(read_pth(test::golden_file("checkpoint/samples_legacy.pth")));
}

TEST_CASE("a contiguous tensor lies in the mapped file, which it keeps alive") {
  const auto file = MappedFile::open(test::golden_file("checkpoint/pretrained_minigpt4.pth"));
  const auto bytes = file->bytes();
  const Value content = read_pth(file);
  const TensorView* view = content.find("model")->find("llama_proj.weight")->get_if<TensorView>();
  REQUIRE(view != nullptr);
  at::Tensor tensor = to_tensor(*view);
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  CHECK(data >= bytes.data());
  CHECK(data + tensor.nbytes() <= bytes.data() + bytes.size());
  CHECK(view->shape == std::vector<std::int64_t>{64, 32});
}

TEST_CASE("the tensors of a file are those under its key 'model'") {
  const auto source = open_weights(test::golden_file("checkpoint/pretrained_minigpt4.pth"));
  REQUIRE(source->tensors().size() == 2);
  CHECK(source->tensors()[0].name == "llama_proj.bias");
  CHECK(source->tensors()[1].dtype == at::kFloat);
  CHECK(source->read("llama_proj.bias").sizes() == at::IntArrayRef({64}));
  CHECK_THROWS_WITH(source->read("llama_proj.wait"), Catch::Contains("llama_proj.wait"));
}

TEST_CASE("every file in the published layouts holds what PyTorch finds in it") {
  VLLAMA_SHARED_FILE(folder, "goldens");
  const json expected = parsed(test::golden_file("checkpoint/shared_files.json"));
  REQUIRE(expected.size() == 12);
  for (const auto& [name, facts] : expected.items()) {
    INFO(name);
    const json found = json::parse(describe(folder / name, DescriptionFormat::json));
    check_tensors(found["tensors"], facts["tensors"]);
    CHECK(found["values"] == facts["values"]);
  }
}

TEST_CASE("every safetensors file of the goldens has the tensors of the manifest") {
  VLLAMA_SHARED_FILE(folder, "goldens");
  const json manifest = parsed(folder / "manifest.json");
  int num_files = 0;
  for (const auto& [name, facts] : manifest["files"].items()) {
    if (!name.ends_with(".safetensors")) continue;
    ++num_files;
    INFO(name);
    const auto source = open_weights(folder / name);
    // The manifest counts states and gradients without their names, and leaves other updates out.
    const std::size_t num_tensors = facts["tensors"].size() +
                                    facts["state_tensors"].get<std::size_t>() +
                                    facts["grad_tensors"].get<std::size_t>();
    CHECK((source->tensors().size() == num_tensors || name.starts_with("runs/")));
    std::size_t num_listed = 0;
    for (const TensorFacts& tensor : source->tensors()) {
      if (!facts["tensors"].contains(tensor.name)) continue;
      ++num_listed;
      const json& entry = facts["tensors"][tensor.name];
      CHECK(facts_of(element_type(tensor.dtype)).safetensors_name == entry[0].get<std::string>());
      CHECK(tensor.shape == entry[1].get<std::vector<std::int64_t>>());
    }
    CHECK(num_listed == facts["tensors"].size());
  }
  CHECK(num_files > 20);
}

TEST_CASE("the sharded folder of the goldens is read as one") {
  VLLAMA_SHARED_FILE(folder, "goldens/ckpt/llama");
  const auto source = open_weights(folder);
  const json index = parsed(folder / "pytorch_model.bin.index.json");
  REQUIRE(source->tensors().size() == index["weight_map"].size());
  for (const TensorFacts& tensor : source->tensors()) {
    CHECK(std::filesystem::path(tensor.file).filename().string() ==
          index["weight_map"][tensor.name].get<std::string>());
    CHECK(source->read(tensor.name).sizes() == at::IntArrayRef(tensor.shape));
  }
}

TEST_CASE("the optimizer state and the configuration of a published checkpoint are reachable") {
  VLLAMA_SHARED_FILE(path, "goldens/runs/vl_stage1_webvid/checkpoint_1.pth");
  const Value content = read_pth(path);
  CHECK(*content.find("epoch")->get_if<std::int64_t>() == 1);
  CHECK(content.find("scaler")->is_none());
  const Value* optimizer = content.find("optimizer");
  const List* groups = optimizer->find("param_groups")->get_if<List>();
  REQUIRE(groups->size() == 2);
  CHECK(*(*groups)[0].find("weight_decay")->get_if<double>() == 0.05);
  CHECK((*groups)[0].find("params")->get_if<List>()->size() == 23);
  CHECK((*groups)[1].find("params")->get_if<List>()->size() == 35);
  const Map* state = optimizer->find("state")->get_if<Map>();
  REQUIRE(state->size() == 58);
  const Value* first = state->find(std::int64_t{0});
  CHECK(to_tensor(*first->find("step")->get_if<TensorView>()).item<float>() == 20.0f);
  CHECK(first->find("exp_avg")->get_if<TensorView>()->shape == std::vector<std::int64_t>{1, 5, 32});
  CHECK(content.find("config")->find("run") != nullptr);
}
