// What recipes train on, in the published layouts, and the captions of tests. Every function gives
// the text of one annotation file.
#pragma once

#include <cstdint>
#include <string>

#include "toy_world/files/world_plan.h"

namespace vllama::toy {

// WebVid: a caption for each of the first `count` clips of a split.
std::string webvid_csv(std::uint64_t seed, Split split, std::int64_t count);

// CC595k: a caption for each training picture.
std::string cc595k_chat_json(std::uint64_t seed, std::int64_t count);

// MiniGPT-4: a description of each training picture, with a full stop.
std::string filter_cap_json(std::uint64_t seed, std::int64_t count);

enum class Denials { kept, made_yes };

// LLaVA: a dialogue about each training picture, perhaps one in which nothing is denied.
std::string llava_instruct_json(std::uint64_t seed, std::int64_t count, Denials denials);

// VideoChat: a dialogue about each training clip, perhaps one in which nothing is denied.
std::string videochat_json(std::uint64_t seed, std::int64_t count, Denials denials);

// VideoChat: questions about time, for each clip of a split in which something moves or appears.
std::string videochat_time_json(std::uint64_t seed, Split split, std::int64_t count);

// Our own format: a dialogue about each sound of a split.
std::string sound_dialogues_jsonl(std::uint64_t seed, Split split, std::int64_t count);

// AudioCaps: what is heard in each sound of a split.
std::string audiocaps_csv(std::uint64_t seed, Split split, std::int64_t count);

}  // namespace vllama::toy
