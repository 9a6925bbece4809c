#include "datasets/readers/shard_sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "core/text_encoding.h"
#include "core/utf8.h"
#include "datasets/entries/media_names.h"
#include "datasets/readers/vllama_line.h"
#include "datasets/shards/media_root.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"
#include "tables/json_text.h"
#include "text/tokenizers/unicode.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kMaxTextBytes = std::int64_t{16} << 20;

std::string lower_case(std::string_view ascii) {
  std::string text(ascii);
  for (char& byte : text)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  return text;
}

// The members of a sample, sorted by what they are for.
struct Parts {
  std::string key;
  std::int64_t shard = 0;
  std::optional<media::FileRange> text, json;
  std::vector<samples::MediaFile> media;
  std::string first_unknown;  // a member whose extension says nothing
};

Parts sort_members(const Shards& shards, std::span<const std::uint64_t> members) {
  Parts parts;
  std::set<std::string> extensions;
  for (const std::uint64_t number : members) {
    const auto member = static_cast<std::int64_t>(number);
    const std::string_view name = shards.name(member);
    parts.key = sample_key(name);
    parts.shard = shards.shard(member);
    const std::string extension =
        lower_case(name.substr(std::min(name.size(), parts.key.size() + 1)));
    if (!extensions.insert(extension).second)
      throw tables::EntryError("duplicate_member",
                               fmt::format("two members end in .{}", extension));
    const auto kind = kind_of_name("x." + extension);
    if (extension == "txt")
      parts.text = shards.range(member);
    else if (extension == "json")
      parts.json = shards.range(member);
    else if (kind)
      parts.media.push_back({.source = shards.range(member), .kind = *kind});
    else if (parts.first_unknown.empty())
      parts.first_unknown = name;
  }
  return parts;
}

// UTF-8, whatever encoding the member has.
std::string content_of(const media::FileRange& range) {
  if (range.num_bytes.value_or(0) == 0) return {};
  if (*range.num_bytes > kMaxTextBytes)
    throw tables::EntryError("too_large",
                             fmt::format("'{}' has {} bytes", range.member, *range.num_bytes));
  return utf8_text(media::OpenRange(range).read_first(*range.num_bytes));
}

// Nothing if there is none, or if it is none beside a text that will do.
std::optional<nlohmann::json> description_of(const Parts& parts, const NoteOdd& note_odd) {
  if (!parts.json) return std::nullopt;
  try {
    tables::ParsedJson parsed = tables::parse_json(content_of(*parts.json));
    if (!parsed.repeated_key.empty())
      note_odd("duplicate_key", fmt::format("'{}' occurs twice", parsed.repeated_key));
    return std::move(parsed.value);
  } catch (const nlohmann::json::exception& error) {
    if (!parts.text) throw tables::EntryError("not_json", error.what());
    note_odd("not_json", error.what());
    return std::nullopt;
  }
}

std::string caption_of(const Parts& parts, const std::optional<nlohmann::json>& description) {
  std::string caption;
  if (parts.text)
    caption = content_of(*parts.text);
  else if (description)
    caption = tables::optional_text(*description, "caption").value_or("");
  if (!is_utf8(caption)) throw tables::EntryError("not_utf8");
  caption = text::strip_right(text::strip_left(caption));
  if (caption.empty()) throw tables::EntryError("missing_caption");
  return caption;
}

Record captioned_medium(const Parts& parts, const std::optional<nlohmann::json>& description,
                        const NoteOdd& note_odd) {
  if (parts.key.empty())
    throw tables::EntryError("missing_id", "nothing in front of the first dot");
  if (!is_utf8(parts.key)) throw tables::EntryError("not_utf8");
  if (parts.media.empty() && !parts.first_unknown.empty())
    throw tables::EntryError("unknown_extension", fmt::format("'{}'", parts.first_unknown));
  if (parts.media.empty()) throw tables::EntryError("missing_media");
  if (parts.media.size() > 1)
    throw tables::EntryError("many_media",
                             "several media need a .json that says where they belong");
  std::string caption = caption_of(parts, description);
  if (!parts.first_unknown.empty())
    note_odd("unknown_extension", fmt::format("'{}' is left out", parts.first_unknown));
  return {.id = parts.key,
          .media = parts.media,
          .conversation = {{{.question = "", .answer = std::move(caption)}}}};
}

}  // namespace

std::string_view sample_key(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t base = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = std::min(name.find('.', base), name.size());
  return dot == base ? std::string_view() : name.substr(0, dot);
}

Record read_shard_sample(const std::shared_ptr<const Shards>& shards,
                         std::span<const std::uint64_t> members, const NoteOdd& note_odd) {
  const Parts parts = sort_members(*shards, members);
  const auto description = description_of(parts, note_odd);
  const bool is_own = description && description->is_object() &&
                      (description->contains("messages") || description->contains("media"));
  if (!is_own) return captioned_medium(parts, description, note_odd);
  Record record = record_from_line(*description, MediaRoot(shards, parts.shard));
  for (const samples::MediaFile& file : record.media) {
    if (file.source.is_whole_file())
      throw tables::EntryError(
          "bad_path", fmt::format("'{}' is no member of the shards", file.source.path.string()));
    if (file.source.is_absent())
      throw tables::EntryError("missing_media", fmt::format("no member '{}'", file.source.member));
  }
  return record;
}

}  // namespace vllama::datasets
