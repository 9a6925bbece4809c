#include "media/fourier.h"

extern "C" {
#include <libavutil/tx.h>
}

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "media/ffmpeg.h"

namespace vllama::media {
namespace {

constexpr int kShortestTransform = 4;

// exp(-2 pi i k / length) for all k below `length`.
std::vector<std::complex<double>> roots_of_unity(int length) {
  std::vector<std::complex<double>> roots;
  for (int k = 0; k < length; ++k)
    roots.push_back(std::polar(1.0, -2 * std::numbers::pi * k / length));
  return roots;
}

}  // namespace

// The signal is taken apart into `stride` signals of every stride-th sample, whose transforms, of
// a power of two, are put together (Cooley and Tukey).
struct RealTransform::Plan {
  // Free<> would hand av_free the address of the pointer, since its argument is a void*.
  struct FreeBuffer {
    void operator()(double* buffer) const noexcept { av_free(buffer); }
  };
  using Buffer = std::unique_ptr<double[], FreeBuffer>;
  using Context = std::unique_ptr<AVTXContext, Free<av_tx_uninit>>;

  // Aligned as the transform wants it.
  static Buffer make_buffer(int length) {
    return Buffer(static_cast<double*>(allocated(av_calloc(length, sizeof(double)))));
  }

  int length, stride;
  Buffer part, transformed;
  Context context;
  av_tx_fn function;
  std::vector<double> input;
  std::vector<std::complex<double>> spectrum, roots;

  int part_length() const { return length / stride; }
  // The part that begins at sample `first`, as the transform gives it: frequencies up to half of
  // its length.
  std::span<const std::complex<double>> transform_part(int first);
  void add_part(int first);
};

std::span<const std::complex<double>> RealTransform::Plan::transform_part(int first) {
  for (int i = 0; i < part_length(); ++i) part[i] = input[first + i * stride];
  function(context.get(), transformed.get(), part.get(), sizeof(double));
  // The standard lays a complex number out as two reals in a row.
  return {reinterpret_cast<const std::complex<double>*>(transformed.get()),
          static_cast<std::size_t>(part_length() / 2 + 1)};
}

void RealTransform::Plan::add_part(int first) {
  const auto of_part = transform_part(first);
  for (int k = 0; k <= length / 2; ++k) {
    const int place = k % part_length();
    // The upper half of the spectrum of a real signal mirrors the lower one.
    const std::complex<double> value = place < static_cast<int>(of_part.size())
                                           ? of_part[place]
                                           : std::conj(of_part[part_length() - place]);
    spectrum[k] += value * roots[static_cast<std::int64_t>(first) * k % length];
  }
}

RealTransform::RealTransform(int length) {
  VLLAMA_ASSERT(length >= kShortestTransform && length % kShortestTransform == 0,
                "a transform's length must be a multiple of four");
  const int stride = length >> std::countr_zero(static_cast<unsigned>(length));
  AVTXContext* context = nullptr;
  av_tx_fn function = nullptr;
  const double scale = 1;
  check(av_tx_init(&context, &function, AV_TX_DOUBLE_RDFT, 0, length / stride, &scale, 0),
        "cannot prepare a Fourier transform");
  plan_ = std::make_unique<Plan>(Plan{.length = length,
                                      .stride = stride,
                                      .part = Plan::make_buffer(length / stride),
                                      .transformed = Plan::make_buffer(length / stride + 2),
                                      .context = Plan::Context(context),
                                      .function = function,
                                      .input = std::vector<double>(length),
                                      .spectrum = std::vector<std::complex<double>>(length / 2 + 1),
                                      .roots = roots_of_unity(length)});
}

RealTransform::~RealTransform() = default;
RealTransform::RealTransform(RealTransform&&) noexcept = default;
RealTransform& RealTransform::operator=(RealTransform&&) noexcept = default;

std::span<double> RealTransform::input() {
  return plan_->input;
}

std::span<const std::complex<double>> RealTransform::run() {
  if (plan_->stride == 1) return plan_->transform_part(0);
  std::ranges::fill(plan_->spectrum, 0);
  for (int first = 0; first < plan_->stride; ++first) plan_->add_part(first);
  return plan_->spectrum;
}

}  // namespace vllama::media
