#include "eval/report/data_uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace vllama::eval {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t num_bytes = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < num_bytes ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j)
      result += j <= num_bytes ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return result;
}

}  // namespace

std::string image_data_uri(std::string_view bytes, const std::string& where) {
  using namespace std::string_view_literals;
  const char* type = nullptr;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) type = "image/png";
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) type = "image/jpeg";
  if (type == nullptr) throw UserError(fmt::format("{}: is neither PNG nor JPEG", where));
  return fmt::format("data:{};base64,{}", type, base64(bytes));
}

}  // namespace vllama::eval
