// What a medium is: the one enum of what models see and hear.
#pragma once

namespace vllama {

enum class MediaKind { video, image, sound };

}  // namespace vllama
