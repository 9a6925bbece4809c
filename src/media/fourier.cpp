#include "media/fourier.h"

extern "C" {
#include <libavutil/tx.h>
}

#include <bit>
#include <new>

#include "core/error.h"
#include "media/ffmpeg.h"

namespace vllama::media {

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

  int length;
  Buffer input, output;
  Context context;
  av_tx_fn function;
};

RealTransform::RealTransform(int length) {
  VLLAMA_ASSERT(length >= 4 && std::has_single_bit(static_cast<unsigned>(length)),
                "a transform's length must be a power of two");
  AVTXContext* context = nullptr;
  av_tx_fn function = nullptr;
  const double scale = 1;
  check(av_tx_init(&context, &function, AV_TX_DOUBLE_RDFT, 0, length, &scale, 0),
        "cannot prepare a Fourier transform");
  plan_ = std::make_unique<Plan>(length, Plan::make_buffer(length), Plan::make_buffer(length + 2),
                                 Plan::Context(context), function);
}

RealTransform::~RealTransform() = default;
RealTransform::RealTransform(RealTransform&&) noexcept = default;
RealTransform& RealTransform::operator=(RealTransform&&) noexcept = default;

std::span<double> RealTransform::input() {
  return {plan_->input.get(), static_cast<std::size_t>(plan_->length)};
}

std::span<const std::complex<double>> RealTransform::run() {
  plan_->function(plan_->context.get(), plan_->output.get(), plan_->input.get(), sizeof(double));
  // The standard lays a complex number out as two reals in a row.
  return {reinterpret_cast<const std::complex<double>*>(plan_->output.get()),
          static_cast<std::size_t>(plan_->length / 2 + 1)};
}

}  // namespace vllama::media
