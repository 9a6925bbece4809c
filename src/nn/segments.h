// How tokens that lie end to end divide into sequences: the packed layout of every batch.
#pragma once

#include <cstdint>
#include <vector>

namespace vllama::nn {

class Segments {
 public:
  explicit Segments(std::vector<std::int64_t> lengths);
  static Segments equal(std::int64_t count, std::int64_t length);

  std::int64_t count() const { return static_cast<std::int64_t>(lengths_.size()); }
  std::int64_t length(std::int64_t segment) const { return lengths_[segment]; }
  std::int64_t start(std::int64_t segment) const { return starts_[segment]; }
  std::int64_t total() const { return starts_.back(); }
  std::int64_t longest() const { return longest_; }
  bool all_equal() const { return all_equal_; }
  // Of every token its number within its segment.
  std::vector<std::int64_t> positions() const;
  // The starts and, last, the total: count() + 1 numbers.
  const std::vector<std::int64_t>& boundaries() const { return starts_; }

 private:
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> starts_;
  std::int64_t longest_ = 0;
  bool all_equal_ = true;
};

}  // namespace vllama::nn
