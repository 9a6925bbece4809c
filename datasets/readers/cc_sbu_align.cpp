#include "datasets/readers/cc_sbu_align.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "datasets/readers/json_dataset.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {

std::unique_ptr<Dataset> open_cc_sbu_align(const std::filesystem::path& annotations,
                                           const MediaRoot& media_root,
                                           const IndexFolder& indexes) {
  const auto read = [media_root](const nlohmann::json& element) {
    tables::require_keys(element, {"image_id", "caption"});
    const std::string id = tables::required_id(element, "image_id");
    const auto caption = tables::optional_words(element, "caption");
    if (id.ends_with(".jpg") || id.ends_with(".jpeg") || id.ends_with(".png"))
      throw tables::EntryError(
          "bad_path",
          fmt::format("'image_id' is '{}', but must come without a file extension", id));
    if (!caption || tables::is_blank(*caption)) throw tables::EntryError("missing_caption");
    return Record{.id = id,
                  .media = {{.source = media_root.file(id + ".jpg"), .kind = MediaKind::image}},
                  .conversation = {{{.question = "", .answer = *caption}}}};
  };
  return std::make_unique<JsonDataset>(
      annotations,
      JsonFormat{
          .reader = "cc_sbu_align 2", .key = "annotations", .ids = Ids::may_repeat, .read = read},
      indexes);
}

}  // namespace vllama::datasets
