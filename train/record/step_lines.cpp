#include "train/record/step_lines.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/files.h"

namespace vllama::train {

std::filesystem::path keep_lines(const std::filesystem::path& path,
                                 const std::function<bool(const std::string& line)>& is_kept) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return path;
  const std::string content = read_file(path);
  std::istringstream lines(content);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (is_kept(line)) kept += line + "\n";
  if (kept != content) write_file_atomically(path, kept);
  return path;
}

std::filesystem::path keep_first_steps(const std::filesystem::path& path, std::int64_t num_steps) {
  using PlainJson = nlohmann::json;
  return keep_lines(path, [num_steps](const std::string& line) {
    const PlainJson object = PlainJson::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto step = object.is_object() ? object.find("step") : object.end();
    return step != object.end() && step->is_number_integer() && *step <= num_steps;
  });
}

}  // namespace vllama::train
