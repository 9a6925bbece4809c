#include "text/tokenizers/byte_level_rules.h"

#include "text/tokenizers/byte_alphabet.h"
#include "text/tokenizers/json_parts.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

bool is_nfc(const TokenizerJson& file) {
  const Json& normalizer = member(*file.rest, "normalizer");
  bool found = false;
  for (const Json& part : parts_of(normalizer, "normalizers")) {
    if (type_of(part) != "NFC")
      refuse(file, "normalizer", part, "a byte-level vocabulary has none, or NFC");
    found = true;
  }
  return found;
}

WordRules word_rules(const TokenizerJson& file) {
  constexpr const char* kKnown =
      "the word patterns of GPT-2, Llama 3 and Qwen 2 are, and Digits in front of them";
  WordRules rules;
  bool has_pattern = false, is_byte_level = false;
  for (const Json& part : parts_of(member(*file.rest, "pre_tokenizer"), "pretokenizers")) {
    const std::string type = type_of(part);
    const bool is_first = !has_pattern && !is_byte_level;
    if (type == "Digits" && is_first && flag(part, "individual_digits")) {
      rules.splits_digits = true;
    } else if (type == "Split" && is_first) {
      const Json& expression = member(member(part, "pattern"), "Regex");
      const auto pattern =
          expression.is_string() ? word_pattern(expression.get<std::string>()) : std::nullopt;
      if (!pattern || member(part, "behavior") != "Isolated" || flag(part, "invert"))
        refuse(file, "pre_tokenizer", part, kKnown);
      rules.pattern = *pattern;
      has_pattern = true;
    } else if (type == "ByteLevel" && !is_byte_level && !flag(part, "add_prefix_space")) {
      const Json& use_regex = member(part, "use_regex");
      const bool uses_regex = !use_regex.is_boolean() || use_regex.get<bool>();
      if (uses_regex == has_pattern) refuse(file, "pre_tokenizer", part, kKnown);
      is_byte_level = true;
    } else {
      refuse(file, "pre_tokenizer", part, kKnown);
    }
  }
  if (!is_byte_level) refuse(file, "pre_tokenizer", member(*file.rest, "pre_tokenizer"), kKnown);
  return rules;
}

// Bytes by their characters. Converted files have steps in front of it for vocabularies of another
// kind, which find nothing to do in this one.
void check_decoder(const TokenizerJson& file) {
  const auto is_idle = [](const Json& part) {
    const Json& replaced = member(member(part, "pattern"), "String");
    return type_of(part) == "ByteFallback" || type_of(part) == "Fuse" ||
           (type_of(part) == "Replace" && replaced.is_string() &&
            !bytes_of_piece(replaced.get<std::string>()));
  };
  for (const Json& part : parts_of(member(*file.rest, "decoder"), "decoders"))
    if (type_of(part) != "ByteLevel" && !is_idle(part))
      refuse(file, "decoder", part, "ByteLevel is");
}

// What a template of the file puts in front of a text.
std::optional<std::string> beginning_of(const TokenizerJson& file) {
  std::optional<std::string> beginning;
  for (const Json& part : parts_of(member(*file.rest, "post_processor"), "processors")) {
    const std::string type = type_of(part);
    if (type == "ByteLevel") continue;
    constexpr const char* kKnown = "ByteLevel is, and a template of one token in front of a text";
    if (type != "TemplateProcessing") refuse(file, "post_processor", part, kKnown);
    const Json& single = member(part, "single");
    if (!single.is_array()) refuse(file, "post_processor", part, kKnown);
    bool is_behind_text = false;
    for (const Json& piece : single) {
      const Json& token = member(member(piece, "SpecialToken"), "id");
      if (!member(piece, "Sequence").is_null()) {
        is_behind_text = true;
      } else if (token.is_string() && !is_behind_text && !beginning) {
        beginning = token.get<std::string>();
      } else {
        refuse(file, "post_processor", piece, kKnown);
      }
    }
  }
  return beginning;
}

}  // namespace

ByteLevelRules byte_level_rules(const TokenizerJson& file) {
  check_decoder(file);
  return {
      .is_normalised = is_nfc(file), .words = word_rules(file), .beginning = beginning_of(file)};
}

}  // namespace vllama::text
