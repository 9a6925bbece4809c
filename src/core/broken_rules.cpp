#include "core/broken_rules.h"

#include <fmt/format.h>

#include "core/error.h"

namespace vllama {

void require_none(const std::vector<std::string>& broken) {
  if (broken.empty()) return;
  if (broken.size() == 1) throw UserError(broken.front());
  std::string text = fmt::format("{} things must be changed:", broken.size());
  for (std::size_t i = 0; i < broken.size(); ++i) text += fmt::format("\n{}. {}", i + 1, broken[i]);
  throw UserError(text);
}

}  // namespace vllama
