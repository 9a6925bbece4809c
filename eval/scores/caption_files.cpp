#include "eval/scores/caption_files.h"

#include <nlohmann/json.hpp>

#include "core/files.h"

namespace vllama::eval {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

void write(const std::filesystem::path& path, const ordered_json& content) {
  write_file_atomically(path, content.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace

void write_coco_results(const std::filesystem::path& path,
                        const std::vector<Prediction>& predictions) {
  ordered_json rows = ordered_json::array();
  for (const Prediction& prediction : predictions)
    rows.push_back({{"image_id", prediction.id},
                    {"caption", prediction.is_missing() ? "" : prediction.prediction}});
  write(path, rows);
}

void write_coco_annotations(const std::filesystem::path& path,
                            const std::vector<Prediction>& predictions) {
  ordered_json content = {{"info", ordered_json::object()},
                          {"type", "captions"},
                          {"licenses", ordered_json::array()},
                          {"images", ordered_json::array()},
                          {"annotations", ordered_json::array()}};
  std::int64_t number = 0;
  for (const Prediction& prediction : predictions) {
    content["images"].push_back({{"id", prediction.id}});
    for (const std::string& reference : prediction.references)
      content["annotations"].push_back(
          {{"image_id", prediction.id}, {"id", ++number}, {"caption", reference}});
  }
  write(path, content);
}

}  // namespace vllama::eval
