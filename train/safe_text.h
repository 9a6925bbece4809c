// Text from data made safe to print, for what a run writes.
#pragma once

#include "core/terminal_text.h"

namespace vllama::train {

using vllama::visible;

}  // namespace vllama::train
