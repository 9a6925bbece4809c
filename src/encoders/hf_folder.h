// What the JSON files beside an encoder's weights say of it, in a Hugging Face folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/size.h"
#include "weights/config_json.h"

namespace vllama::weights {
class FileSizes;
}

namespace vllama::encoders {

// The folder's config.json, or the part of it below `section` where it has one; nothing if
// `weights` is no folder with such a file. Throws UserError if it cannot be read.
std::optional<weights::ConfigJson> read_hf_config(const std::filesystem::path& weights,
                                                  const std::string& section);
// The folder's preprocessor_config.json.
std::optional<weights::ConfigJson> read_hf_preprocessor(const std::filesystem::path& weights);

// Takes the number of heads that `json` has at `name`. Where it has none, or there is no such file,
// the number stays a guess, as FileSizes::check_heads() says. `section` begins the key in messages.
void take_heads(weights::FileSizes& file, const std::string& section, config::Size& num_heads,
                const config::Size& width, std::int64_t published_width,
                const std::optional<weights::ConfigJson>& json, const std::string& name);

// Throw UserError naming the file and the key where it says something else than this.
void require_text(const weights::ConfigJson& json, const std::string& name,
                  const std::string& expected);
void require_number(const weights::ConfigJson& json, const std::string& name, double expected);

}  // namespace vllama::encoders
