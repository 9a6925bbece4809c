#include "models/q_former_connector.h"

#include <algorithm>
#include <numeric>

namespace vllama::models {

QFormerConnector::QFormerConnector(const QFormerConfig& config, std::int64_t states_width,
                                   std::int64_t states_per_window)
    : q_former_(config, states_width), states_per_window_(states_per_window) {}

std::int64_t QFormerConnector::num_tokens(const MediumShape& medium) const {
  return q_former_.num_tokens() * std::ssize(windows(medium));
}

std::vector<std::int64_t> QFormerConnector::places(const MediumShape& medium) const {
  return states_per_window_ == 0 ? medium.units() : windows(medium);
}

std::vector<std::int64_t> QFormerConnector::windows(const MediumShape& medium) const {
  if (states_per_window_ == 0) return {medium.num_states};
  std::vector<std::int64_t> lengths;
  for (std::int64_t first = 0; first < medium.num_states; first += states_per_window_)
    lengths.push_back(std::min(states_per_window_, medium.num_states - first));
  return lengths;
}

void QFormerConnector::declare(nn::ParameterList& list, const PublishedPart& part) {
  if (part.kind == PartKind::queries || part.kind == PartKind::layers)
    q_former_.declare(list, part);
}

at::Tensor QFormerConnector::operator()(const at::Tensor& states_SE,
                                        std::span<const MediumShape> media,
                                        nn::Dropout dropout) const {
  std::vector<std::int64_t> lengths;
  for (const MediumShape& medium : media)
    for (const std::int64_t length : windows(medium)) lengths.push_back(length);
  return q_former_(states_SE, nn::Segments(std::move(lengths)), std::move(dropout));
}

double QFormerConnector::flops(const MediumShape& medium) const {
  const auto lengths = windows(medium);
  return std::accumulate(lengths.begin(), lengths.end(), 0.0,
                         [this](double sum, auto length) { return sum + q_former_.flops(length); });
}

}  // namespace vllama::models
