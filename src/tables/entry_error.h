// What a reader throws for one entry that cannot become a record; the entry is counted and left
// out.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace vllama::tables {

struct EntryError : std::runtime_error {
  // `why` is a literal, a stable lower-case name for counters; `message` says what is wrong in this
  // entry and may be empty.
  explicit EntryError(std::string_view why, const std::string& message = {})
      : std::runtime_error(message), reason(why) {}
  std::string_view reason;
};

}  // namespace vllama::tables
