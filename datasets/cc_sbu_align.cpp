#include "datasets/cc_sbu_align.h"

#include <fmt/format.h>

#include "core/error.h"
#include "datasets/entry_error.h"
#include "datasets/json_dataset.h"

namespace vllama::datasets {

std::unique_ptr<Dataset> open_cc_sbu_align(const std::filesystem::path& annotations,
                                           const MediaRoot& media_root,
                                           const IndexFolder& indexes) {
  const auto read = [media_root](const JsonElement& element) {
    const std::string id = text_member(element, "image_id");
    const std::string caption = text_member(element, "caption");
    if (id.empty()) throw EntryError("missing_id");
    if (id.ends_with(".jpg") || id.ends_with(".jpeg") || id.ends_with(".png"))
      throw UserError(fmt::format("{}: 'image_id' is '{}', but must come without a file extension",
                                  element.place, id));
    if (caption.find_first_not_of(" \t\r\n") == std::string::npos)
      throw EntryError("missing_caption");
    return Record{.id = id,
                  .media = {{.source = media_root.file(id + ".jpg"), .kind = MediaKind::image}},
                  .conversation = {{{.question = "", .answer = caption}}}};
  };
  return std::make_unique<JsonDataset>(
      annotations,
      JsonFormat{
          .reader = "cc_sbu_align 1", .key = "annotations", .ids = Ids::may_repeat, .read = read},
      indexes);
}

}  // namespace vllama::datasets
