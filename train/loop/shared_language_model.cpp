#include "train/loop/shared_language_model.h"

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

std::unique_ptr<nn::PartExchange> share_language_model(const RunConfig& config,
                                                       distributed::Communicator& ranks,
                                                       at::Device device) {
  if (!config.distributed.shard_language_model) return nullptr;
  ranks.connect_local_ranks(device);
  if (ranks.num_local_ranks() == 1) return nullptr;
  return std::make_unique<LocalExchange>(ranks);
}

}  // namespace vllama::train
