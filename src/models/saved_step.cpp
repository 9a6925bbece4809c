#include "models/saved_step.h"

#include <algorithm>

#include "core/error.h"
#include "models/modules.h"
#include "weights/tensor_source.h"

namespace vllama::models {
namespace {

std::set<std::string> names_in(const std::string& file) {
  std::set<std::string> names;
  const auto source = weights::open_weights(file);
  for (const weights::TensorFacts& facts : source->tensors()) names.insert(facts.name);
  return names;
}

std::set<std::string> names_in_any(const std::string& file) try {
  return names_in(file);
} catch (const UserError&) {
  return {};  // reading the file reports it
}

std::set<ModuleName> modules_of(const std::set<std::string>& names) {
  std::set<ModuleName> modules;
  for (const std::string& name : names)
    if (const auto module = module_of(name)) modules.insert(*module);
  return modules;
}

bool has(const nn::ParameterList& parameters, const std::string& name) {
  return std::ranges::find(parameters, name, &nn::Parameter::name) != parameters.end();
}

}  // namespace

std::set<ModuleName> modules_in(const std::string& file) {
  return modules_of(names_in(file));
}

std::vector<WeightReading> saved_step_readings(VideoLlama& model, const std::string& file,
                                               const weights::LoadRules& frozen) {
  const auto names = names_in_any(file);
  const auto modules = modules_of(names);
  const nn::ParameterList of_branches = model.branch_parameters();
  WeightReading exact{"saved_step", file, {}, {.dtype = at::kFloat, .writable = true}};
  WeightReading base{"saved_step", file, {}, frozen};
  for (const nn::Parameter& parameter : model.module_parameters()) {
    const auto module = module_of(parameter.name);
    if (!module || !modules.contains(*module)) continue;
    // Of an encoder, the blocks that trained.
    if (is_of_encoder(*module) && !names.contains(parameter.name)) continue;
    const bool is_exact = model.trains(module) || has(of_branches, parameter.name);
    (is_exact ? exact : base).parameters.push_back(parameter);
  }
  exact.rules.is_ignorable = [of_base = base.parameters](const std::string& name) {
    return has(of_base, name);
  };
  base.rules.is_ignorable = [](const std::string&) { return true; };
  if (base.parameters.empty()) return {std::move(exact)};
  return {std::move(exact), std::move(base)};
}

void read_saved_step(VideoLlama& model, const std::string& file, const weights::LoadRules& frozen) {
  for (WeightReading& reading : saved_step_readings(model, file, frozen)) {
    reading.key.clear();
    reading.rules.device = frozen.device;
    load(reading);
  }
}

void load_saved_step(VideoLlama& model, const std::string& file) {
  read_saved_step(model, file, {.dtype = model.language_model().dtype(), .device = model.device()});
}

}  // namespace vllama::models
