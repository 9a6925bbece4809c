// The discrete Fourier transform of real signals, computed by FFmpeg.
#pragma once

#include <complex>
#include <memory>
#include <span>

namespace vllama::media {

// X[k] = sum over n of x[n] exp(-2 pi i k n / length), not scaled, in double precision. An object
// may be used by one thread at a time.
class RealTransform {
 public:
  // `length` must be a power of two of at least 4, or an odd number of times that. The odd part
  // costs its square.
  explicit RealTransform(int length);
  ~RealTransform();
  RealTransform(RealTransform&&) noexcept;
  RealTransform& operator=(RealTransform&&) noexcept;

  // The `length` samples to transform, for the caller to write; their content is lost by run().
  std::span<double> input();
  // X[0] .. X[length / 2], valid until the next run().
  std::span<const std::complex<double>> run();

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace vllama::media
