#include "text/folder_template.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/json_depth.h"
#include "text/prompt_template.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

// Of several templates the one without a name, or "default", is for conversations.
std::string default_template(const Json& templates) {
  if (templates.is_string()) return templates.get<std::string>();
  if (!templates.is_array()) return {};
  for (const Json& entry : templates)
    if (entry.is_object() && entry.value("name", "") == "default" && entry.contains("template") &&
        entry["template"].is_string())
      return entry["template"].get<std::string>();
  return {};
}

std::string template_of_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path own = folder / "chat_template.jinja";
  if (std::filesystem::is_regular_file(own, error)) return read_file(own);
  const std::filesystem::path config = folder / "tokenizer_config.json";
  if (!std::filesystem::is_regular_file(config, error)) return {};
  const std::string text = read_file(config);
  if (is_nested_too_deep(text)) return {};
  const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object() || !value.contains("chat_template")) return {};
  return default_template(value["chat_template"]);
}

}  // namespace

std::optional<std::string_view> family_of_template(std::string_view chat_template) {
  const auto has = [chat_template](std::string_view mark) {
    return chat_template.find(mark) != std::string_view::npos;
  };
  if (has("<|start_header_id|>")) return "llama_3";
  if (has("USER: ") && has("ASSISTANT:")) return "vicuna_v1_1";
  if (has("[INST]") && !has("<<SYS>>")) return "mistral";
  if (!has("<|im_start|>")) return std::nullopt;
  if (has("enable_thinking")) return "qwen3";
  // Of ChatML's families those that have a system text of their own.
  for (const std::string_view name : {"qwen2_5", "smollm2"})
    if (has(prompt_template(name).training.default_system)) return name;
  return "chatml";
}

std::optional<std::string_view> family_of_folder(const std::filesystem::path& folder) {
  return family_of_template(template_of_folder(folder));
}

}  // namespace vllama::text
