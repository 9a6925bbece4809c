#include "core/json_depth.h"

namespace vllama {

bool is_nested_too_deep(std::string_view json) {
  int depth = 0;
  bool is_in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char byte = json[i];
    if (is_in_string) {
      if (byte == '\\')
        ++i;
      else if (byte == '"')
        is_in_string = false;
    } else if (byte == '"') {
      is_in_string = true;
    } else if (byte == '{' || byte == '[') {
      if (++depth > kMaxJsonDepth) return true;
    } else if (byte == '}' || byte == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace vllama
