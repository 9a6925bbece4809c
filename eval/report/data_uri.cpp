#include "eval/report/data_uri.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/markup.h"

namespace vllama::eval {

std::string image_data_uri(std::string_view bytes, const std::string& where) {
  using namespace std::string_view_literals;
  const char* type = nullptr;
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) type = "image/png";
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) type = "image/jpeg";
  if (type == nullptr) throw UserError(fmt::format("{}: is neither PNG nor JPEG", where));
  return fmt::format("data:{};base64,{}", type, base64(bytes));
}

}  // namespace vllama::eval
