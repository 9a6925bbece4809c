// The ways in which vllama reports that something went wrong.
#pragma once

#include <stdexcept>
#include <string>

namespace vllama {

// A mistake that the user can fix; the message says what to change. The program exits with 2.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A run that had begun and could not go on (full disk, too many broken samples). Exit status 1.
struct RunFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A broken promise of our own code: thrown by VLLAMA_ASSERT, never meant to be handled.
struct InternalError : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] void assertion_failed(const char* condition, const std::string& message,
                                   const char* file, int line);

}  // namespace vllama

// Checks a promise of our own code in every build type.
#define VLLAMA_ASSERT(condition, message) \
  ((condition) ? void(0) : ::vllama::assertion_failed(#condition, message, __FILE__, __LINE__))
