// A size of a model that its weight files tell: a whole number that knows whether the user gave it.
#pragma once

#include <cstdint>

namespace vllama::config {

class Size {
 public:
  // A number that is given: it must agree with the file.
  constexpr Size(std::int64_t value) : value_(value), is_given_(true) {}
  // The size of the published model, taken where neither the user nor a file says another.
  static constexpr Size published(std::int64_t value) {
    Size size(value);
    size.is_given_ = false;
    return size;
  }

  constexpr operator std::int64_t() const { return value_; }
  constexpr bool is_given() const { return is_given_; }

 private:
  std::int64_t value_;
  bool is_given_;
};

}  // namespace vllama::config
