#include "core/error.h"

#include <fmt/format.h>

namespace vllama {

void assertion_failed(const char* condition, const std::string& message, const char* file,
                      int line) {
  throw InternalError(fmt::format("{}:{}: {} ({})", file, line, message, condition));
}

}  // namespace vllama
