#include "weights/file_sizes.h"

#include <fmt/format.h>

#include <algorithm>

namespace vllama::weights {

using config::Size;

void FileSizes::take(const std::string& key, Size& size, std::optional<std::int64_t> found,
                     const std::string& evidence) {
  if (!found || *found < 1) return;
  if (size.is_given() && size != *found)
    differences_.push_back(fmt::format("{} is {}, but the file has {} ({})", key,
                                       std::int64_t{size}, *found, evidence));
  if (size != *found) size = size.is_given() ? Size(*found) : Size::published(*found);
}

void FileSizes::take(const std::string& key, Size& size, const std::string& tensor,
                     std::size_t dimension) {
  take(key, size, shapes_.extent(tensor, dimension), tensor);
}

void FileSizes::take_count(const std::string& key, Size& size, const std::string& prefix,
                           const std::string& part) {
  const std::int64_t found = shapes_.count_numbered(prefix);
  const std::int64_t last = std::max<std::int64_t>(found, size) - 1;
  take(key, size, found, fmt::format("{}{}{}.{}", size > found ? "no " : "", prefix, last, part));
}

void FileSizes::check_heads(const std::string& section, const Size& num_heads, const Size& width,
                            std::int64_t published_width) {
  if (width % num_heads == 0) {
    if (!num_heads.is_given() && width != published_width)
      guesses_.push_back(fmt::format("{}.num_heads: {}", section, std::int64_t{num_heads}));
    return;
  }
  differences_.push_back(
      fmt::format("{}.num_heads is {}{}, which does not divide the width {}: give the number that "
                  "the weights were trained with",
                  section, std::int64_t{num_heads},
                  num_heads.is_given() ? "" : " where it is not given", std::int64_t{width}));
}

}  // namespace vllama::weights
