#include "train/shared_language_model.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::train {
namespace {

class LocalExchange : public nn::PartExchange {
 public:
  explicit LocalExchange(distributed::Communicator& ranks) : ranks_(ranks) {}

  std::int64_t num_parts() const override { return ranks_.num_local_ranks(); }
  std::int64_t own_part() const override { return ranks_.local_rank(); }
  void start(at::Tensor& whole, const std::string& what) override {
    ranks_.start_local_gather(whole, ranks_.activity() + ", " + what);
  }
  void finish() override { ranks_.finish(); }

 private:
  distributed::Communicator& ranks_;
};

}  // namespace

void check_sharing(const RunConfig& config) {
  if (!config.distributed.shard_language_model) return;
  const auto modules = models::trained_modules(config.model);
  if (std::ranges::find(modules, "language_model", &models::TrainedModule::module) != modules.end())
    throw UserError(
        "distributed.shard_language_model: only a frozen language model can be held in parts; take "
        "'language_model' out of model.trainable ('lora' may train), or set "
        "distributed.shard_optimizer instead");
  if (!config.model.recompute_layers)
    throw UserError(
        "distributed.shard_language_model: a layer that is let go of must be computed again for "
        "the backward pass; set model.recompute_layers: true");
}

std::unique_ptr<nn::PartExchange> share_language_model(const RunConfig& config,
                                                       distributed::Communicator& ranks,
                                                       at::Device device) {
  if (!config.distributed.shard_language_model) return nullptr;
  ranks.connect_local_ranks(device);
  if (ranks.num_local_ranks() == 1) return nullptr;
  return std::make_unique<LocalExchange>(ranks);
}

}  // namespace vllama::train
