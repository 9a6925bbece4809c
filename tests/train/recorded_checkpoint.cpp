#include "tests/train/recorded_checkpoint.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/fields.h"
#include "optim/indexed_state.h"
#include "tests/support/tensors.h"
#include "tests/train/recorded_run.h"
#include "train/run/run_state.h"
#include "weights/pth/pth_reader.h"
#include "weights/values/tensors.h"

namespace vllama::test {
namespace {

using weights::Map;
using weights::TensorView;
using weights::Value;

// The recordings' language model was read in fp16, frequencies included: half of its last bit.
constexpr double kFp16Rounding = 1.0 / 2048;
// Moments follow the gradients, whose limit this is (relative to the largest of the tensor).
constexpr double kMomentTolerance = 2 * kGradientTolerance;

at::Tensor tensor_of(const Value* value) {
  REQUIRE(value != nullptr);
  REQUIRE(value->get_if<TensorView>() != nullptr);
  return weights::to_tensor(*value->get_if<TensorView>());
}

bool same_plain_value(const Value& actual, const Value& expected) {
  const auto number = [](const Value& value) -> std::optional<double> {
    if (const auto* whole = value.get_if<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* real = value.get_if<double>()) return *real;
    return std::nullopt;
  };
  if (const auto expected_number = number(expected))
    return number(actual) && *number(actual) == Approx(*expected_number).epsilon(1e-12).margin(0);
  if (const auto* items = expected.get_if<weights::List>()) {
    const auto* own = actual.get_if<weights::List>();
    return own != nullptr && std::ranges::equal(*own, *items, same_plain_value);
  }
  if (const auto* items = expected.get_if<weights::Tuple>()) {
    const auto* own = actual.get_if<weights::Tuple>();
    return own != nullptr && std::ranges::equal(own->items, items->items, same_plain_value);
  }
  if (const auto* truth = expected.get_if<bool>())
    return actual.get_if<bool>() != nullptr && *actual.get_if<bool>() == *truth;
  if (const auto* text = expected.get_if<std::string>())
    return actual.get_if<std::string>() != nullptr && *actual.get_if<std::string>() == *text;
  return expected.is_none() && actual.is_none();
}

}  // namespace

const Map& map_at(const Value& value, const char* key) {
  const Value* found = value.find(weights::Key(key));
  REQUIRE(found != nullptr);
  REQUIRE(found->get_if<Map>() != nullptr);
  return *found->get_if<Map>();
}

std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map.entries()) keys.push_back(weights::key_text(key));
  return keys;
}

void check_same_model(const Map& actual, const Map& expected) {
  REQUIRE(keys_of(actual) == keys_of(expected));
  for (const auto& [key, value] : expected.entries()) {
    const std::string name = weights::key_text(key);
    INFO(name);
    const at::Tensor ours = tensor_of(actual.find(key)), theirs = tensor_of(&value);
    REQUIRE(ours.sizes() == theirs.sizes());
    CHECK(ours.scalar_type() == theirs.scalar_type());
    if (name.ends_with("inv_freq"))
      CHECK(relative_difference(ours, theirs) < kFp16Rounding);
    else if (name.ends_with("position_ids") || name.starts_with("audio_encoder."))
      CHECK(ours.equal(theirs));
  }
}

namespace {

void check_same_groups(const Value& actual, const Value& expected) {
  const auto& groups = *actual.find(weights::Key("param_groups"))->get_if<weights::List>();
  const auto& others = *expected.find(weights::Key("param_groups"))->get_if<weights::List>();
  REQUIRE(groups.size() == others.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    CHECK(keys_of(*groups[i].get_if<Map>()) ==
          std::vector<std::string>{"weight_decay", "lr", "betas", "eps", "amsgrad", "maximize",
                                   "foreach", "capturable", "params"});
    for (const auto& [key, value] : groups[i].get_if<Map>()->entries()) {
      INFO("group " << i << ", " << weights::key_text(key));
      REQUIRE(others[i].find(key) != nullptr);
      CHECK(same_plain_value(value, *others[i].find(key)));
    }
  }
}

// In the order of the optimizer's indices.
std::vector<std::string> trained_names(const Map& model) {
  std::vector<std::string> names;
  for (const bool group : {true, false})
    for (const auto& [key, value] : model.entries()) {
      const std::string name = weights::key_text(key);
      if (name.ends_with("position_ids") || name.ends_with("inv_freq")) continue;
      if (optim::decays(name, tensor_of(&value).dim()) == group) names.push_back(name);
    }
  return names;
}

void check_same_moments(const Map& actual, const Map& expected,
                        const std::vector<std::string>& names, Agreement agreement) {
  REQUIRE(keys_of(actual) == keys_of(expected));
  for (const auto& [index, entry] : expected.entries()) {
    const std::string& name = names.at(static_cast<std::size_t>(std::get<std::int64_t>(index)));
    INFO(name);
    const Value& own = *actual.find(index);
    CHECK(keys_of(*own.get_if<Map>()) == keys_of(*entry.get_if<Map>()));
    CHECK(tensor_of(own.find("step")).equal(tensor_of(entry.find("step"))));
    for (const char* moment : {"exp_avg", "exp_avg_sq"}) {
      const at::Tensor ours = tensor_of(own.find(moment)), theirs = tensor_of(entry.find(moment));
      REQUIRE(ours.sizes() == theirs.sizes());
      if (agreement == Agreement::exact)
        CHECK(same_bits(ours, theirs));
      else if (is_comparable(name))
        CHECK(relative_difference(ours, theirs) < kMomentTolerance);
    }
  }
}

void check_same_weights(const Map& actual, const Map& expected, Agreement agreement) {
  for (const std::string& name : trained_names(expected)) {
    INFO(name);
    const at::Tensor ours = tensor_of(actual.find(name)), theirs = tensor_of(expected.find(name));
    if (agreement == Agreement::exact)
      CHECK(same_bits(ours, theirs));
    else if (is_comparable(name))
      CHECK(absolute_difference(ours, theirs) < kWeightTolerance);
  }
}

// What has the same meaning in both programs.
void check_same_config(const Value& actual, const Value& expected) {
  for (const char* section : {"run", "model"})
    for (const char* key : {"lr_sched",
                            "init_lr",
                            "min_lr",
                            "warmup_lr",
                            "warmup_steps",
                            "weight_decay",
                            "max_epoch",
                            "iters_per_epoch",
                            "batch_size_train",
                            "seed",
                            "arch",
                            "image_size",
                            "num_query_token",
                            "num_video_query_token",
                            "max_frame_pos",
                            "model_type",
                            "frozen_llama_proj",
                            "frozen_video_Qformer",
                            "frozen_audio_Qformer",
                            "max_txt_len"}) {
      const Value* theirs = map_at(expected, section).find(key);
      if (theirs == nullptr) continue;
      INFO(section << "." << key);
      const Value* ours = map_at(actual, section).find(key);
      REQUIRE(ours != nullptr);
      CHECK(same_plain_value(*ours, *theirs));
    }
}

}  // namespace

void check_like_recorded(const std::filesystem::path& exported,
                         const std::filesystem::path& recorded, Agreement agreement) {
  const Value actual = weights::read_pth(exported), expected = weights::read_pth(recorded);
  auto keys = keys_of(*expected.get_if<Map>());
  keys.push_back("vllama");
  CHECK(keys_of(*actual.get_if<Map>()) == keys);
  CHECK(actual.find("scaler")->is_none());
  CHECK(same_plain_value(*actual.find("epoch"), *expected.find("epoch")));
  const Map& model = map_at(expected, "model");
  check_same_model(map_at(actual, "model"), model);
  check_same_weights(map_at(actual, "model"), model, agreement);
  check_same_groups(*actual.find("optimizer"), *expected.find("optimizer"));
  check_same_moments(map_at(*actual.find("optimizer"), "state"),
                     map_at(*expected.find("optimizer"), "state"), trained_names(model), agreement);
  check_same_config(*actual.find("config"), *expected.find("config"));
}

checkpoint::StepContents step_of_recorded(const Value& recorded, const train::RunConfig& config) {
  const Map& model = map_at(recorded, "model");
  const Map& moments = map_at(*recorded.find("optimizer"), "state");
  checkpoint::StepContents step;
  step.texts["config.yaml"] = config::dump(config);
  step.texts[train::kStateFile] =
      train::state_text({.num_steps_done = 20, .num_samples = 40}, {{"loss", 1.0}});
  const auto names = trained_names(model);
  auto& optimizer = step.tensors["optimizer"];
  for (std::size_t i = 0; i < names.size(); ++i) {
    step.tensors["trainable"][names[i]] = tensor_of(model.find(names[i]));
    const Value& entry = *moments.find(static_cast<std::int64_t>(i));
    optimizer["step"] = tensor_of(entry.find("step")).to(at::kLong);
    for (const std::string moment : {"exp_avg", "exp_avg_sq"})
      optimizer[names[i] + "." + moment] = tensor_of(entry.find(moment));
  }
  return step;
}

}  // namespace vllama::test
