// One sample of tar shards: the members of one name, and the record that they make.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "datasets/entries/record.h"
#include "datasets/shards/shards.h"

namespace vllama::datasets {

// The part of a member's name that the members of a sample share: up to the first dot behind the
// last slash. Empty if there is nothing in front of that dot.
std::string_view sample_key(std::string_view name);

// Told of something odd in a sample that is a record nevertheless.
using NoteOdd = std::function<void(std::string_view reason, const std::string& detail)>;

// The record of members with one key in one shard, as described in webdataset.h. Throws EntryError
// or text::TextError if they make none, and media::MediaError if the shard cannot be read.
Record read_shard_sample(const std::shared_ptr<const Shards>& shards,
                         std::span<const std::uint64_t> members, const NoteOdd& note_odd);

}  // namespace vllama::datasets
