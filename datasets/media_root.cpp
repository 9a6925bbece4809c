#include "datasets/media_root.h"

#include <system_error>

namespace vllama::datasets {
namespace fs = std::filesystem;

MediaRoot MediaRoot::open(const std::string& text, const IndexFolder& indexes) {
  if (!names_shards(text)) return text;
  return MediaRoot(std::make_shared<const Shards>(text, indexes));
}

media::FileRange MediaRoot::file(const fs::path& name) const {
  if (shards_ == nullptr || name.is_absolute()) return folder_ / name;
  std::string wanted = member_name(name.string());
  if (const auto member = shards_->find(wanted, preferred_shard_)) return shards_->range(*member);
  return media::FileRange::absent(shards_->text(), std::move(wanted));
}

bool MediaRoot::has(const fs::path& name) const {
  if (shards_ != nullptr && !name.is_absolute())
    return shards_->find(member_name(name.string())).has_value();
  std::error_code ignored;
  return fs::exists(folder_ / name, ignored);
}

std::optional<media::FileRange> MediaRoot::find(
    const fs::path& stem, std::span<const std::string_view> extensions) const {
  for (const std::string_view extension : extensions) {
    fs::path name = stem;  // the extension is added, not replaced: a stem may have dots
    name += ".";
    name += extension;
    if (has(name)) return file(name);
  }
  return std::nullopt;
}

}  // namespace vllama::datasets
