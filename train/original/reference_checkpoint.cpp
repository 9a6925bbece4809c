#include "train/original/reference_checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/log.h"
#include "core/version.h"
#include "language/llama_config.h"
#include "models/modules.h"
#include "optim/indexed_state.h"
#include "train/original/reference_config.h"
#include "train/run/config_json.h"
#include "weights/tensor_source.h"

namespace vllama::train {
namespace {

using weights::List;
using weights::Map;
using weights::Tuple;
using weights::Value;
using Json = nlohmann::ordered_json;
using NamedList = std::vector<std::pair<std::string, at::Tensor>>;

// Positions that BERT's embeddings have, used or not.
constexpr std::int64_t kNumBertPositions = 512;
constexpr std::int64_t kImageBindTextPositions = 77;
constexpr const char* kTextMask = "modality_preprocessors.text.mask";

Value to_value(const Json& json) {
  switch (json.type()) {
    case Json::value_t::object: {
      Map map;
      for (const auto& [key, item] : json.items()) map.set(key, to_value(item));
      return map;
    }
    case Json::value_t::array: {
      List list;
      for (const Json& item : json) list.push_back(to_value(item));
      return list;
    }
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return json.get<std::int64_t>();
    case Json::value_t::number_float:
      return json.get<double>();
    default:
      return {};
  }
}

void add_position_ids(NamedList& buffers, const std::string& q_former) {
  buffers.emplace_back(q_former + ".bert.embeddings.position_ids",
                       at::arange(kNumBertPositions, at::kLong).unsqueeze(0));
}

// A file of the language model may hold its frequencies; a loaded model computes with its own.
void add_rotary_frequencies(NamedList& buffers, const models::ModelConfig& model) {
  const std::filesystem::path folder = model.weights.language_model;
  const auto config = language::read_llama_config(folder / "config.json");
  std::vector<double> values;
  for (std::int64_t i = 0; i < config.head_width; i += 2)
    values.push_back(std::pow(config.rope_base,
                              -static_cast<double>(i) / static_cast<double>(config.head_width)));
  const at::Tensor frequencies = at::tensor(values, at::kFloat);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer)
    buffers.emplace_back(
        fmt::format("llama_model.model.layers.{}.self_attn.rotary_emb.inv_freq", layer),
        frequencies);
}

// Those of ImageBind that its file holds; the mask of its text encoder is a constant.
void add_image_bind(NamedList& buffers, const models::ModelConfig& model) {
  const std::string prefix = "audio_encoder.";
  buffers.emplace_back(prefix + kTextMask,
                       at::full({kImageBindTextPositions, kImageBindTextPositions},
                                -std::numeric_limits<float>::infinity(), at::kFloat)
                           .triu(1));
  const auto source = weights::open_weights(model.weights.image_bind);
  for (const char* modality : {"audio", "depth", "thermal", "imu"}) {
    const std::string name = fmt::format("modality_postprocessors.{}.1.log_logit_scale", modality);
    for (const weights::TensorFacts& facts : source->tensors())
      if (facts.name == name)
        buffers.emplace_back(prefix + name, source->read(name).to(at::kFloat));
  }
}

// What the original saves of modules that do not train. Values that it does not read.
NamedList buffers_of(const models::ModelConfig& model) {
  NamedList buffers;
  add_position_ids(buffers, "Qformer");
  add_rotary_frequencies(buffers, model);
  add_position_ids(buffers, "video_Qformer");
  if (!model.has_audio()) return buffers;
  add_image_bind(buffers, model);
  add_position_ids(buffers, "audio_Qformer");
  return buffers;
}

Map model_map(const models::ModelConfig& model, const NamedList& trained) {
  NamedList all = buffers_of(model);
  all.insert(all.end(), trained.begin(), trained.end());
  std::ranges::stable_sort(all, {},
                           [](const auto& entry) { return models::published_place(entry.first); });
  Map map;
  for (const auto& [name, tensor] : all) map.set(name, weights::to_view(tensor));
  return map;
}

// The trained tensors as the optimizer numbers them: those that decay, then the others. Their place
// in the flat buffers does not matter here.
std::vector<optim::FlatSlot> slots_of(const NamedList& trained) {
  std::vector<optim::FlatSlot> slots;
  for (const bool group : {true, false})
    for (const auto& [name, tensor] : trained)
      if (optim::decays(name, tensor.dim()) == group)
        slots.push_back({.name = name,
                         .shape = tensor.sizes().vec(),
                         .offset = 0,
                         .num_elements = tensor.numel(),
                         .decays = group,
                         .learning_rate_factor = 1});
  return slots;
}

Value parameter_group(const SavedCheckpoint& saved, bool decays, List indices) {
  const optim::AdamWConfig& adamw = saved.config.optimizer;
  const TrainingConfig& training = saved.config.training;
  const std::int64_t last_step = std::max<std::int64_t>(0, saved.progress->num_steps_done - 1);
  Map group;
  group.set("weight_decay", decays ? Value(adamw.weight_decay) : Value(0));
  group.set("lr", optim::learning_rate(saved.config.schedule,
                                       {training.num_epochs, training.steps_per_epoch}, last_step));
  group.set("betas", Tuple{{adamw.beta1, adamw.beta2}});
  group.set("eps", adamw.epsilon);
  for (const char* key : {"amsgrad", "maximize"}) group.set(key, false);
  group.set("foreach", Value());
  group.set("capturable", false);
  group.set("params", std::move(indices));
  return group;
}

Value optimizer_map(const SavedCheckpoint& saved, const NamedList& trained,
                    const weights::NamedTensors& moments) {
  const auto slots = slots_of(trained);
  Map state;
  for (const auto& [index, entry] : optim::to_indexed_state(moments, slots)) {
    Map moment;
    moment.set("step", weights::to_view(entry.step));
    moment.set("exp_avg", weights::to_view(entry.exp_avg));
    moment.set("exp_avg_sq", weights::to_view(entry.exp_avg_sq));
    state.set(index, std::move(moment));
  }
  List groups;
  for (const bool decays : {true, false}) {
    List indices;
    for (std::size_t i = 0; i < slots.size(); ++i)
      if (slots[i].decays == decays) indices.push_back(static_cast<std::int64_t>(i));
    groups.push_back(parameter_group(saved, decays, std::move(indices)));
  }
  Map optimizer;
  optimizer.set("state", std::move(state));
  optimizer.set("param_groups", std::move(groups));
  return optimizer;
}

// Why the original could not go on from the optimizer's state; empty if it can.
std::string obstacle_to_resuming(const SavedCheckpoint& saved, const NamedList& trained,
                                 const weights::NamedTensors& moments) {
  if (moments.empty()) return "there is no optimizer state";
  if (saved.config.model.branches == models::BranchSet::vision_and_audio)
    return "it never trains both branches at once";
  for (const auto& [name, tensor] : trained)
    if (!moments.contains(name + ".exp_avg"))
      return fmt::format("it trains '{}', which did not train here", name);
  for (const auto& [name, tensor] : moments) {
    const std::string parameter = name.substr(0, name.rfind('.'));
    if (name != "step" &&
        std::ranges::find(trained, parameter, &NamedList::value_type::first) == trained.end())
      return fmt::format("'{}' trained here, which never trains there", parameter);
  }
  for (const auto& [name, tensor] : trained) {
    const auto module = models::module_of(name);
    if (module && !models::row_of(*module).is_published)
      return fmt::format("'{}' trained here, which is frozen there", config::name_of(*module));
  }
  return {};
}

Json own_facts(const SavedCheckpoint& saved, const inference::ChatSettings& chat) {
  Json facts{{"format", 1},
             {"program", "vllama " + program_version()},
             {"chat", config_json(chat)},
             {"config", config_json(saved.config)},
             {"metrics", saved.metrics}};
  if (saved.progress) facts["step"] = saved.progress->num_steps_done;
  return facts;
}

}  // namespace

Value reference_checkpoint(const SavedCheckpoint& saved, const NamedList& trained,
                           const weights::NamedTensors& moments,
                           const inference::ChatSettings& chat) {
  const std::string obstacle = obstacle_to_resuming(saved, trained, moments);
  if (!obstacle.empty())
    log::warn(
        "the file holds no optimizer state ({}): the Python original starts from it, but "
        "cannot resume it",
        obstacle);
  const std::int64_t num_steps = saved.progress ? saved.progress->num_steps_done : 0;
  Map content;
  content.set("model", model_map(saved.config.model, trained));
  content.set("optimizer", obstacle.empty() ? optimizer_map(saved, trained, moments) : Value());
  content.set("config", to_value(reference_config(saved.config)));
  content.set("scaler", Value());
  content.set("epoch", num_steps / saved.config.training.steps_per_epoch - 1);
  content.set("vllama", to_value(own_facts(saved, chat)));
  return content;
}

}  // namespace vllama::train
