// The loops of nn/step_lanes.h, for a translation unit that defines kLanes (numbers in a vector
// register) and kTileRows (rows of values that are multiplied side by side, by four rows of a
// matrix). All is in an unnamed
// namespace and uses no other header's code, so that no instruction of one kind of processor gets
// into another's program.
#include <cstring>

#include "nn/step_lanes.h"

namespace vllama::nn {
namespace {

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef float Fours __attribute__((vector_size(16)));
typedef float Eights __attribute__((vector_size(32)));
typedef float Sixteens __attribute__((vector_size(64)));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t Words __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t Halves __attribute__((vector_size(kLanes * 2)));

inline Floats load(const float* from) {
  Floats result;
  std::memcpy(&result, from, sizeof result);
  return result;
}

inline Floats load(const Bf16* from) {
  Halves bits;
  std::memcpy(&bits, from, sizeof bits);
  return reinterpret_cast<Floats>(__builtin_convertvector(bits, Words) << 16);
}

inline void store(float* to, Floats values) {
  std::memcpy(to, &values, sizeof values);
}

// The first `count` numbers, then zeros.
template <class Number>
inline Floats load_some(const Number* from, std::int64_t count) {
  Number padded[kLanes] = {};
  std::memcpy(padded, from, static_cast<std::size_t>(count) * sizeof(Number));
  return load(padded);
}

inline Floats all(float value) {
  return Floats{} + value;
}

// Lanes i and i + half, for halves down to four lanes.
inline Fours to_four(Fours values) {
  return values;
}
inline Fours to_four(Eights values) {
  return __builtin_shufflevector(values, values, 0, 1, 2, 3) +
         __builtin_shufflevector(values, values, 4, 5, 6, 7);
}
inline Fours to_four(Sixteens values) {
  return to_four(__builtin_shufflevector(values, values, 0, 1, 2, 3, 4, 5, 6, 7) +
                 __builtin_shufflevector(values, values, 8, 9, 10, 11, 12, 13, 14, 15));
}

// The sums over the lanes of four registers, each taken in the same order.
inline Fours sums_of(Floats a, Floats b, Floats c, Floats d) {
  const Fours a4 = to_four(a), b4 = to_four(b), c4 = to_four(c), d4 = to_four(d);
  const Fours ab =
      __builtin_shufflevector(a4, b4, 0, 4, 1, 5) + __builtin_shufflevector(a4, b4, 2, 6, 3, 7);
  const Fours cd =
      __builtin_shufflevector(c4, d4, 0, 4, 1, 5) + __builtin_shufflevector(c4, d4, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

inline float sum_of(Floats values) {
  return sums_of(values, values, values, values)[0];
}

constexpr int kTileOutputs = 4;

template <int kRows, int kOutputs, class Number>
inline void product_tile(const float* values, std::int64_t num_inputs, const Number* weights,
                         float* outputs, std::int64_t output_stride) {
  Floats sums[kRows][kOutputs] = {};
  const auto add = [&](const auto& read, std::int64_t i) {
    Floats weight[kOutputs];
    for (int o = 0; o < kOutputs; ++o) {
      weight[o] = read(weights + o * num_inputs + i);
      __builtin_prefetch(weights + (o + kOutputs) * num_inputs + i);  // the next tile, from memory
    }
    for (int r = 0; r < kRows; ++r) {
      const Floats value = read(values + r * num_inputs + i);
      for (int o = 0; o < kOutputs; ++o) sums[r][o] += value * weight[o];
    }
  };
  std::int64_t i = 0;
  for (; i + kLanes <= num_inputs; i += kLanes) add([](const auto* from) { return load(from); }, i);
  if (i < num_inputs)
    add([rest = num_inputs - i](const auto* from) { return load_some(from, rest); }, i);
  for (int r = 0; r < kRows; ++r) {
    float* row = outputs + r * output_stride;
    if constexpr (kOutputs % 4 == 0) {
      for (int o = 0; o < kOutputs; o += 4) {
        const Fours four = sums_of(sums[r][o], sums[r][o + 1], sums[r][o + 2], sums[r][o + 3]);
        std::memcpy(row + o, &four, sizeof four);
      }
    } else {
      for (int o = 0; o < kOutputs; ++o) row[o] = sum_of(sums[r][o]);
    }
  }
}

// `kOutputs` matrix rows from `first` on, with all rows of values.
template <int kOutputs, class Number>
inline void product_rows(const float* values, std::int64_t num_rows, std::int64_t num_inputs,
                         const Number* weights, float* outputs, std::int64_t output_stride) {
  std::int64_t r = 0;
  const auto tile = [&]<int kRows>() {
    product_tile<kRows, kOutputs>(values + r * num_inputs, num_inputs, weights,
                                  outputs + r * output_stride, output_stride);
    r += kRows;
  };
  while (num_rows - r >= kTileRows) tile.template operator()<kTileRows>();
  if constexpr (kTileRows > 2) {
    if (num_rows - r == 3) tile.template operator()<3>();
    if (num_rows - r == 2) tile.template operator()<2>();
  }
  if (num_rows - r == 1) tile.template operator()<1>();
}

template <class Number>
void products(const float* values, std::int64_t num_rows, std::int64_t num_inputs,
              const Number* weights, std::int64_t first, std::int64_t last, float* outputs,
              std::int64_t output_stride) {
  std::int64_t o = first;
  const auto rows = [&]<int kOutputs>() {
    product_rows<kOutputs>(values, num_rows, num_inputs, weights + o * num_inputs, outputs + o,
                           output_stride);
    o += kOutputs;
  };
  if (num_rows == 1)  // a single row leaves registers for twice as many
    while (last - o >= 2 * kTileOutputs) rows.template operator()<2 * kTileOutputs>();
  while (last - o >= kTileOutputs) rows.template operator()<kTileOutputs>();
  while (last > o) rows.template operator()<1>();
}

// e^x to 2 units in the last place for x <= 0: 2^n e^r with |r| <= ln(2) / 2 (Cephes' expf).
inline Floats exponential(Floats x) {
  const Floats lowest = all(-87.0F);
  x = x > lowest ? x : lowest;
  const Floats shift = all(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Floats n = (x * 1.44269504F + shift) - shift;
  const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  constexpr float kCoefficients[] = {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F,
                                     1.6666665459e-1F, 5.0000001201e-1F};
  Floats sum = all(1.9875691500e-4F);
  for (const float coefficient : kCoefficients) sum = sum * r + coefficient;
  sum = sum * r * r + r + 1.0F;
  return reinterpret_cast<Floats>(reinterpret_cast<Ints>(sum) +
                                  (__builtin_convertvector(n, Ints) << 23));
}

// Scores -> their exponentials relative to the largest; returns the sum of these.
inline float exponentials(float* scores, std::int64_t length) {
  float top = scores[0];
  for (std::int64_t s = 1; s < length; ++s) top = scores[s] > top ? scores[s] : top;
  float total = 0;
  for (std::int64_t s = 0; s < length; s += kLanes) {
    const std::int64_t count = length - s < kLanes ? length - s : kLanes;
    float part[kLanes];
    store(part, exponential(load_some(scores + s, count) - top));
    std::memcpy(scores + s, part, static_cast<std::size_t>(count) * sizeof(float));
    for (std::int64_t i = 0; i < count; ++i) total += part[i];
  }
  return total;
}

template <class Number>
void attend(const HeadStep<Number>& step) {
  for (std::int64_t q = 0; q < step.num_queries; ++q) {
    const float* query = step.queries + q * step.width;
    for (std::int64_t s = 0; s < step.length; s += 4) {
      const std::int64_t count = step.length - s < 4 ? step.length - s : 4;
      Floats sums[4] = {};
      for (std::int64_t k = 0; k < count; ++k)
        for (std::int64_t i = 0; i < step.width; i += kLanes)
          sums[k] += load(query + i) * load(step.keys + (s + k) * step.stride + i);
      const Fours scores = sums_of(sums[0], sums[1], sums[2], sums[3]) * step.scale;
      std::memcpy(step.scores + s, &scores, static_cast<std::size_t>(count) * sizeof(float));
    }
    const float share = 1 / exponentials(step.scores, step.length);
    for (std::int64_t i = 0; i < step.width; i += kLanes) {
      Floats sum = {};
      for (std::int64_t s = 0; s < step.length; ++s)
        sum += load(step.values + s * step.stride + i) * step.scores[s];
      store(step.context + q * step.width + i, sum * share);
    }
  }
}

void gated_silu(const float* gate, const float* up, std::int64_t count, float* result) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t rest = count - i < kLanes ? count - i : kLanes;
    const Floats g = load_some(gate + i, rest);
    // With e = exp(-|g|): 1 / (1 + exp(-g)) is 1 / (1 + e), or e / (1 + e) for negative g.
    const Floats e = exponential(g > 0 ? -g : g);
    const Floats sigmoid = (g > 0 ? all(1.0F) : e) / (e + 1.0F);
    float part[kLanes];
    store(part, g * sigmoid * load_some(up + i, rest));
    std::memcpy(result + i, part, static_cast<std::size_t>(rest) * sizeof(float));
  }
}

constexpr StepLanes kLoops = {products<float>, products<Bf16>, attend<float>, attend<Bf16>,
                              gated_silu};

}  // namespace
}  // namespace vllama::nn
