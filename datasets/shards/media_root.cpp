#include "datasets/shards/media_root.h"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "core/error.h"
#include "core/files.h"
#include "core/text_encoding.h"
#include "datasets/entries/media_names.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

// The extension is added, not replaced: a stem may have dots.
fs::path with_extension(const fs::path& stem, const std::string& extension) {
  fs::path name = stem;
  name += "." + extension;
  return name;
}

std::string upper_case(std::string_view extension) {
  std::string text(extension);
  for (char& byte : text)
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  return text;
}

// What names neither a folder nor shards is best named as what it is.
void refuse_file(const std::string& text) {
  std::error_code ignored;
  if (names_compressed_shards(text))
    throw UserError(
        fmt::format("media_root '{}' is compressed, and media are read where they lie: unpack it, "
                    "with gunzip or the like into a .tar, or into a folder",
                    text));
  if (!fs::is_regular_file(text, ignored)) return;
  const auto content = MappedFile::open(text);
  const std::string kind = binary_kind(content->text().substr(0, kFirstBytes), text);
  throw UserError(
      fmt::format("media_root '{}' is {}, not a folder or .tar: unpack it, or name the folder that "
                  "the media are in",
                  text, kind.empty() ? "a file" : kind));
}

}  // namespace

bool is_there(const media::FileRange& source) {
  std::error_code ignored;
  return source.is_whole_file() ? fs::exists(source.path, ignored) : !source.is_absent();
}

MediaRoot MediaRoot::open(const std::string& text, const IndexFolder& indexes) {
  if (!names_shards(text)) {
    refuse_file(text);
    return text;
  }
  return MediaRoot(std::make_shared<const Shards>(text, indexes));
}

media::FileRange MediaRoot::file(const fs::path& name) const {
  if (shards_ == nullptr || name.is_absolute()) return folder_ / name;
  std::string wanted = member_name(name.string());
  if (const auto member = shards_->find(wanted, preferred_shard_)) return shards_->range(*member);
  return media::FileRange::absent(shards_->text(), std::move(wanted));
}

std::optional<media::FileRange> MediaRoot::find(const fs::path& name) const {
  if (shards_ != nullptr && !name.is_absolute()) {
    const auto member = shards_->find(member_name(name.string()), preferred_shard_);
    return member ? std::optional(shards_->range(*member)) : std::nullopt;
  }
  std::error_code ignored;
  const fs::file_status status = fs::status(folder_ / name, ignored);
  const bool is_there = fs::exists(status) && !fs::is_directory(status);
  return is_there ? std::optional<media::FileRange>(folder_ / name) : std::nullopt;
}

std::optional<media::FileRange> MediaRoot::find(
    const fs::path& stem, std::span<const std::string_view> extensions) const {
  for (const bool is_upper : {false, true})
    for (const std::string_view extension : extensions)
      if (auto found =
              find(with_extension(stem, is_upper ? upper_case(extension) : std::string(extension))))
        return found;
  return std::nullopt;
}

samples::MediaFile MediaRoot::find_named(const fs::path& name, MediaKind kind,
                                         std::span<const std::string_view> extensions,
                                         std::string_view expected) const {
  // What has an extension needs not be looked for: nothing is appended to it.
  if (kind_of_name(name)) return {.source = file(name), .kind = kind};
  if (const auto found = find(name)) return {.source = *found, .kind = kind};
  if (const auto found = find(name, extensions)) return {.source = *found, .kind = kind};
  samples::MediaFile missing{
      .source = file(expected.empty() ? name : with_extension(name, std::string(expected))),
      .kind = kind};
  missing.tried = name.filename().string();
  for (const std::string_view extension : extensions)
    missing.tried += ", " + with_extension(name.filename(), std::string(extension)).string();
  return missing;
}

void MediaRoot::find_extensions(Record& record) const {
  for (samples::MediaFile& medium : record.media) {
    const media::FileRange& source = medium.source;
    if (!source.is_whole_file() && !source.is_absent()) continue;
    // The folder is in front of the name already, or is that of an absolute one.
    const MediaRoot& root = source.is_whole_file() ? MediaRoot(fs::path()) : *this;
    samples::MediaFile found =
        root.find_named(source.file_name(), medium.kind, extensions_of(medium.kind));
    medium.source = std::move(found.source);
    medium.tried = std::move(found.tried);
  }
}

}  // namespace vllama::datasets
