// Which tokens end an answer, as the files beside a vocabulary say it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vllama::text {

// From generation_config.json or config.json, the first that names some of `num_tokens` tokens, as
// generation with transformers has it. Throws UserError naming a file that is no JSON object.
std::vector<std::int64_t> end_ids(const std::filesystem::path& folder, std::int64_t num_tokens);

// The text of the end token in tokenizer_config.json. Throws as end_ids().
std::optional<std::string> end_text(const std::filesystem::path& folder);

}  // namespace vllama::text
