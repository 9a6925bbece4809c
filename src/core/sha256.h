// SHA-256 (FIPS 180-4): the name by which model cards and bundles know a file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vllama {

class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  // 64 hexadecimal digits; ends the computation.
  std::string finish();

 private:
  static constexpr std::size_t kBlockBytes = 64;
  using Block = std::array<std::byte, kBlockBytes>;

  void add_block(const std::byte* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  Block pending_{};
  std::uint64_t num_bytes_ = 0;
};

std::string sha256(std::string_view text);

}  // namespace vllama
