#include "datasets/convert/write_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "datasets/readers/vllama_line.h"
#include "datasets/shards/tar_writer.h"
#include "media/error.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

const char* kind_name(MediaKind kind) {
  switch (kind) {
    case MediaKind::video:
      return "video";
    case MediaKind::image:
      return "image";
    case MediaKind::sound:
      return "audio";
  }
  VLLAMA_ASSERT(false, "a kind of media");
}

// That of the file, which some decoders look at, unless it is odd or one of our own.
std::string extension_for(const samples::MediaFile& file) {
  constexpr std::size_t kMaxBytes = 10;
  std::string extension = fs::path(file.source.file_name()).extension().string();
  if (!extension.empty()) extension.erase(0, 1);
  for (char& byte : extension)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  const bool is_plain = std::ranges::all_of(extension, [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
  });
  const bool is_usable = !extension.empty() && extension.size() <= kMaxBytes && is_plain &&
                         extension != "json" && extension != "txt";
  return is_usable ? extension : kind_name(file.kind);
}

class ShardWriter {
 public:
  ShardWriter(const fs::path& folder, std::int64_t max_shard_bytes)
      : folder_(folder), max_shard_bytes_(max_shard_bytes) {}

  // Throws MediaError, and writes nothing, if a medium cannot be opened.
  void add(const Record& record, std::int64_t number) {
    Group group = plan(record, number);
    if (shard_ && shard_->num_bytes() + group.num_bytes > max_shard_bytes_) {
      end_shard();
      group = plan(record, number);
    }
    if (!shard_)
      shard_ = std::make_unique<TarWriter>(folder_ /
                                           fmt::format("shard-{:05}.tar", written_.num_shards));
    shard_->add(fmt::format("{}.json", group.key), group.line);
    for (const auto& [name, content] : group.media) shard_->add(name, *content);
    member_of_source_.merge(group.member_of_source);
    ++written_.num_records;
  }

  void leave_out(std::string_view reason, std::string place, std::string detail) {
    written_.left_out.add(reason, std::move(place), std::move(detail));
  }

  WrittenShards finish() {
    end_shard();
    return std::move(written_);
  }

 private:
  // The members of a record that are not yet in the shard.
  struct Group {
    std::string key, line;
    std::vector<std::pair<std::string, std::unique_ptr<media::OpenRange>>> media;
    std::map<std::string, std::string> member_of_source;
    std::int64_t num_bytes = 0;
  };

  Group plan(const Record& record, std::int64_t number) const {
    Group group;
    group.key = fmt::format("{:09}", number);
    Record inside = record;
    for (std::size_t i = 0; i < record.media.size(); ++i) {
      const media::FileRange& source = record.media[i].source;
      const std::string* member = find(source.name(), group);
      if (member == nullptr) {
        const std::string place = record.media.size() == 1 ? "" : fmt::format(".{}", i);
        member = &group.member_of_source
                      .emplace(source.name(), fmt::format("{}{}.{}", group.key, place,
                                                          extension_for(record.media[i])))
                      .first->second;
        group.media.emplace_back(*member, std::make_unique<media::OpenRange>(source));
        group.num_bytes += TarWriter::member_bytes(group.media.back().second->size());
      }
      inside.media[i].source = media::FileRange({}, *member, 0, 0);
    }
    group.line = line_from_record(inside, {}) + "\n";
    group.num_bytes += TarWriter::member_bytes(std::ssize(group.line));
    return group;
  }

  // The member that holds a source in this shard, or null.
  const std::string* find(const std::string& source, const Group& group) const {
    for (const auto* members : {&member_of_source_, &group.member_of_source})
      if (const auto found = members->find(source); found != members->end()) return &found->second;
    return nullptr;
  }

  void end_shard() {
    if (!shard_) return;
    shard_->commit();
    written_.num_bytes += shard_->num_bytes();
    ++written_.num_shards;
    shard_.reset();
    member_of_source_.clear();
  }

  fs::path folder_;
  std::int64_t max_shard_bytes_;
  std::unique_ptr<TarWriter> shard_;
  std::map<std::string, std::string> member_of_source_;  // in this shard
  WrittenShards written_;
};

// Behind what is wrong with a record's media.
std::string names_tried(const Record& record) {
  for (const samples::MediaFile& medium : record.media)
    if (!medium.tried.empty()) return fmt::format("; the names that were tried: {}", medium.tried);
  return {};
}

void make_empty_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (!problem && !fs::is_empty(folder, problem))
    throw UserError(
        fmt::format("'{}' is not empty: choose a new folder for the shards", folder.string()));
  if (problem)
    throw RunFailure(fmt::format("cannot use '{}': {}", folder.string(), problem.message()));
}

}  // namespace

WrittenShards write_shards(const Dataset& dataset, const fs::path& folder,
                           std::int64_t max_shard_bytes) {
  make_empty_folder(folder);
  ShardWriter writer(folder, max_shard_bytes);
  for (std::int64_t number = 0; number < dataset.size(); ++number) {
    const Record record = dataset.record(number);
    try {
      writer.add(record, number);
    } catch (const media::MediaError& error) {
      writer.leave_out(
          media::failure_name(error.reason), fmt::format("record {} ({})", number, record.id),
          error.what() + (error.reason == media::MediaFailure::not_found ? names_tried(record)
                                                                         : std::string()));
    }
  }
  WrittenShards written = writer.finish();
  if (written.num_records == 0)
    throw UserError(fmt::format("none of the {} records can be written: {}", dataset.size(),
                                written.left_out.summary()));
  return written;
}

}  // namespace vllama::datasets
