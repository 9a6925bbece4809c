// The inner loops of a generation step on the CPU, compiled once for each kind of vector registers.
// Plain pointers and sizes; nothing here knows of tensors or threads.
#pragma once

#include <cstdint>

namespace vllama::nn {

// Numbers as they lie in memory; bf16 is the upper half of a float.
struct Bf16 {
  std::uint16_t bits;
};

// One sequence of a step and one of its key heads.
template <class Number>
struct HeadStep {
  const float* queries;  // [num_queries, width], rotated
  std::int64_t num_queries;
  const Number* keys;    // [length, stride]
  const Number* values;  // [length, stride]
  std::int64_t width;    // a multiple of 16
  std::int64_t stride;
  std::int64_t length;
  float scale;
  float* scores;   // room for `length` numbers
  float* context;  // [num_queries, width]
};

struct StepLanes {
  // outputs[r * output_stride + o] = dot(values row r, weights row o) for o in [first, last), rows
  // of `num_inputs` numbers. Each sum is taken in the same order, whatever num_rows is.
  template <class Number>
  using Products = void (*)(const float* values, std::int64_t num_rows, std::int64_t num_inputs,
                            const Number* weights, std::int64_t first, std::int64_t last,
                            float* outputs, std::int64_t output_stride);
  Products<float> products;
  Products<Bf16> products_bf16;
  // softmax(scale q k^T) v
  void (*attend)(const HeadStep<float>&);
  void (*attend_bf16)(const HeadStep<Bf16>&);
  // result = gate / (1 + exp(-gate)) * up
  void (*gated_silu)(const float* gate, const float* up, std::int64_t count, float* result);
};

extern const StepLanes kPlainStepLanes;
#ifdef __x86_64__
extern const StepLanes kAvx2StepLanes;
extern const StepLanes kAvx512StepLanes;
#endif

// The widest that this processor has.
const StepLanes& step_lanes();

}  // namespace vllama::nn
