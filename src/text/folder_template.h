// Which family of prompts a model's folder says that it was trained with.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vllama::text {

// The family whose prompts a chat template (in Jinja, as transformers keeps it) writes, told by the
// marks that stand in it; nothing for a template of none.
std::optional<std::string_view> family_of_template(std::string_view chat_template);

// Of a folder: from chat_template.jinja, or chat_template in tokenizer_config.json. Nothing if it
// has neither, or one of no known family.
std::optional<std::string_view> family_of_folder(const std::filesystem::path& folder);

}  // namespace vllama::text
