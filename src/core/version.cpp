#include "core/version.h"

namespace vllama {

std::string program_version() {
  return VLLAMA_VERSION;
}

}  // namespace vllama
