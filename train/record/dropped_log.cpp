#include "train/record/dropped_log.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/terminal_text.h"
#include "train/record/step_lines.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

DroppedLog::DroppedLog(const std::filesystem::path& path, std::int64_t num_steps_done)
    : file_(keep_first_steps(path, num_steps_done)) {}

void DroppedLog::write(const std::vector<datasets::DroppedSample>& samples) {
  if (!samples.empty()) file_.append(to_lines(samples));
}

std::string to_lines(const std::vector<datasets::DroppedSample>& samples) {
  std::string lines;
  for (const datasets::DroppedSample& sample : samples) {
    const Json line{{"step", sample.step + 1}, {"dataset", sample.dataset},
                    {"id", sample.id},         {"path", sample.path},
                    {"reason", sample.reason}, {"detail", sample.detail}};
    lines += printable(line.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
  }
  return lines;
}

std::vector<datasets::DroppedSample> from_lines(const std::string& lines) {
  std::vector<datasets::DroppedSample> samples;
  std::istringstream stream(lines);
  for (std::string text; std::getline(stream, text);) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    VLLAMA_ASSERT(line.is_object(), "a line about a dropped sample is a JSON object");
    samples.push_back({.step = line.at("step").get<std::int64_t>() - 1,
                       .dataset = line.at("dataset"),
                       .id = line.at("id"),
                       .path = line.at("path"),
                       .reason = line.at("reason"),
                       .detail = line.at("detail")});
  }
  return samples;
}

}  // namespace vllama::train
