// Caption metrics against published programs, by way of numbers that
// tools/reference/caption_metrics.py recorded.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <tuple>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "eval/scores/caption_files.h"
#include "eval/scores/caption_scores.h"
#include "eval/scores/meteor.h"
#include "eval/scores/porter2.h"
#include "eval/scores/score.h"
#include "eval/scores/words.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;
using nlohmann::json;

namespace {

// Both sides compute in double precision; only the order of their sums differs.
constexpr double kTolerance = 1e-12;

const json& golden() {
  static const json object =
      json::parse(read_file(test::golden_file("captions/caption_metrics.json")));
  return object;
}

Approx close_to(const json& value) {
  return Approx(value.get<double>()).epsilon(0).margin(kTolerance);
}

Prediction captioned(const std::string& id, const std::vector<std::string>& captions) {
  Prediction prediction{.id = id};
  prediction.prediction = captions.front();
  prediction.references.assign(captions.begin() + 1, captions.end());
  return prediction;
}

std::vector<Prediction> golden_predictions() {
  std::vector<Prediction> predictions;
  for (const json& captions : golden()["captions"])
    predictions.push_back(
        captioned(std::to_string(predictions.size()), captions.get<std::vector<std::string>>()));
  return predictions;
}

// The best rank (weight, chunks, distance) over all alignments, by trying them all.
using Rank = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

Rank best_rank(const std::vector<std::vector<int>>& weights, std::size_t place,
               std::vector<bool> used, std::int64_t last, const Rank& rank) {
  if (place == weights.size()) return rank;
  Rank best = best_rank(weights, place + 1, used, -2, rank);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] || weights[place][i] == 0) continue;
    auto [weight, chunks, distance] = rank;
    const auto reference = static_cast<std::int64_t>(i);
    weight -= weights[place][i];
    chunks += reference == last + 1 ? 0 : 1;
    distance += std::abs(reference - static_cast<std::int64_t>(place));
    used[i] = true;
    best =
        std::min(best, best_rank(weights, place + 1, used, reference, {weight, chunks, distance}));
    used[i] = false;
  }
  return best;
}

double value_of_metric(const Measurement& measurement) {
  return score(measurement, {.num_resamples = 2}).value;
}

void check_all(const std::vector<Measurement>& measurements, const json& expected) {
  REQUIRE(measurements.size() == expected.size());
  for (const Measurement& measurement : measurements) {
    INFO(measurement.name);
    const json& entry = expected.at(measurement.name);
    CHECK(value_of_metric(measurement) == close_to(entry["value"]));
    REQUIRE(measurement.per_sample.size() == entry["per_sample"].size());
    for (std::size_t i = 0; i < measurement.per_sample.size(); ++i) {
      INFO("sample " << i);
      CHECK(measurement.per_sample[i] == close_to(entry["per_sample"][i]));
    }
  }
}

// Rows of a CSV file whose last field alone may be quoted.
std::vector<Prediction> audiocaps(const std::filesystem::path& path) {
  std::istringstream file(read_file(path));
  std::map<std::string, std::size_t> place_of;
  std::vector<std::vector<std::string>> captions;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::size_t first = line.find(','), second = line.find(',', first + 1);
    const std::string id = line.substr(first + 1, second - first - 1);
    const auto [found, is_new] = place_of.emplace(id, captions.size());
    if (is_new) captions.emplace_back();
    captions[found->second].push_back(line.substr(line.find(',', second + 1) + 1));
  }
  std::vector<Prediction> predictions;
  for (const auto& group : captions)
    predictions.push_back(captioned(std::to_string(predictions.size()), group));
  return predictions;
}

}  // namespace

TEST_CASE("caption metrics equal the published programs: simple tokenizer") {
  const std::vector<Prediction> predictions = golden_predictions();
  check_all(caption_measurements(predictions, simple_tokens(predictions)), golden()["simple"]);
}

TEST_CASE("caption metrics equal the published programs: Stanford tokenizer") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "captions.ptb";
  std::string lines;
  for (const json& line : golden()["ptb_lines"]) lines += line.get<std::string>() + "\n";
  write_file_atomically(path, lines);
  const std::vector<Prediction> predictions = golden_predictions();
  const TokenizedCaptions captions = read_ptb_tokens(path, predictions);
  CHECK(joined(captions.captions[1].references[1]) ==
        "men talk over an idling engine -lrb- loudly -rrb-");
  CHECK(captions.captions[5].hypothesis.empty());
  check_all(caption_measurements(predictions, captions), golden()["ptb"]);
  write_file_atomically(path, lines + "one more\n");
  CHECK_THROWS_WITH(read_ptb_tokens(path, predictions), Catch::Contains("36 lines"));
}

TEST_CASE("captions are written for the Stanford tokenizer, one per line") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "captions.txt";
  write_captions_for_ptb(path, {captioned("1", {" ", "A dog.\nIt\xE2\x80\xA8 runs", "x\r"})});
  CHECK(read_file(path) == ".\nA dog. It runs\nx\n");
}

TEST_CASE("captions are written as the COCO tools read them") {
  const test::TemporaryFolder folder;
  Prediction missing = captioned("b", {"lost", "x"});
  missing.status = "missing media";
  const std::vector<Prediction> predictions = {captioned("a", {"a dog", "dog", "the dog"}),
                                               missing};
  write_coco_results(folder.path() / "results.json", predictions);
  CHECK(json::parse(read_file(folder.path() / "results.json")) ==
        json::parse(R"([{"image_id":"a","caption":"a dog"},{"image_id":"b","caption":""}])"));
  write_coco_annotations(folder.path() / "annotations.json", predictions);
  CHECK(json::parse(read_file(folder.path() / "annotations.json")) ==
        json::parse(R"({"info":{},"type":"captions","licenses":[],
          "images":[{"id":"a"},{"id":"b"}],
          "annotations":[{"image_id":"a","id":1,"caption":"dog"},
            {"image_id":"a","id":2,"caption":"the dog"},{"image_id":"b","id":3,"caption":"x"}]})"));
}

TEST_CASE("AudioCaps validation, first caption against the others") {
  VLLAMA_SHARED_FILE(captions, "fixtures/annotations/audiocaps_val.csv");
  VLLAMA_SHARED_FILE(expected_path, "fixtures/annotations/audiocaps_val_caption_metrics.json");
  const json expected = json::parse(read_file(expected_path));
  const std::vector<Prediction> predictions = audiocaps(captions);
  REQUIRE(predictions.size() == 495);
  std::map<std::string, double> found;
  for (const auto& measurement : caption_measurements(predictions, simple_tokens(predictions)))
    found[measurement.name] = value_of_metric(measurement);
  for (std::size_t k = 1; k <= 4; ++k)
    CHECK(found["bleu_" + std::to_string(k)] == close_to(expected["bleu"][k - 1]));
  CHECK(found["rouge_l"] == close_to(expected["rouge_l"]));
  CHECK(found["cider_d"] == close_to(expected["cider"]));
  for (const auto& [name, value] : golden()["audiocaps_simple"].items()) {
    INFO(name);
    CHECK(found[name] == close_to(value));
  }
}

TEST_CASE("stems equal those of the published English stemmer") {
  for (const auto& [word, stem] : golden()["stems"].items()) {
    INFO(word);
    CHECK(porter2_stem(word) == stem.get<std::string>());
  }
}

TEST_CASE("words are aligned in as few runs as can be") {
  const auto alignment = [](const std::string& hypothesis, const std::string& reference) {
    return meteor_alignment(split_words(hypothesis), split_words(reference));
  };
  const MeteorAlignment same = alignment("the cat sat", "the cat sat");
  CHECK(same.num_exact == 3);
  CHECK(same.num_chunks == 1);
  // The first "the" must take the second one of the reference.
  const MeteorAlignment later = alignment("the dog", "the cat and the dog");
  CHECK(later.num_exact == 2);
  CHECK(later.num_chunks == 1);
  const MeteorAlignment stems = alignment("dogs running", "dog run");
  CHECK(stems.num_stem == 2);
  CHECK(stems.num_chunks == 1);
}

TEST_CASE("no other alignment of equal words is better") {
  const std::vector<std::string> words = {"dog", "cat", "the", "run"};
  RandomStream stream(7);
  const auto draw = [&](std::size_t count) {
    Words text;
    while (text.size() < count) text.push_back(words[stream.below(words.size())]);
    return text;
  };
  for (int i = 0; i < 300; ++i) {
    const Words hypothesis = draw(1 + stream.below(6)), reference = draw(1 + stream.below(6));
    INFO(joined(hypothesis) << " | " << joined(reference));
    std::vector<std::vector<int>> weights;
    for (const std::string& word : hypothesis) {
      auto& row = weights.emplace_back();
      for (const std::string& other : reference) row.push_back(word == other ? 1 : 0);
    }
    const auto [weight, chunks, distance] =
        best_rank(weights, 0, std::vector<bool>(reference.size()), -2, {0, 0, 0});
    const MeteorAlignment found = meteor_alignment(hypothesis, reference);
    CHECK(found.num_exact == -weight);
    CHECK(found.num_chunks == chunks);
  }
}

TEST_CASE("long repetitive captions take no endless time") {
  std::string repeated;
  for (int i = 0; i < 300; ++i) repeated += "a ";
  const std::vector<Prediction> predictions = {captioned("1", {repeated, repeated + "b"}),
                                               captioned("2", {"x", "y"})};
  const auto measurements = caption_measurements(predictions, simple_tokens(predictions));
  CHECK(measurements.front().per_sample[0] == Approx(std::exp(-1.0 / 300)));
}

TEST_CASE("captions without answers or words score nothing, without references they are named") {
  Prediction missing = captioned("1", {"a dog", "a dog"});
  missing.status = "missing media";
  const std::vector<Prediction> predictions = {missing, captioned("2", {"", "!?"})};
  for (const auto& measurement : caption_measurements(predictions, simple_tokens(predictions))) {
    INFO(measurement.name);
    CHECK(value_of_metric(measurement) == Approx(0).margin(1e-9));
  }
  CHECK_THROWS_WITH(simple_tokens({Prediction{.id = "c9"}}), Catch::Contains("c9"));
  CHECK_THROWS_AS(caption_measurements({}, simple_tokens({})), UserError);
}
