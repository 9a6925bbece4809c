// Yes/no answers, probes for objects, and objects in captions.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "eval/scores/chair.h"
#include "eval/scores/object_probes.h"
#include "eval/scores/score.h"
#include "eval/scores/yes_no.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

Prediction said(const std::string& id, const std::string& reference, const std::string& answer,
                const std::string& type = "") {
  Prediction prediction{.id = id, .type = type, .references = {reference}};
  prediction.prediction = answer;
  return prediction;
}

std::map<std::string, Score> scores_of(const std::vector<Measurement>& measurements) {
  std::map<std::string, Score> scores;
  for (const Measurement& measurement : measurements)
    scores[measurement.name] = score(measurement, {.num_resamples = 20});
  return scores;
}

std::vector<MediumObjects> media() {
  return {{"m1", "v1.mp4", {"dog", "ball", "tree"}},
          {"m2", "v2.mp4", {"dog", "ball", "car"}},
          {"m3", "v3.mp4", {"apple", "car"}},
          {"m4", "v4.mp4", {"dog", "apple", "dog"}},
          {"m5", "v5.mp4", {}}};
}

std::vector<std::string> asked(const std::vector<Prediction>& probes, const std::string& begin,
                               const std::string& answer) {
  std::vector<std::string> questions;
  for (const Prediction& probe : probes)
    if (probe.id.starts_with(begin) && probe.references.front() == answer)
      questions.push_back(probe.question);
  return questions;
}

ObjectNames names_from(const std::string& content) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder.path() / "names.txt", content);
  return ObjectNames::read(folder.path() / "names.txt");
}

}  // namespace

TEST_CASE("yes and no are read from the first sentence") {
  for (const std::string answer : {"Yes", "yes, there is.", "There is a dog", "Yes. No doubt.",
                                   "\"Yes!\"", "I know it", "notable"}) {
    INFO(answer);
    CHECK(parse_yes_no(answer) == YesNo::yes);
  }
  for (const std::string answer : {"No", "no, there isn't", "There is not a dog", "NO!", "(no)",
                                   "There isn't", "there isn\xE2\x80\x99t one", " . No"}) {
    INFO(answer);
    CHECK(parse_yes_no(answer) == YesNo::no);
  }
  for (const std::string answer : {"", "  ", "...", "?!"}) {
    INFO(answer);
    CHECK(parse_yes_no(answer) == YesNo::none);
  }
}

TEST_CASE("precision, recall and the share of yes") {
  Prediction missing = said("6", "no", "no");
  missing.status = "undecodable";
  const auto scores = scores_of(yes_no_measurements(
      {said("1", "yes", "Yes", "a"), said("2", "yes", "No", "a"), said("3", "no", "yes", "a"),
       said("4", "no", "no", "b"), said("5", "Yes", "A dog.", "b"), missing}));
  // True positives 1 and 5, false negative 2, false positives 3 and 6, true negative 4.
  CHECK(scores.at("accuracy").value == Approx(3.0 / 6));
  CHECK(scores.at("precision").value == Approx(2.0 / 4));
  CHECK(scores.at("recall").value == Approx(2.0 / 3));
  CHECK(scores.at("f1").value == Approx(2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3)));
  CHECK(scores.at("yes_share").value == Approx(3.0 / 6));
  CHECK(scores.at("unclear_share").value == Approx(1.0 / 6));
  CHECK(scores.at("accuracy").num_missing == 1);
  CHECK(scores.at("accuracy").per_sample == std::vector<double>{1, 0, 0, 1, 1, 0});
  REQUIRE(scores.at("f1").parts.size() == 3);
  CHECK(scores.at("f1").parts[1].name == "a");
}

TEST_CASE("where nothing is said with yes, precision is zero") {
  const auto scores = scores_of(yes_no_measurements({said("1", "no", "No")}));
  CHECK(scores.at("accuracy").value == 1);
  CHECK(scores.at("precision").value == 0);
  CHECK(scores.at("f1").value == 0);
  CHECK_THROWS_WITH(yes_no_measurements({said("q5", "dog", "No")}), Catch::Contains("q5"));
}

TEST_CASE("probes ask for objects that are there and for others, by turns") {
  const std::vector<Prediction> probes = object_probes(media(), {.num_per_medium = 2});
  CHECK(asked(probes, "m5", "yes").empty());
  std::set<std::string> ids;
  for (const Prediction& probe : probes) ids.insert(probe.id);
  CHECK(ids.size() == probes.size());
  REQUIRE(asked(probes, "m1/popular", "no").size() == 2);
  // Apple and car are in two media each: by name.
  CHECK(
      asked(probes, "m1/popular", "no") ==
      std::vector<std::string>{"Is there an apple in the video?", "Is there a car in the video?"});
  // With apple and car: dog in two media, ball in one.
  CHECK(asked(probes, "m3/adversarial", "no") ==
        std::vector<std::string>{"Is there a dog in the video?", "Is there a ball in the video?"});
  CHECK(asked(probes, "m1/random", "yes") == asked(probes, "m1/popular", "yes"));
  for (std::size_t i = 0; i < probes.size(); ++i)
    CHECK(probes[i].references.front() == (i % 2 == 0 ? "yes" : "no"));
  // m4 has two objects once its repetition is dropped.
  CHECK(asked(probes, "m4/random", "yes").size() == 2);
}

TEST_CASE("probes depend on the seed, and on the medium but not on its place") {
  std::vector<MediumObjects> many;
  for (int i = 0; i < 20; ++i) {
    std::vector<std::string> objects;
    for (int j = 0; j < 10; ++j)
      objects.push_back(std::string("object").append(std::to_string((i * 7 + j * 3) % 40)));
    many.push_back({std::string("m").append(std::to_string(i)), "v", objects});
  }
  const std::vector<Prediction> probes = object_probes(many);
  CHECK(probes == object_probes(many));
  CHECK(probes != object_probes(many, {.seed = 1}));
  CHECK(probes.size() == 20 * 3 * 6);
  std::ranges::reverse(many);
  std::vector<Prediction> reversed = object_probes(many), sorted = probes;
  std::ranges::sort(reversed, {}, &Prediction::id);
  std::ranges::sort(sorted, {}, &Prediction::id);
  CHECK(reversed == sorted);
}

TEST_CASE("annotations that cannot be probed say so") {
  CHECK_THROWS_WITH(object_probes({{"m", "v", {"a"}}, {"m", "v", {"b"}}}), Catch::Contains("'m'"));
  CHECK_THROWS_WITH(object_probes({{"m", "v", {""}}}), Catch::Contains("'m'"));
  CHECK_THROWS_WITH(object_probes(media(), {.question = "Is it?"}), Catch::Contains("Is it?"));
  CHECK_THROWS_AS(object_probes(media(), {.num_per_medium = 0}), UserError);
  const std::vector<std::string> many(1001, std::string("object"));
  CHECK_THROWS_WITH(object_probes({{"m", "v", many}}), Catch::Contains("more than 1000 objects"));
}

TEST_CASE("captions mention objects by any of their names, and in the plural") {
  const ObjectNames names = names_from(
      "dog, puppy,hound\nhot dog\n\nTraffic Light, stoplight\nbus\npuppet\nbaby, infant\n");
  CHECK(names.object("Puppy") == "dog");
  CHECK(names.object("traffic-light") == "traffic light");
  CHECK(names.object("cat").empty());
  CHECK(names.mentioned("Two puppies and a hot dog; traffic lights, buses, and the dogs' babies") ==
        std::vector<std::string>{"dog", "hot dog", "traffic light", "bus", "dog", "baby"});
  CHECK(names.mentioned("").empty());
}

TEST_CASE("CHAIR counts mentions and captions with objects that are not there") {
  const ObjectNames names = names_from("dog,puppy\ncat\ncar\n");
  Prediction missing = said("3", "", "a dog");
  missing.status = "undecodable";
  const std::map<std::string, std::vector<std::string>> objects = {
      {"1", {"puppy", "car"}}, {"2", {"cat"}}, {"3", {"dog"}}, {"4", {}}};
  const auto scores =
      scores_of(chair({said("1", "", "a dog, a dog and a cat near a car"), said("2", "", "a cat"),
                       missing, said("4", "", "nothing at all")},
                      objects, names));
  CHECK(scores.at("chair_instance").value == Approx(1.0 / 5));
  CHECK(scores.at("chair_sentence").value == Approx(2.0 / 4));
  CHECK(scores.at("chair_sentence").num_missing == 1);
  CHECK_THROWS_WITH(chair({said("9", "", "")}, objects, names), Catch::Contains("'9'"));
  CHECK_THROWS_WITH(chair({said("1", "", "")}, {{"1", {"bird"}}}, names), Catch::Contains("bird"));
  CHECK_THROWS_WITH(names_from("dog\ncat,dog\n"),
                    Catch::Contains(":2") && Catch::Contains("'dog'"));
  CHECK_THROWS_WITH(names_from("dog,,cat\n"), Catch::Contains("empty name"));
  CHECK_THROWS_WITH(names_from("\n"), Catch::Contains("no objects"));
}
