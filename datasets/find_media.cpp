#include "datasets/find_media.h"

#include <system_error>

namespace vllama::datasets {
namespace {

// Added, not replaced: a stem may have dots.
std::filesystem::path with_extension(std::filesystem::path stem, std::string_view extension) {
  stem += ".";
  stem += extension;
  return stem;
}

}  // namespace

std::filesystem::path first_existing(std::initializer_list<std::filesystem::path> stems,
                                     std::initializer_list<std::string_view> extensions) {
  for (const auto& stem : stems)
    for (const std::string_view extension : extensions) {
      const auto path = with_extension(stem, extension);
      std::error_code ignored;
      if (std::filesystem::exists(path, ignored)) return path;
    }
  return with_extension(*stems.begin(), *extensions.begin());
}

}  // namespace vllama::datasets
