#include "encoders/block_number.h"

#include <charconv>

namespace vllama::encoders {

std::optional<std::int64_t> block_number(std::string_view name, std::string_view layers) {
  constexpr std::size_t kMaxDigits = 6;
  const std::size_t place = name.find(layers);
  if (place == std::string_view::npos || (place > 0 && name[place - 1] != '.')) return std::nullopt;
  name.remove_prefix(place + layers.size());
  const std::string_view digits = name.substr(0, name.find_first_not_of("0123456789"));
  if (digits.empty() || digits.size() > kMaxDigits || digits.size() == name.size() ||
      name[digits.size()] != '.')
    return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace vllama::encoders
