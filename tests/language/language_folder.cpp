#include "tests/language/language_folder.h"

#include <ATen/ops/arange.h>

#include "models/load_language_model.h"
#include "tests/models/sizes.h"

namespace vllama::test {

LanguageFolder::LanguageFolder()
    : config(nlohmann::json::parse(language::to_config_json(tiny_llama(50)))) {
  language::Llama model(tiny_llama(50));
  nn::ParameterList parameters;
  model.declare(parameters);
  nn::initialize(parameters, 5);
  for (const nn::Parameter& parameter : parameters) tensors[parameter.name] = *parameter.tensor;
}

void LanguageFolder::write(const std::filesystem::path& folder, weights::ShardFormat format,
                           std::int64_t max_shard_bytes) const {
  weights::write_hf_folder(folder, config.dump(), tensors, {format, max_shard_bytes});
}

at::Tensor logits_of(const std::filesystem::path& folder) {
  language::Llama model(language::read_llama_config(folder / "config.json"));
  models::load(models::language_model_reading(model, folder, {.dtype = at::kFloat}));
  model.prepare(at::kFloat, at::kCPU);
  const at::Tensor ids = at::arange(3, 15, at::kLong);
  return model.logits(
      model.final_norm(model.hidden(model.embed(ids), nn::Segments({ids.size(0)}))));
}

}  // namespace vllama::test
