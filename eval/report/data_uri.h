// Pictures inside of a page.
#pragma once

#include <string>
#include <string_view>

namespace vllama::eval {

// data:image/png;base64,... or the same for JPEG, by the first bytes. Throws UserError beginning
// with `where` for what is neither.
std::string image_data_uri(std::string_view bytes, const std::string& where);

}  // namespace vllama::eval
