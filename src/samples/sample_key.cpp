#include "samples/sample_key.h"

namespace vllama::samples {

RandomStream SampleKey::random(RandomPurpose purpose, std::size_t medium) const {
  const std::uint64_t key =
      random_key({seed, static_cast<std::uint64_t>(purpose), static_cast<std::uint64_t>(step),
                  static_cast<std::uint64_t>(position)});
  return RandomStream(medium == 0 ? key : random_key({key, medium}));
}

}  // namespace vllama::samples
