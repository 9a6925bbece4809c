// The paper's connector: a Q-Former over all states of a medium, or over windows of them.
#pragma once

#include "models/connector.h"
#include "models/q_former.h"

namespace vllama::models {

class QFormerConnector final : public Connector {
 public:
  // Of S states in windows of `states_per_window`, the last one shorter where they do not come out
  // even; 0: one window, however many there are.
  QFormerConnector(const QFormerConfig& config, std::int64_t states_width,
                   std::int64_t states_per_window = 0);

  std::int64_t width() const override { return q_former_.width(); }
  // As many as there are queries, for each window.
  std::int64_t num_tokens(const MediumShape& medium) const override;
  // Units, or windows.
  std::vector<std::int64_t> places(const MediumShape& medium) const override;
  bool keeps_places() const override { return states_per_window_ > 0; }
  std::vector<std::int64_t> windows(const MediumShape& medium) const override;
  void declare(nn::ParameterList& list, const PublishedPart& part) override;
  at::Tensor operator()(const at::Tensor& states_SE, std::span<const MediumShape> media,
                        nn::Dropout dropout = {}) const override;
  double flops(const MediumShape& medium) const override;

 private:
  QFormer q_former_;
  std::int64_t states_per_window_;
};

}  // namespace vllama::models
