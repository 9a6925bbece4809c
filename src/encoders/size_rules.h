// Sizes of a configuration that must fit each other. Encoders ask when they are declared: what a
// model expects of its examples is known of sizes that make no model, too.
#pragma once

#include <cstdint>
#include <string>

namespace vllama::encoders {

// Throws UserError unless `section`.`whole_key` is a multiple of `section`.`part_key`.
void check_multiple(const std::string& section, const std::string& whole_key, std::int64_t whole,
                    const std::string& part_key, std::int64_t part);

}  // namespace vllama::encoders
