// The look of the report's page.
#pragma once

namespace vllama::eval {

extern const char* const kPageStyle;

}  // namespace vllama::eval
