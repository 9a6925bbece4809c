// Numbers as people read them: digits in groups, short forms, durations.
#pragma once

#include <cstdint>
#include <string>

namespace vllama::output {

// 1234567 -> "1,234,567".
std::string grouped_digits(std::int64_t value);

// 12345 -> "12.3k", 7.2e6 -> "7.20M": three significant digits and k, M, G or T; whole below 1000.
std::string short_number(double value);

// 1536 -> "1.54 kB": decimal units, three significant digits.
std::string byte_text(std::int64_t num_bytes);

// 75 -> "1:15", 3725 -> "1:02:05", 90061 -> "1d 01:01:01"; "?" when unknown (not finite or
// negative).
std::string duration_text(double seconds);

// Six digits, "inf", "-inf" or "nan": what is not a number has no sign.
std::string real_text(double value);

}  // namespace vllama::output
