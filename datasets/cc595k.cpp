#include "datasets/cc595k.h"

#include <fmt/format.h>

#include "core/error.h"
#include "datasets/entry_error.h"
#include "datasets/json_dataset.h"

namespace vllama::datasets {
namespace {

// The first answer of the chat, empty if there is none.
std::string caption_of(const JsonElement& element) {
  const nlohmann::json& messages = member(element, "conversations");
  if (!messages.is_array())
    throw UserError(fmt::format("{}: 'conversations' must be a list, not {}", element.place,
                                messages.type_name()));
  for (const nlohmann::json& value : messages) {
    const JsonElement message{value, element.place + ", conversations"};
    if (text_member(message, "from") == "gpt") return text_member(message, "value");
  }
  return {};
}

}  // namespace

std::unique_ptr<Dataset> open_cc595k(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes) {
  const auto read = [media_root](const JsonElement& element) {
    const std::string image = text_member(element, "image");
    const std::string caption = caption_of(element);
    if (image.empty()) throw EntryError("missing_image");
    if (caption.find_first_not_of(" \t\r\n") == std::string::npos)
      throw EntryError("missing_caption");
    return Record{.id = text_member(element, "id"),
                  .media = {{.source = media_root.file(image), .kind = MediaKind::image}},
                  .conversation = {{{.question = "", .answer = caption}}}};
  };
  return std::make_unique<JsonDataset>(
      annotations, JsonFormat{.reader = "cc595k 1", .key = "", .ids = Ids::unique, .read = read},
      indexes);
}

}  // namespace vllama::datasets
