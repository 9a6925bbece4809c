#include "toy_world/files/annotations.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "toy_world/files/dialogues.h"
#include "toy_world/scene/phrases.h"

namespace vllama::toy {
namespace {

using Json = nlohmann::ordered_json;

// A list with an entry on each line.
std::string lines_of(const Json& entries) {
  std::string text = "[";
  for (std::size_t i = 0; i < entries.size(); ++i)
    text += (i == 0 ? "\n" : ",\n") + entries[i].dump();
  return text + "\n]\n";
}

std::string still_caption(std::uint64_t seed, std::int64_t index, Use use) {
  const Still still = still_of(seed, index);
  RandomStream random = texts_of(seed, Split::train_images, index, use);
  return picture_caption(still.scene, still.time, random);
}

// Messages of LLaVA; the picture stands in front of the first question.
Json conversation(const std::vector<DialogueTurn>& turns) {
  Json messages = Json::array();
  for (const DialogueTurn& turn : turns) {
    messages.push_back(
        {{"from", "human"}, {"value", (messages.empty() ? "<image>\n" : "") + turn.question}});
    messages.push_back({{"from", "gpt"}, {"value", turn.answer}});
  }
  return messages;
}

Json videochat_entry(Split split, std::int64_t index, const std::vector<DialogueTurn>& turns) {
  Json questions = Json::array();
  for (const DialogueTurn& turn : turns)
    questions.push_back({{"q", turn.question}, {"a", turn.answer}});
  return {{"video", fmt::format("{}/{}.mp4", folder_of(split), clip_name(split, index))},
          {"QA", questions}};
}

std::vector<DialogueTurn> without_denials(std::vector<DialogueTurn> turns, const Scene& scene,
                                          std::uint64_t seed, Split split, std::int64_t index) {
  RandomStream random = texts_of(seed, split, index, Use::only_yes);
  return with_yes_alone(std::move(turns), scene, random);
}

}  // namespace

std::string webvid_csv(std::uint64_t seed, Split split, std::int64_t count) {
  std::string table = "videoid,name,page_idx,page_dir,duration,contentUrl\n";
  for (std::int64_t i = 0; i < count; ++i) {
    RandomStream random = texts_of(seed, split, i, Use::caption);
    table += fmt::format("{},\"{}\",0,{},PT00H00M{:02}S,\n", clip_name(split, i),
                         caption(scene_of(seed, split, i), random), folder_of(split),
                         static_cast<int>(kClipSeconds));
  }
  return table;
}

std::string cc595k_chat_json(std::uint64_t seed, std::int64_t count) {
  Json entries = Json::array();
  for (std::int64_t i = 0; i < count; ++i)
    entries.push_back({{"id", image_name(i)},
                       {"image", image_name(i) + ".jpg"},
                       {"conversations", conversation({{"", "describe this.",
                                                        still_caption(seed, i, Use::caption)}})}});
  return lines_of(entries);
}

std::string filter_cap_json(std::uint64_t seed, std::int64_t count) {
  Json entries = Json::array();
  for (std::int64_t i = 0; i < count; ++i)
    entries.push_back({{"image_id", image_name(i)},
                       {"caption", still_caption(seed, i, Use::detailed_caption) + "."}});
  return "{\"annotations\": " + lines_of(entries) + "}\n";
}

std::string llava_instruct_json(std::uint64_t seed, std::int64_t count, Denials denials) {
  Json entries = Json::array();
  for (std::int64_t i = 0; i < count; ++i) {
    const Still still = still_of(seed, i);
    const Scene shown = still.scene.moment(still.time);
    RandomStream random = texts_of(seed, Split::train_images, i, Use::dialogue);
    auto turns = dialogue_about_picture(shown, still.time, random);
    if (denials == Denials::made_yes)
      turns = without_denials(std::move(turns), shown, seed, Split::train_images, i);
    entries.push_back({{"id", image_name(i)},
                       {"image", image_name(i) + ".jpg"},
                       {"conversations", conversation(turns)}});
  }
  return lines_of(entries);
}

std::string videochat_json(std::uint64_t seed, std::int64_t count, Denials denials) {
  Json entries = Json::array();
  for (std::int64_t i = 0; i < count; ++i) {
    const Scene scene = scene_of(seed, Split::train_videos, i);
    RandomStream random = texts_of(seed, Split::train_videos, i, Use::dialogue);
    auto turns = dialogue_about_clip(scene, random);
    if (denials == Denials::made_yes)
      turns = without_denials(std::move(turns), scene, seed, Split::train_videos, i);
    entries.push_back(videochat_entry(Split::train_videos, i, turns));
  }
  return lines_of(entries);
}

std::string videochat_time_json(std::uint64_t seed, Split split, std::int64_t count) {
  Json entries = Json::array();
  for (std::int64_t i = 0; i < count; ++i) {
    RandomStream random = texts_of(seed, split, i, Use::time);
    const auto turns = dialogue_about_time(scene_of(seed, split, i), random);
    if (!turns.empty()) entries.push_back(videochat_entry(split, i, turns));
  }
  return lines_of(entries);
}

std::string sound_dialogues_jsonl(std::uint64_t seed, Split split, std::int64_t count) {
  std::string rows;
  for (std::int64_t i = 0; i < count; ++i) {
    RandomStream random = texts_of(seed, split, i, Use::dialogue);
    const std::string name = clip_name(split, i);
    Json messages = Json::array();
    for (const DialogueTurn& turn : dialogue_about_sound(scene_of(seed, split, i), random)) {
      Json content = Json::array();
      if (messages.empty()) content.push_back({{"audio", name + "_0.wav"}});
      content.push_back({{"text", turn.question}});
      messages.push_back({{"role", "user"}, {"content", content}});
      messages.push_back({{"role", "assistant"}, {"content", turn.answer}});
    }
    rows += Json{{"id", name}, {"messages", messages}}.dump() + "\n";
  }
  return rows;
}

std::string audiocaps_csv(std::uint64_t seed, Split split, std::int64_t count) {
  std::string table = "audiocap_id,youtube_id,start_time,caption\n";
  for (std::int64_t i = 0; i < count; ++i)
    table += fmt::format("{},{},0,\"{}\"\n", i + 1, clip_name(split, i),
                         heard(scene_of(seed, split, i)));
  return table;
}

}  // namespace vllama::toy
