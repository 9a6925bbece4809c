#include "core/warn_once.h"

#include <mutex>
#include <set>

#include "core/log.h"

namespace vllama::log {

void warn_once(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  if (told.insert(text).second) warn("{}", text);
}

}  // namespace vllama::log
