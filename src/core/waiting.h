// Waiting for another process where nothing but that process can end the wait: a lock of a file.
#pragma once

#include <functional>
#include <string>

namespace vllama {

// From any thread: this process will end, because another one that it depends on is missing. Waits
// of now and later end with the reason; the first one stays.
void give_up_waiting(const std::string& reason);

// Tries until it is done. Throws RunFailure with the reason once give_up_waiting() was called;
// `what` names the wait in it: "the process that indexes 'a.json'".
void wait_for(const std::string& what, const std::function<bool()>& is_done);

}  // namespace vllama
