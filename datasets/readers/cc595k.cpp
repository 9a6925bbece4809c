#include "datasets/readers/cc595k.h"

#include <nlohmann/json.hpp>

#include "datasets/entries/record_fields.h"
#include "datasets/readers/json_dataset.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {
namespace {

// The first answer of the chat, empty if there is none.
std::string caption_of(const nlohmann::json& element) {
  for (const nlohmann::json& message : tables::required_list(element, "conversations"))
    if (tables::required_words(message, "from") == "gpt")
      return tables::optional_words(message, "value").value_or("");
  return {};
}

}  // namespace

std::unique_ptr<Dataset> open_cc595k(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes) {
  const auto read = [media_root](const nlohmann::json& element) {
    tables::require_keys(element, {"id", "image", "conversations"});
    const std::string image = tables::optional_words(element, "image").value_or("");
    std::string caption = caption_of(element);
    if (image.empty()) throw tables::EntryError("missing_image");
    if (tables::is_blank(caption)) throw tables::EntryError("missing_caption");
    return Record{
        .id = tables::optional_words(element, "id").value_or(""),
        .media = {{.source = media_root.file(media_name(image)), .kind = MediaKind::image}},
        .conversation = {{{.question = "", .answer = std::move(caption)}}}};
  };
  const auto find_media = [media_root](Record& record) { media_root.find_extensions(record); };
  return std::make_unique<JsonDataset>(annotations,
                                       JsonFormat{.reader = "cc595k 2",
                                                  .key = "",
                                                  .ids = Ids::unique,
                                                  .read = read,
                                                  .find_media = find_media},
                                       indexes);
}

}  // namespace vllama::datasets
