// Drawing samples with replacement, and what follows from the values of such draws.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "eval/scores/measurement.h"

namespace vllama::eval {

// Sets of samples drawn with replacement from `samples`: a pure function of the seed and their
// number, so that two measurements of the same samples are resampled alike.
class Resampling {
 public:
  Resampling(std::vector<std::size_t> samples, std::uint64_t seed);
  // Valid until the next call.
  const std::vector<std::size_t>& next();

 private:
  std::vector<std::size_t> samples_, drawn_;
  RandomStream stream_;
};

// The sums of the measurement's statistics over these samples, of which some may occur several
// times, and its value there.
std::vector<double> sums_of(const Measurement& measurement,
                            const std::vector<std::size_t>& samples);
double value_of(const Measurement& measurement, const std::vector<std::size_t>& samples);

struct Interval {
  double low, high;
};

// The percentiles (1 - confidence) / 2 and (1 + confidence) / 2 of the finite ones of `values`,
// with linear interpolation between neighbours; NaN if there are none.
Interval percentile_interval(std::vector<double> values, double confidence);

// Wilson's interval of samples that are all alike. Draws from them are all alike too and have no
// width, but samples of another kind may be missing by chance: with n samples their share is at
// most z^2 / (n + z^2). The ends are the values with such a share at either end of the scale.
Interval interval_of_equal_samples(double value, double num_samples, const Scale& scale,
                                   double confidence);

}  // namespace vllama::eval
