#include "datasets/readers/webdataset.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/in_threads.h"
#include "datasets/entries/seen_ids.h"
#include "datasets/readers/shard_sample.h"
#include "media/error.h"
#include "tables/entry_error.h"
#include "text/error.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kNumThreads = 16;
constexpr std::int64_t kShardsAtOnce = 64;

}  // namespace

// Reads all samples once.
class WebDataset::Indexer {
 public:
  explicit Indexer(std::shared_ptr<const Shards> shards) : shards_(std::move(shards)) {}

  IndexContent run() {
    const std::int64_t num_shards = std::ssize(shards_->files());
    for (std::int64_t first = 0; first < num_shards; first += kShardsAtOnce) {
      std::vector<ShardSamples> read(
          static_cast<std::size_t>(std::min(kShardsAtOnce, num_shards - first)));
      for_each_in_threads(std::ssize(read), kNumThreads, [&](std::int64_t number) {
        read[static_cast<std::size_t>(number)] = read_shard(first + number);
      });
      for (const ShardSamples& samples : read) add(samples);
    }
    IndexContent content;
    content.add("members", std::move(members_));
    content.add("sample ends", std::move(ends_));
    content.add(entries_);
    return content;
  }

 private:
  struct ShardSamples {
    std::vector<std::vector<std::uint64_t>> members;  // of each valid sample
    std::vector<std::string> ids, places;
    tables::EntryTallies entries;
  };

  // The members of a shard by their key, in the order of the first of each.
  std::vector<std::vector<std::uint64_t>> groups_of(std::int64_t shard) const {
    std::vector<std::vector<std::uint64_t>> groups;
    std::map<std::string_view, std::size_t> group_of_key;
    for (std::int64_t i = shards_->first_member(shard); i < shards_->first_member(shard + 1); ++i) {
      const auto [entry, is_new] =
          group_of_key.emplace(sample_key(shards_->name(i)), groups.size());
      if (is_new) groups.emplace_back();
      groups[entry->second].push_back(static_cast<std::uint64_t>(i));
    }
    return groups;
  }

  ShardSamples read_shard(std::int64_t shard) const {
    ShardSamples samples;
    for (auto& members : groups_of(shard)) {
      const std::string place = shards_->range(static_cast<std::int64_t>(members.front())).name();
      const auto note_odd = [&](std::string_view reason, const std::string& detail) {
        samples.entries.doubtful.add(reason, place, detail);
      };
      try {
        samples.ids.push_back(read_shard_sample(shards_, members, note_odd).id);
        samples.places.push_back(place);
        samples.members.push_back(std::move(members));
      } catch (const tables::EntryError& error) {
        samples.entries.invalid.add(error.reason, place, error.what());
      } catch (const text::TextError& error) {
        samples.entries.invalid.add(text::failure_name(error.reason), place, error.what());
      } catch (const media::MediaError& error) {
        throw UserError(fmt::format("the shard cannot be read: {}", error.what()));
      }
    }
    return samples;
  }

  void add(const ShardSamples& samples) {
    entries_.invalid.add(samples.entries.invalid);
    entries_.doubtful.add(samples.entries.doubtful);
    for (std::size_t i = 0; i < samples.members.size(); ++i) {
      if (!seen_.add(samples.ids[i]))
        entries_.doubtful.add("duplicate_id", samples.places[i],
                              fmt::format("'{}' occurred before", samples.ids[i]));
      members_.insert(members_.end(), samples.members[i].begin(), samples.members[i].end());
      ends_.push_back(members_.size());
    }
  }

  std::shared_ptr<const Shards> shards_;
  SeenIds seen_;
  std::vector<std::uint64_t> members_, ends_;
  tables::EntryTallies entries_;
};

WebDataset::WebDataset(const std::string& shards, const IndexFolder& indexes)
    : shards_(std::make_shared<const Shards>(shards, indexes)),
      index_(open_index(indexes, {"webdataset 2", shards_->files()},
                        [this] { return Indexer(shards_).run(); })),
      sample_members_(index_.array<std::uint64_t>("members")),
      sample_ends_(index_.array<std::uint64_t>("sample ends")),
      entries_(index_.tallies()) {
  entries_.invalid.add(shards_->invalid());
  entries_.doubtful.add(shards_->doubtful());
  if (sample_ends_.empty())
    throw UserError(fmt::format("'{}' has no valid sample{}{}", shards,
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

Record WebDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), fmt::format("record {} of {}", index, size()));
  const auto sample = static_cast<std::size_t>(index);
  const std::uint64_t begin = sample == 0 ? 0 : sample_ends_[sample - 1];
  const auto members = sample_members_.subspan(begin, sample_ends_[sample] - begin);
  const auto changed = [&](std::string_view reason) {
    return RunFailure(fmt::format("the sample of '{}' changed while it was in use: {}",
                                  shards_->range(static_cast<std::int64_t>(members.front())).name(),
                                  reason));
  };
  try {
    return read_shard_sample(shards_, members, [](std::string_view, const std::string&) {});
  } catch (const tables::EntryError& error) {
    throw changed(error.reason);
  } catch (const text::TextError& error) {
    throw changed(text::failure_name(error.reason));
  } catch (const media::MediaError& error) {
    throw changed(error.what());
  }
}

}  // namespace vllama::datasets
