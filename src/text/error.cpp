#include "text/error.h"

#include "core/error.h"

namespace vllama::text {

std::string_view failure_name(TextFailure reason) {
  switch (reason) {
    case TextFailure::no_turns:
      return "no_turns";
    case TextFailure::unknown_role:
      return "unknown_role";
    case TextFailure::broken_order:
      return "broken_order";
    case TextFailure::no_media_place:
      return "no_media_place";
    case TextFailure::many_media_places:
      return "many_media_places";
    case TextFailure::reserved_token:
      return "reserved_token";
    case TextFailure::too_long:
      return "too_long";
    case TextFailure::no_target:
      return "no_target";
  }
  throw InternalError("unknown TextFailure");
}

}  // namespace vllama::text
