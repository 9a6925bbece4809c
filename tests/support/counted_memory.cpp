#include "tests/support/counted_memory.h"

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace vllama::test {
namespace {

std::atomic<std::int64_t> live_bytes, most_bytes;

// In front of each block stands its size; libtorch asks for memory that is its own context.
constexpr std::size_t kHeaderBytes = 64;

void free_block(void* block) {
  char* const start = static_cast<char*>(block) - kHeaderBytes;
  live_bytes -= *reinterpret_cast<std::int64_t*>(start);
  std::free(start);
}

class CountingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t size) override {
    void* start = std::aligned_alloc(kHeaderBytes, size / kHeaderBytes * kHeaderBytes + 128);
    if (start == nullptr) throw std::bad_alloc();
    *static_cast<std::int64_t*>(start) = static_cast<std::int64_t>(size);
    const std::int64_t live = live_bytes += static_cast<std::int64_t>(size);
    std::int64_t most = most_bytes;
    while (live > most && !most_bytes.compare_exchange_weak(most, live)) {
    }
    void* const block = static_cast<char*>(start) + kHeaderBytes;
    return {block, block, &free_block, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free_block; }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }
};

c10::Allocator* usual_allocator = nullptr;

}  // namespace

CountedMemory::CountedMemory() {
  usual_allocator = c10::GetCPUAllocator();
  static CountingAllocator counting;
  c10::SetCPUAllocator(&counting, /*priority=*/100);
}

CountedMemory::~CountedMemory() {
  c10::SetCPUAllocator(usual_allocator, /*priority=*/100);
}

std::int64_t CountedMemory::num_bytes() const {
  return live_bytes;
}

void CountedMemory::forget_peak() {
  most_bytes = live_bytes.load();
}

std::int64_t CountedMemory::peak_bytes() const {
  return most_bytes;
}

}  // namespace vllama::test
