#include "train/loop/validation_log.h"

#include <nlohmann/json.hpp>

#include "train/record/step_lines.h"

namespace vllama::train {

ValidationLog::ValidationLog(const std::filesystem::path& path, std::int64_t num_steps_done)
    : file_(keep_first_steps(path, num_steps_done)) {}

void ValidationLog::write(std::int64_t step, const ValidationResult& result) {
  nlohmann::ordered_json line{{"step", step}};
  for (const auto& [name, value] : result.metrics) line[name] = value;
  file_.append(line.dump() + "\n");
}

}  // namespace vllama::train
