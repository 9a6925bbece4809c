// What recipes may know: no held-out pair, no word for a sound, and the layouts of the data sets.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "toy_world/files/annotations.h"
#include "toy_world/files/dialogues.h"
#include "toy_world/files/question_rows.h"

using namespace vllama;
using namespace vllama::toy;
using nlohmann::json;

namespace {

constexpr std::uint64_t kRecipeSeed = 1;
constexpr std::int64_t kCount = 2000;

std::vector<json> rows_of(const std::string& text) {
  std::vector<json> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  return rows;
}

AskedMedia clips(Split split) {
  return {kRecipeSeed, split, kCount, [](std::int64_t i) { return std::to_string(i) + ".mp4"; },
          split != Split::test_unseen};
}

}  // namespace

TEST_CASE("recipes: neither held-out pairs nor words for sounds") {
  for (const std::string& text :
       {webvid_csv(kRecipeSeed, Split::train_videos, kCount), cc595k_chat_json(kRecipeSeed, kCount),
        filter_cap_json(kRecipeSeed, kCount),
        llava_instruct_json(kRecipeSeed, kCount, Denials::kept),
        llava_instruct_json(kRecipeSeed, kCount, Denials::made_yes),
        videochat_json(kRecipeSeed, kCount, Denials::kept),
        videochat_json(kRecipeSeed, kCount, Denials::made_yes),
        videochat_time_json(kRecipeSeed, Split::train_videos, kCount),
        videochat_time_json(kRecipeSeed, Split::movers, kCount)}) {
    CHECK(text.size() > 50 * kCount);
    CHECK_FALSE(names_held_out_pair(text));
    for (const std::string_view sound : kSoundWords) CHECK(text.find(sound) == std::string::npos);
  }
  CHECK(names_held_out_pair(webvid_csv(kRecipeSeed, Split::test_unseen, kCount)));
  for (const std::string& heard : {audiocaps_csv(kRecipeSeed, Split::train_sounds, kCount),
                                   sound_dialogues_jsonl(kRecipeSeed, Split::train_sounds, kCount)})
    for (const std::string_view sound : kSoundWords) CHECK(heard.find(sound) != std::string::npos);
}

TEST_CASE("recipes: the file without denials has none, and else the same questions") {
  const auto kept = json::parse(videochat_json(kRecipeSeed, kCount, Denials::kept));
  const auto made_yes = json::parse(videochat_json(kRecipeSeed, kCount, Denials::made_yes));
  std::int64_t num_no = 0, num_yes = 0, num_other = 0;
  REQUIRE(kept.size() == made_yes.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    REQUIRE(kept[i]["video"] == made_yes[i]["video"]);
    REQUIRE(kept[i]["QA"].size() == made_yes[i]["QA"].size());
    for (std::size_t turn = 0; turn < kept[i]["QA"].size(); ++turn) {
      const json &before = kept[i]["QA"][turn], &after = made_yes[i]["QA"][turn];
      REQUIRE(after["a"] != "no.");
      if (before["a"] == "no.") {
        ++num_no;
      } else {
        ++(before["a"] == "yes." ? num_yes : num_other);
        REQUIRE(before == after);
      }
    }
  }
  CHECK(static_cast<double>(num_no) == Approx(static_cast<double>(num_yes)).epsilon(0.15));
  CHECK(num_other > 4 * num_no);
  const auto pictures = llava_instruct_json(kRecipeSeed, kCount, Denials::made_yes);
  CHECK(pictures.find("\"no.\"") == std::string::npos);
  CHECK(llava_instruct_json(kRecipeSeed, kCount, Denials::kept).find("\"no.\"") !=
        std::string::npos);
}

TEST_CASE("recipes: questions about time are asked of what moves or appears, and nothing else is") {
  for (const json& entry : json::parse(videochat_time_json(kRecipeSeed, Split::movers, 500))) {
    REQUIRE(entry["QA"].size() == 2);
    const std::string both = entry["QA"].dump();
    REQUIRE(both.find("which way does the") != std::string::npos);
    REQUIRE(both.find("how does the") != std::string::npos);
  }
  std::map<Form, std::int64_t> num_scenes;
  for (std::int64_t i = 0; i < kCount; ++i)
    ++num_scenes[scene_of(kRecipeSeed, Split::train_videos, i).form];
  std::map<std::size_t, std::int64_t> num_entries;  // by number of turns
  for (const json& entry :
       json::parse(videochat_time_json(kRecipeSeed, Split::train_videos, kCount))) {
    ++num_entries[entry["QA"].size()];
    for (const json& turn : entry["QA"]) {
      const std::string question = turn["q"];
      const bool is_about_time = question.find("move") != std::string::npos ||
                                 question.find("appears") != std::string::npos;
      REQUIRE(is_about_time);
    }
  }
  CHECK(num_entries[1] == num_scenes[Form::order]);
  CHECK(num_entries[2] + num_entries[3] == num_scenes[Form::move]);
}

TEST_CASE("tests: probes are half yes and half no for each clip") {
  for (const Split split : {Split::test_seen, Split::test_unseen}) {
    std::map<std::pair<std::string, std::string>, std::int64_t> counts;
    std::map<std::string, int> yes_of_video;
    for (const json& row : rows_of(probe_rows(clips(split)))) {
      ++counts[{row["category"], row["label"]}];
      yes_of_video[row["video"]] += row["label"] == "yes" ? 1 : 0;
      if (split == Split::test_seen)
        REQUIRE_FALSE(names_held_out_pair(row["text"].get<std::string>()));
    }
    CHECK(counts.size() == 4);
    for (const auto& [kind, count] : counts) CHECK(count == kCount);
    for (const auto& [video, count] : yes_of_video) REQUIRE(count == 2);
  }
}

TEST_CASE("tests: rows hold the deciding word, its type and all options") {
  const auto rows = rows_of(question_rows(clips(Split::test_seen), kVisualTypes, Use::questions));
  std::map<std::string, int> num_of_type;
  std::int64_t id = 0;
  for (const json& row : rows) {
    ++num_of_type[row["type"]];
    REQUIRE(row["id"] == ++id);
    const std::vector<std::string> words = row["options"];
    REQUIRE(std::ranges::count(words, row["answer"].get<std::string>()) == 1);
  }
  CHECK(num_of_type.size() == std::size(kVisualTypes));
  CHECK(num_of_type["colour"] == kCount);
  CHECK(num_of_type["order"] < kCount / 2);
  for (const json& row :
       rows_of(question_rows(clips(Split::test_seen), kAudibleTypes, Use::hearing, Medium::sound)))
    REQUIRE(row.contains("sound"));
}

TEST_CASE("tests: files of ActivityNet-QA belong together") {
  const auto files = activitynet_files(clips(Split::test_unseen));
  const auto questions = json::parse(files.questions), answers = json::parse(files.answers);
  REQUIRE(questions.size() == answers.size());
  std::set<std::string> ids;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    REQUIRE(questions[i]["question_id"] == answers[i]["question_id"]);
    ids.insert(questions[i]["question_id"]);
    REQUIRE(questions[i]["question"].get<std::string>().find('?') == std::string::npos);
    REQUIRE(answers[i]["answer"].get<std::string>().find(' ') == std::string::npos);
  }
  CHECK(ids.size() == questions.size());
}

TEST_CASE("tests: the colour of what is heard is not told by sight or sound alone") {
  constexpr std::string_view kTypes[] = {"heard_colour", "source", "colour"};
  const auto rows = rows_of(question_rows(clips(Split::one_sounds), kTypes, Use::joint));
  REQUIRE(rows.size() == 3 * kCount);
  std::map<std::size_t, std::int64_t> num_of_place;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const Scene scene = scene_of(kRecipeSeed, Split::one_sounds, i);
    REQUIRE(scene.shapes.size() == 3);
    std::set<Colour> colours;
    for (const Shape& shape : scene.shapes) colours.insert(shape.colour);
    REQUIRE(colours.size() == 3);
    const auto sounding =
        std::ranges::find_if(scene.shapes, [](const Shape& s) { return s.gain > 0; });
    ++num_of_place[static_cast<std::size_t>(sounding - scene.shapes.begin())];
    const auto row = 3 * static_cast<std::size_t>(i);
    REQUIRE(rows[row]["answer"] == word(sounding->colour));
    REQUIRE(rows[row + 1]["answer"] == word(sounding->kind));
  }
  for (const auto& [place, count] : num_of_place)
    CHECK(static_cast<double>(count) == Approx(kCount / 3.0).epsilon(0.1));
}
