#include "train/dropped_log.h"

#include <nlohmann/json.hpp>

#include "train/step_lines.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

bool is_about_first(std::int64_t num_steps, const std::string& line) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto step = object.is_object() ? object.find("step") : object.end();
  return step != object.end() && step->is_number_integer() && *step <= num_steps;
}

}  // namespace

DroppedLog::DroppedLog(const std::filesystem::path& path, std::int64_t num_steps_done)
    : file_(keep_lines(path, [num_steps_done](const std::string& line) {
        return is_about_first(num_steps_done, line);
      })) {}

void DroppedLog::write(const std::vector<datasets::DroppedSample>& samples) {
  for (const datasets::DroppedSample& sample : samples) {
    const Json line{{"step", sample.step + 1}, {"dataset", sample.dataset},
                    {"id", sample.id},         {"path", sample.path},
                    {"reason", sample.reason}, {"detail", sample.detail}};
    file_.append(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
}

}  // namespace vllama::train
