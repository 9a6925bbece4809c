#include "inference/chat/transcript.h"

#include "config/enum_names.h"
#include "inference/open_model.h"

namespace vllama::inference {
namespace {

using Json = nlohmann::ordered_json;

// A configuration's fields by name.
struct FieldsOf {
  Json object = Json::object();
  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char*, const Rules&...) {
    if constexpr (config::NamedEnum<T>)
      object[name] = config::name_of(value);
    else
      object[name] = value;
  }
};

std::string kind_of(const ShownMedium& medium) {
  if (medium.kind == MediaKind::image) return "image";
  if (medium.kind == MediaKind::sound) return "audio";
  return is_heard(medium) ? "video_with_audio" : "video";
}

Json media_of(const ModelChat& conversation) {
  Json list = Json::array();
  for (const auto& placed : conversation.media()) {
    Json entry{{"file", placed.medium.file.string()},
               {"kind", kind_of(placed.medium)},
               {"turn", placed.turn}};
    if (!placed.medium.frame_times_seconds.empty())
      entry["frame_times_seconds"] = placed.medium.frame_times_seconds;
    if (!placed.medium.warning.empty()) entry["warning"] = placed.medium.warning;
    list.push_back(std::move(entry));
  }
  return list;
}

Json turns_of(const ModelChat& conversation) {
  Json list = Json::array();
  for (const auto& turn : conversation.turns()) {
    const Answer& answer = turn.reply.answer;
    list.push_back({{"question", turn.question},
                    {"answer", turn.reply.text},
                    {"end", name_of(answer.end)},
                    {"prompt_tokens", answer.num_prompt_tokens},
                    {"cached_tokens", answer.num_cached_tokens},
                    {"new_tokens", answer.num_new_tokens},
                    {"dropped_turns", turn.reply.num_dropped_turns},
                    {"seconds", turn.reply.seconds}});
  }
  return list;
}

}  // namespace

Json transcript(const ModelChat& conversation, const OpenedModel& opened) {
  FieldsOf generation, chat;
  GenerationConfig config = conversation.config();
  config.visit(generation);
  ChatSettings settings = conversation.settings();
  settings.visit(chat);
  return {{"model", opened.origin.path},
          {"checkpoint", opened.origin.checkpoint},
          {"chat", chat.object},
          {"generation", generation.object},
          {"media", media_of(conversation)},
          {"turns", turns_of(conversation)}};
}

}  // namespace vllama::inference
