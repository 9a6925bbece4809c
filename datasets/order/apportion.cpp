#include "datasets/order/apportion.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace vllama::datasets {
namespace {

// The claim of a weight to one more place than `num_held`.
struct Claim {
  double strength;
  std::size_t owner;

  bool precedes(const Claim& other) const {
    return strength > other.strength || (strength == other.strength && owner < other.owner);
  }
};

class Places {
 public:
  Places(std::span<const double> weights, std::int64_t num_places) : weights_(weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    VLLAMA_ASSERT(sum > 0 && std::isfinite(sum) && num_places >= 0, "shares of a whole");
    for (const double weight : weights)
      held_.push_back(static_cast<std::int64_t>(static_cast<double>(num_places) * (weight / sum)));
  }

  // The strongest claim that has no place yet.
  Claim strongest_waiting() const {
    Claim best{-1, 0};
    for (std::size_t i = 0; i < held_.size(); ++i)
      if (const Claim next = claim(i, held_[i]); weights_[i] > 0 && next.precedes(best))
        best = next;
    return best;
  }
  // The weakest claim that has a place.
  Claim weakest_served() const {
    Claim worst{std::numeric_limits<double>::infinity(), 0};
    for (std::size_t i = 0; i < held_.size(); ++i)
      if (held_[i] > 0 && worst.precedes(claim(i, held_[i] - 1))) worst = claim(i, held_[i] - 1);
    return worst;
  }

  std::vector<std::int64_t>& held() { return held_; }

 private:
  Claim claim(std::size_t owner, std::int64_t num_held) const {
    return {weights_[owner] / static_cast<double>(2 * num_held + 1), owner};
  }

  std::span<const double> weights_;
  std::vector<std::int64_t> held_;
};

}  // namespace

std::vector<std::int64_t> apportion(std::span<const double> weights, std::int64_t num_places) {
  Places places(weights, num_places);
  auto& held = places.held();
  std::int64_t num_served = std::accumulate(held.begin(), held.end(), std::int64_t{0});
  for (; num_served < num_places; ++num_served) ++held[places.strongest_waiting().owner];
  for (; num_served > num_places; --num_served) --held[places.weakest_served().owner];
  for (;;) {  // the first guess gave nobody more than a few places too many
    const Claim waiting = places.strongest_waiting(), served = places.weakest_served();
    if (num_places == 0 || !waiting.precedes(served)) return held;
    ++held[waiting.owner];
    --held[served.owner];
  }
}

}  // namespace vllama::datasets
