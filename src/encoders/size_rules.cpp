#include "encoders/size_rules.h"

#include <fmt/format.h>

#include "core/error.h"

namespace vllama::encoders {

void check_multiple(const std::string& section, const std::string& whole_key, std::int64_t whole,
                    const std::string& part_key, std::int64_t part) {
  if (whole % part != 0)
    throw UserError(fmt::format("{0}.{1} is {2}, which is not a multiple of {0}.{3}, {4}", section,
                                whole_key, whole, part_key, part));
}

}  // namespace vllama::encoders
