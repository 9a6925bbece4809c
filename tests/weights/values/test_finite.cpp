// Numbers in weight files that are not finite are counted exactly, wherever they stand.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <limits>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "weights/load.h"
#include "weights/values/finite.h"
#include "weights/values/tensors.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;

namespace {

std::int64_t by_libtorch(const at::Tensor& values) {
  return values.numel() - at::isfinite(values).sum().item<std::int64_t>();
}

double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("every half-precision number is told rightly") {
  const at::Tensor bits = at::arange(-32768, 32768, at::kInt).to(at::kShort);
  for (const auto type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor values = bits.view(type);
    CHECK(count_not_finite(to_view(values)) == by_libtorch(values));
    CHECK(by_libtorch(values) == (type == at::kHalf ? 2 * 1024 : 2 * 128));
  }
}

TEST_CASE("a number that is not finite is found at any place, in any type") {
  const double bad =
      GENERATE(std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
               std::numeric_limits<double>::quiet_NaN());
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16})
    for (const std::int64_t size : {1, 7, 4095, 4096, 4097, 20'001}) {
      at::Tensor values = at::randn({size}, at::kFloat).to(type);
      CHECK(count_not_finite(to_view(values)) == 0);
      values[size - 1] = bad;
      values[size / 2] = bad;
      CHECK(count_not_finite(to_view(values)) == by_libtorch(values));
    }
  const at::Tensor largest = at::empty({4096 * 3}, at::kHalf).fill_(bad);
  CHECK(count_not_finite(to_view(largest)) == largest.numel());
  CHECK(count_not_finite(to_view(at::arange(5, at::kLong))) == 0);
}

TEST_CASE(
    "loading names every tensor that is not finite, whether it is copied, viewed or strided") {
  const TemporaryFolder folder;
  at::Tensor first = at::randn({40, 30}, at::kFloat), second = first.clone();
  first[3][4] = std::numeric_limits<float>::quiet_NaN();
  second[0][0] = second[39][29] = std::numeric_limits<float>::infinity();
  const bool is_pth = GENERATE(false, true);
  const auto path = folder.path() / (is_pth ? "w.pth" : "w.safetensors");
  const NamedTensors tensors{
      {"a", first}, {"b", second}, {"c", at::randn({2}, at::kFloat)}, {"unused", second}};
  if (is_pth)
    write_pth(path, to_map(tensors));
  else
    write_safetensors(path, tensors);
  const auto source = open_weights(path);
  at::Tensor a, b, c;
  const std::vector<ParameterSlot> slots{{"a", {40, 30}, &a}, {"b", {40, 30}, &b}, {"c", {2}, &c}};
  LoadRules rules{.dtype = GENERATE(at::kFloat, at::kBFloat16), .writable = GENERATE(false, true)};
  rules.is_ignorable = [](const std::string& name) { return name == "unused"; };
  const auto load = [&] { load_parameters(*source, slots, rules); };
  CHECK_THROWS_AS(load(), UserError);
  CHECK_THROWS_WITH(load(), Contains(path.filename().string()) && Contains("a: 1 of 1200") &&
                                Contains("b: 2 of 1200") && Contains("not finite (2)"));
  rules.is_partly_used = [](const std::string&) { return true; };
  CHECK_NOTHROW(load());
}

// What looking costs beside reading, on weights that are in memory: run by name.
TEST_CASE("measured search for numbers that are not finite", "[.]") {
  const at::Tensor half = at::randn({64 << 20}, at::kFloat).to(at::kHalf);  // 128 MB
  const TensorView whole = to_view(half);
  constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;
  for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    at::Tensor copy = at::empty({half.numel()}, at::TensorOptions().dtype(type)).zero_();
    const auto read = [&](bool looks) {
      std::int64_t begin = 0, count = 0;
      for (const TensorView& piece : contiguous_pieces(whole, kPieceBytes)) {
        copy.narrow(0, begin, piece.shape[0]).copy_(to_tensor(piece));
        begin += piece.shape[0];
        if (looks) count += count_not_finite(piece);
      }
      CHECK(count == 0);
    };
    double plain = 1e9, looking = 1e9;
    for (int i = 0; i < 7; ++i) {
      plain = std::min(plain, seconds_of([&] { read(false); }));
      looking = std::min(looking, seconds_of([&] { read(true); }));
    }
    std::cout << "fp16 read as " << c10::toString(type) << ": " << plain << " s, with the search "
              << looking << " s, ratio " << looking / plain << "\n";
  }
  const double alone = seconds_of([&] { CHECK(count_not_finite(whole) == 0); });
  std::cout << "the search alone: " << static_cast<double>(whole.num_bytes()) / alone / 1e9
            << " GB/s\n";
}
