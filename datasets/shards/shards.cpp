#include "datasets/shards/shards.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/hash.h"
#include "core/in_threads.h"
#include "datasets/entries/seen_ids.h"
#include "datasets/shards/tar.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMaxShards = 1'000'000;
// Headers are read one after the other; on a network's disks most of the time is waiting.
constexpr std::int64_t kNumThreads = 16;
// Whose members are held in memory until they are added.
constexpr std::size_t kShardsAtOnce = 64;

constexpr std::array<std::string_view, 10> kCompressedEndings = {
    ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".zip", ".7z"};

struct Series {
  std::string before, after;
  std::int64_t first = 0, last = 0;
  int width = 0;
};

// The first "{00..99}" of a text, or nothing if it has no brace.
std::optional<Series> first_series(const std::string& text) {
  const std::size_t open = text.find('{');
  if (open == std::string::npos) return std::nullopt;
  const auto refuse = [&] {
    throw UserError(
        fmt::format("'{}': braces count from a number to one that is not below it, as in "
                    "train-{{00000..00099}}.tar",
                    text));
  };
  const std::size_t close = text.find('}', open), dots = text.find("..", open);
  if (close == std::string::npos || dots == std::string::npos || dots > close) refuse();
  Series series{.before = text.substr(0, open), .after = text.substr(close + 1)};
  const auto read = [&](std::size_t begin, std::size_t end, std::int64_t& number) {
    const auto result = std::from_chars(text.data() + begin, text.data() + end, number);
    if (result.ec != std::errc() || result.ptr != text.data() + end || number < 0) refuse();
  };
  read(open + 1, dots, series.first);
  read(dots + 2, close, series.last);
  if (series.first > series.last) refuse();
  if (series.last - series.first >= kMaxShards)
    throw UserError(fmt::format("'{}' names more than {} shards", text, kMaxShards));
  series.width = static_cast<int>(std::min<std::size_t>(dots - open - 1, 20));
  return series;
}

void expand(const std::string& text, std::vector<fs::path>& files) {
  const auto series = first_series(text);
  if (!series) {
    files.emplace_back(text);
    if (std::ssize(files) > kMaxShards)
      throw UserError(fmt::format("more than {} shards are named", kMaxShards));
    return;
  }
  for (std::int64_t number = series->first; number <= series->last; ++number)
    expand(fmt::format("{}{:0{}}{}", series->before, number, series->width, series->after), files);
}

std::vector<fs::path> matching_files(const fs::path& folder, const std::string& pattern) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (const auto& entry :
       fs::directory_iterator(folder.empty() ? fs::path(".") : folder, problem)) {
    const std::string name = entry.path().filename().string();
    if (fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0) files.push_back(folder / name);
  }
  if (problem)
    throw UserError(fmt::format("cannot read '{}': {}", folder.string(), problem.message()));
  std::ranges::sort(files);
  return files;
}

std::string_view reason_for(TarKind kind) {
  switch (kind) {
    case TarKind::link:
      return "link_member";
    case TarKind::special:
      return "special_member";
    case TarKind::sparse:
      return "sparse_member";
    default:
      return "unknown_member";
  }
}

}  // namespace

bool names_shards(const std::string& text) {
  std::error_code ignored;
  return text.ends_with(".tar") && !fs::is_directory(text, ignored);
}

bool names_compressed_shards(const std::string& text) {
  std::error_code ignored;
  return !fs::is_directory(text, ignored) &&
         std::ranges::any_of(kCompressedEndings,
                             [&](std::string_view ending) { return text.ends_with(ending); });
}

std::vector<fs::path> shard_files(const std::string& text) {
  std::error_code ignored;
  if (names_compressed_shards(text))
    throw UserError(
        fmt::format("'{}' is compressed, and shards are read where they lie: unpack them, with "
                    "gunzip or the like, and name the .tar",
                    text));
  if (fs::is_directory(text, ignored)) {
    auto files = matching_files(text, "*.tar");
    if (files.empty()) throw UserError(fmt::format("the folder '{}' has no .tar file", text));
    return files;
  }
  const fs::path path = text;
  if (path.filename().string().find('*') != std::string::npos) {
    auto files = matching_files(path.parent_path(), path.filename().string());
    if (files.empty()) throw UserError(fmt::format("no file is called '{}'", text));
    return files;
  }
  std::vector<fs::path> files;
  expand(text, files);
  const auto is_missing = [](const fs::path& file) {
    std::error_code problem;
    return !fs::exists(file, problem);
  };
  const auto first_missing = std::ranges::find_if(files, is_missing);
  if (first_missing != files.end())
    throw UserError(fmt::format("{} of the {} shards '{}' are not there, the first is '{}'",
                                std::ranges::count_if(files, is_missing), files.size(), text,
                                first_missing->string()));
  return files;
}

std::string member_name(const std::string& name) {
  std::string normal = fs::path(name).lexically_normal().generic_string();
  if (normal.starts_with("./")) normal.erase(0, 2);
  return normal;
}

// Goes through the headers of all shards once.
class Shards::Indexer {
 public:
  explicit Indexer(const std::vector<fs::path>& files) : files_(files) {}

  IndexContent run() {
    for (std::size_t first = 0; first < files_.size(); first += kShardsAtOnce) {
      const std::size_t count = std::min(kShardsAtOnce, files_.size() - first);
      std::vector<std::vector<TarMember>> members(count);
      for_each_in_threads(static_cast<std::int64_t>(count), kNumThreads, [&](std::int64_t number) {
        const auto i = static_cast<std::size_t>(number);
        members[i] = files_of(files_[first + i]);
      });
      for (std::size_t i = 0; i < count; ++i) add_shard(files_[first + i], members[i]);
    }
    std::ranges::sort(by_name_, {},
                      [](const NameHash& entry) { return std::pair(entry.hash, entry.member); });
    IndexContent content;
    content.add("members", std::move(members_));
    content.add("names", std::move(names_));
    content.add("shard ends", std::move(shard_ends_));
    content.add("by name", std::move(by_name_));
    content.add(entries_);
    return content;
  }

 private:
  static std::vector<TarMember> files_of(const fs::path& shard) {
    std::vector<TarMember> members;
    TarReader reader(shard);
    while (auto member = reader.next())
      if (member->kind != TarKind::folder) members.push_back(*std::move(member));
    return members;
  }

  void add_shard(const fs::path& shard, const std::vector<TarMember>& members) {
    SeenIds names;
    for (const TarMember& member : members) add(member, shard, names);
    shard_ends_.push_back(members_.size());
  }

  void add(const TarMember& member, const fs::path& shard, SeenIds& names) {
    const std::string name = member_name(member.name);
    const auto place = [&] { return media::FileRange(shard, name, 0, 0).name(); };
    if (member.kind != TarKind::file) return entries_.invalid.add(reason_for(member.kind), place());
    if (!names.add(name))
      entries_.doubtful.add("duplicate_member", place(),
                            "a member of this shard has that name, too");
    by_name_.push_back({fnv1a(name), members_.size()});
    members_.push_back({static_cast<std::uint64_t>(member.offset_bytes),
                        static_cast<std::uint64_t>(member.num_bytes)});
    names_.add(name);
  }

  const std::vector<fs::path>& files_;
  std::vector<Member> members_;
  IndexTexts names_;
  std::vector<std::uint64_t> shard_ends_;
  std::vector<NameHash> by_name_;
  tables::EntryTallies entries_;
};

Shards::Shards(const std::string& text, const IndexFolder& indexes)
    : text_(text),
      files_(shard_files(text)),
      index_(open_index(indexes, {"shards 1", files_}, [this] { return Indexer(files_).run(); })),
      members_(index_.array<Member>("members")),
      names_(index_.texts("names")),
      shard_ends_(index_.array<std::uint64_t>("shard ends")),
      by_name_(index_.array<NameHash>("by name")),
      entries_(index_.tallies()) {}

std::int64_t Shards::shard(std::int64_t member) const {
  VLLAMA_ASSERT(member >= 0 && member < num_members(), "a member's number");
  return std::ranges::upper_bound(shard_ends_, static_cast<std::uint64_t>(member)) -
         shard_ends_.begin();
}

std::int64_t Shards::first_member(std::int64_t shard) const {
  return shard == 0 ? 0
                    : static_cast<std::int64_t>(shard_ends_[static_cast<std::size_t>(shard - 1)]);
}

media::FileRange Shards::range(std::int64_t member) const {
  const Member& found = members_[static_cast<std::size_t>(member)];
  return {files_.at(static_cast<std::size_t>(shard(member))), std::string(name(member)),
          static_cast<std::int64_t>(found.offset_bytes),
          static_cast<std::int64_t>(found.num_bytes)};
}

std::optional<std::int64_t> Shards::find(std::string_view wanted, std::int64_t preferred) const {
  const std::uint64_t hash = fnv1a(wanted);
  std::optional<std::int64_t> found;
  for (auto entry = std::ranges::lower_bound(by_name_, hash, {}, &NameHash::hash);
       entry != by_name_.end() && entry->hash == hash; ++entry) {
    const auto member = static_cast<std::int64_t>(entry->member);
    if (name(member) != wanted) continue;
    if (found && shard(*found) == preferred && shard(member) != preferred) break;
    found = member;
  }
  return found;
}

}  // namespace vllama::datasets
