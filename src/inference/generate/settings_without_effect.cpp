#include "inference/generate/settings_without_effect.h"

#include <fmt/format.h>

namespace vllama::inference {
namespace {

// Why a field changes nothing; empty if it does.
std::string reason_of(const GenerationConfig& config, const std::string& name) {
  if (name == "length_penalty") return config.num_beams == 1 ? "num_beams is 1" : "";
  const bool is_of_drawing =
      name == "temperature" || name == "top_k" || name == "top_p" || name == "seed";
  if (!is_of_drawing) return "";
  if (!config.do_sample) return "do_sample is false, the most probable token is taken";
  return name != "top_k" && config.top_k == 1 ? "top_k is 1, which leaves one token" : "";
}

}  // namespace

std::vector<std::string> without_effect(const GenerationConfig& config,
                                        const std::set<std::string>& names) {
  std::vector<std::string> notes;
  for (const std::string& name : names)
    if (const std::string reason = reason_of(config, name); !reason.empty())
      notes.push_back(fmt::format("{} has no effect: {}", name, reason));
  return notes;
}

}  // namespace vllama::inference
