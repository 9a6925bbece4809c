#include "toy_world/files/question_rows.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "toy_world/files/dialogues.h"
#include "toy_world/scene/phrases.h"

namespace vllama::toy {
namespace {

using Json = nlohmann::ordered_json;

std::optional<QuestionAnswer> asked(const AskedMedia& media, const Scene& scene,
                                    std::string_view type, RandomStream& random) {
  return media.is_within_recipe ? ask_within_recipe(scene, type, random) : ask(scene, type, random);
}

using UseQuestion = std::function<void(std::int64_t medium, const QuestionAnswer&)>;

void for_each_question(const AskedMedia& media, std::span<const std::string_view> types, Use use,
                       const UseQuestion& use_question) {
  for (std::int64_t i = 0; i < media.count; ++i) {
    const Scene scene = scene_of(media.seed, media.split, i);
    RandomStream random = texts_of(media.seed, media.split, i, use);
    for (const std::string_view type : types)
      if (const auto question = asked(media, scene, type, random)) use_question(i, *question);
  }
}

// The type in ActivityNet-QA that is most like ours.
int activitynet_type(std::string_view type) {
  constexpr int kMotion = 0, kSpatial = 1, kTemporal = 2, kYesNo = 3, kColour = 4, kObject = 5,
                kNumber = 7, kOther = 8;
  static const std::map<std::string_view, int> kTypes{
      {"direction", kMotion}, {"speed", kMotion},  {"mover", kMotion}, {"field", kSpatial},
      {"order", kTemporal},   {"present", kYesNo}, {"bound", kYesNo},  {"colour", kColour},
      {"kind", kObject},      {"count", kNumber},  {"size", kOther}};
  return kTypes.at(type);
}

}  // namespace

std::string question_rows(const AskedMedia& media, std::span<const std::string_view> types, Use use,
                          Medium medium) {
  std::string rows;
  std::int64_t id = 0;
  for_each_question(media, types, use, [&](std::int64_t i, const QuestionAnswer& question) {
    const Json row{{"id", ++id},
                   {medium == Medium::video ? "video" : "sound", media.file(i)},
                   {"question", question.question},
                   {"answer", question.word},
                   {"type", question.type},
                   {"options", options(question.type)}};
    rows += row.dump() + "\n";
  });
  return rows;
}

std::string probe_rows(const AskedMedia& media) {
  std::string rows;
  std::int64_t id = 0;
  for (std::int64_t i = 0; i < media.count; ++i) {
    const Scene scene = scene_of(media.seed, media.split, i);
    RandomStream random = texts_of(media.seed, media.split, i, Use::probes);
    for (const std::string_view type : {"present", "bound"})
      for (const std::string_view label : {"yes", "no"}) {
        QuestionAnswer question;
        do {
          question = *asked(media, scene, type, random);
        } while (question.word != label);
        const Json row{{"question_id", ++id},
                       {"video", media.file(i)},
                       {"text", question.question},
                       {"label", label},
                       {"category", type}};
        rows += row.dump() + "\n";
      }
  }
  return rows;
}

QuestionFiles activitynet_files(const AskedMedia& media) {
  Json questions = Json::array(), answers = Json::array();
  std::map<std::string, int> num_of_video;
  for_each_question(
      media, kVisualTypes, Use::questions, [&](std::int64_t i, const QuestionAnswer& question) {
        std::string name = media.file(i);
        name.resize(name.rfind('.'));
        const std::string id = fmt::format("v_{}_{}", name, num_of_video[name]++);
        const std::string without_mark = question.question.substr(0, question.question.size() - 1);
        questions.push_back(
            {{"video_name", name}, {"question", without_mark}, {"question_id", id}});
        answers.push_back({{"answer", question.word},
                           {"type", activitynet_type(question.type)},
                           {"question_id", id}});
      });
  return {questions.dump(1) + "\n", answers.dump(1) + "\n"};
}

}  // namespace vllama::toy
