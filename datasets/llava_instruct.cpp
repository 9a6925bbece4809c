#include "datasets/llava_instruct.h"

#include "datasets/entry_error.h"
#include "datasets/json_dataset.h"
#include "datasets/json_fields.h"
#include "datasets/tagged_messages.h"

namespace vllama::datasets {
namespace fs = std::filesystem;

std::unique_ptr<Dataset> open_llava_instruct(const fs::path& annotations,
                                             const MediaRoot& media_root,
                                             const std::string& image_prefix,
                                             const IndexFolder& indexes) {
  constexpr std::string_view kTag = "<image>";
  const auto read = [=](const JsonElement& element) {
    const auto image = optional_text(element.value, "image");
    if (!image || image->empty())
      throw EntryError(has_tag(element.value, kTag) ? "missing_image" : "text_only");
    fs::path name = media_name(*image);
    name.replace_filename(image_prefix + name.filename().string());
    return Record{.id = required_id(element.value),
                  .media = {{.source = media_root.file(name), .kind = MediaKind::image}},
                  .conversation = tagged_conversation(element.value, kTag)};
  };
  return std::make_unique<JsonDataset>(
      annotations,
      JsonFormat{.reader = "llava_instruct 1", .key = "", .ids = Ids::unique, .read = read},
      indexes);
}

}  // namespace vllama::datasets
