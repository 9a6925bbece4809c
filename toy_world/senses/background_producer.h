// Makes things one after the other in a thread of its own, a few ahead of the one who takes them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace vllama::toy {

template <class Item>
class BackgroundProducer {
 public:
  // Calls make(0), make(1), ... in this order, without end.
  explicit BackgroundProducer(std::function<Item(std::int64_t)> make)
      : thread_([this, make = std::move(make)](const std::stop_token& stop) { run(stop, make); }) {}

  // The next item, in order. Rethrows what make() threw.
  Item next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !items_.empty() || failure_; });
    if (items_.empty()) std::rethrow_exception(failure_);
    Item item = std::move(items_.front());
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

 private:
  static constexpr std::size_t kMostAhead = 4;

  void run(const std::stop_token& stop, const std::function<Item(std::int64_t)>& make) {
    try {
      for (std::int64_t i = 0; !stop.stop_requested(); ++i) {
        Item item = make(i);
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return items_.size() < kMostAhead; })) return;
        items_.push_back(std::move(item));
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Item> items_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace vllama::toy
