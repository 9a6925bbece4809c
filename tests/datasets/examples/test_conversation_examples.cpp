// Conversations with their media, from annotation files to tensors and tokens; and pictures that
// are none.
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/files.h"
#include "datasets/loading/loader.h"
#include "datasets/loading/mixture.h"
#include "media/error.h"
#include "tests/datasets/annotation_file.h"
#include "tests/support/model_input.h"
#include "tests/text/golden_text.h"

namespace vllama::datasets {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

constexpr test::BranchSizes kFrames{.image_size = 28, .num_tokens = 3};
constexpr test::BranchSizes kSound{.image_size = 28, .num_tokens = 2, .max_positions = 8};

DataConfig data(const std::string& format, const AnnotationFile& file, const fs::path& media_root) {
  DataConfig config;
  config.shuffle = false;
  DatasetConfig& set = config.sets.emplace_back();
  set.name = set.format = format;
  set.annotations = file.path();
  set.media_root = media_root;
  set.transform = samples::Transform::eval;
  return config;
}

samples::Example build(const Mixture& mixture, std::int64_t index) {
  const PlannedSample sample{.index = index};
  samples::StageSeconds seconds;
  return mixture.build(mixture.record(sample), sample, seconds);
}

}  // namespace

TEST_CASE("a conversation about a picture, a video with its sound, and a sound") {
  VLLAMA_SHARED_FILE(fixtures, "fixtures");
  const AnnotationFile file(
      R"({"id":"1","messages":[{"role":"user","content":[{"image":"dog.jpg"},{"text":" or "},)"
      R"({"video":"boat.mp4","start":1,"end":3},{"text":"Which?"}]},)"
      R"({"role":"assistant","content":"The dog."},)"
      R"({"role":"user","content":[{"text":"Heard: "},{"audio":"FwVYUHKoLtQ_000034.wav"}]},)"
      R"({"role":"assistant","content":"Rain."}]})",
      "rows.jsonl");
  const Mixture mixture(data("vllama", file, fixtures / "media"),
                        test::both_inputs(kFrames, kSound), test::llama_tokenizer());
  const auto example = build(mixture, 0);
  std::vector<std::pair<MediaKind, std::size_t>> routes;
  std::int64_t num_tokens = 0;
  for (const auto& medium : example.media) {
    routes.emplace_back(medium.kind, medium.encoder);
    num_tokens += medium.num_tokens;
  }
  CHECK(routes == decltype(routes){{MediaKind::image, 0},
                                   {MediaKind::video, 0},
                                   {MediaKind::sound, 2},
                                   {MediaKind::sound, 2}});
  CHECK(num_tokens == 3 + 3 + 2 + 2);
  CHECK(std::ranges::count(example.token_ids, test::llama_tokenizer().image_token()) == num_tokens);
  CHECK(example.media[0].values.size(0) == 1);
  CHECK(example.media[1].values.size(0) == 8);
}

TEST_CASE("of a video only the stretch that is meant is seen") {
  VLLAMA_SHARED_FILE(fixtures, "fixtures");
  const AnnotationFile file(R"([{"video":"boat.mp4","start":2,"end":4,"QA":[{"q":"?","a":"x"}]},)"
                            R"({"video":"boat.mp4","start":500,"QA":[{"q":"?","a":"x"}]}])");
  const Mixture mixture(data("videochat_instruct", file, fixtures / "media"),
                        test::vision_input(kFrames), test::llama_tokenizer());
  std::vector<std::int64_t> text;
  for (const std::int64_t id : build(mixture, 0).token_ids)
    if (id != test::llama_tokenizer().image_token()) text.push_back(id);
  const std::string prompt = test::llama_tokenizer().decode(text);
  CHECK_THAT(prompt, Contains("8 frames sampled at 2.0, 2.") && Contains(", 3.7 seconds"));
  CHECK_THROWS_WITH(build(mixture, 1), Contains("boat.mp4") && Contains("nothing between 500"));
}

TEST_CASE("pictures that are missing or broken are dropped and counted") {
  VLLAMA_SHARED_FILE(fixtures, "fixtures");
  const test::TemporaryFolder media;
  const std::string picture = read_file(fixtures / "media/dog.jpg");
  const std::map<std::string, std::string> files = {{"good.jpg", picture},
                                                    {"zero.jpg", ""},
                                                    {"page.jpg", "<html>404</html>"},
                                                    {"cut.jpg", picture.substr(0, 2000)}};
  for (const auto& [name, content] : files) write_file_atomically(media.path() / name, content);
  std::string elements;
  for (const std::string name : {"good", "zero", "gone", "page", "cut", "good"})
    elements += (elements.empty() ? "" : ",") + std::string(R"({"id":")") + name +
                R"(","image":")" + name +
                R"(.jpg","conversations":[{"from":"human","value":"<image>?"},)" +
                R"({"from":"gpt","value":"Yes."}]})";
  const AnnotationFile file("[" + elements + "]");
  const Mixture mixture(data("llava_instruct", file, media.path()), test::vision_input(kFrames),
                        test::llama_tokenizer());
  const SampleOrder order(mixture.sources(), {.samples_per_step = 6, .shuffle = false});
  LoaderConfig config;
  config.num_workers = 0;
  Loader loader(order, mixture, {.end_step = 1}, config, test::llama_tokenizer().image_token());
  CHECK(loader.next().batch.sample_ids == std::vector<std::string>{"good", "good"});
  CHECK(loader.counters().dropped_by_reason ==
        Counts{{"empty", 1}, {"not_found", 1}, {"not_media", 1}, {"corrupt", 1}});
}

}  // namespace vllama::datasets
