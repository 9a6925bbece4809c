// Whole examples from real clips and pictures, and every kind of file that is none.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "datasets/loading/loader.h"
#include "datasets/loading/mixture.h"
#include "samples/crop.h"
#include "samples/frame_sampler.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_input.h"
#include "tests/support/safetensors_file.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::datasets {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

// Five queries, as in the recorded runs.
const samples::ModelInput kModel = test::vision_input({.image_size = 224, .num_tokens = 5});

struct Shared {
  fs::path goldens, fixtures, tokenizer;
};

std::optional<Shared> shared() {
  const auto goldens = test::shared_file("goldens"), fixtures = test::shared_file("fixtures");
  if (!goldens || !fixtures) return std::nullopt;
  return Shared{*goldens, *fixtures, *goldens / "ckpt/llama/tokenizer.model"};
}

DatasetConfig webvid(const Shared& files) {
  DatasetConfig config;
  config.name = "webvid";
  config.format = "webvid";
  config.annotations = files.goldens / "data/webvid";
  config.media_root = files.fixtures;
  config.transform = samples::Transform::eval;
  return config;
}

// The recorded image annotations, with copies of the pictures under the names they use.
class AlignedImages {
 public:
  explicit AlignedImages(const Shared& files) {
    fs::copy(files.fixtures / "media/Statue_of_Liberty.jpg", folder_.path() / "2.jpg");
    fs::copy(files.fixtures / "media/dog.jpg", folder_.path() / "7.jpg");
    config.name = "align";
    config.format = "cc_sbu_align";
    config.annotations = files.goldens / "data/align/filter_cap.json";
    config.media_root = folder_.path();
    config.transform = samples::Transform::eval;
    config.clean_captions = false;
  }

  DatasetConfig config;

 private:
  test::TemporaryFolder folder_;
};

DataConfig data(std::vector<DatasetConfig> sets) {
  DataConfig config;
  config.sets = std::move(sets);
  config.shuffle = false;
  return config;
}

bool same_bytes(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0;
}

std::vector<LoadedBatch> load(const Mixture& mixture, const SampleOrder& order, LoaderPlan plan,
                              std::int64_t num_workers, const text::Tokenizer& tokenizer) {
  LoaderConfig config;
  config.num_workers = num_workers;
  Loader loader(order, mixture, plan, config, tokenizer.image_token());
  std::vector<LoadedBatch> batches;
  for (std::int64_t step = plan.first_step; step < plan.end_step; ++step)
    batches.push_back(loader.next());
  return batches;
}

}  // namespace

TEST_CASE("evaluation frames of real clips are those of the recordings") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  const Mixture mixture(data({webvid(*files)}), kModel, tokenizer);
  const SampleOrder order(mixture.sources(), {.samples_per_step = 3, .shuffle = false});
  const test::SafetensorsFile golden(files->goldens / "media/frames_u8.safetensors");
  for (const PlannedSample& sample : order.step(0)) {
    samples::StageSeconds seconds;
    const Record record = mixture.record(sample);
    const auto example = mixture.build(record, sample, seconds);
    INFO(record.id);
    CHECK(example.media.at(0).values.sizes() == at::IntArrayRef({8, 224, 224, 3}));
    const auto expected = golden.values<std::uint8_t>(record.id);
    REQUIRE(example.media.at(0).values.nbytes() == expected.size());
    CHECK(std::memcmp(example.media.at(0).values.const_data_ptr(), expected.data(),
                      expected.size()) == 0);
    CHECK(seconds.decode > 0);
    CHECK(seconds.total() >= seconds.decode + seconds.text);
  }
}

TEST_CASE("batches of the recorded runs have their lengths and targets") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  const auto micro_steps =
      nlohmann::json::parse(read_file(files->goldens / "runs/vl_stage1_mixed/trajectory.json"))
          .at("micro_steps");
  const AlignedImages images(*files);
  const Mixture mixture(data({webvid(*files), images.config}), kModel, tokenizer);
  const auto recorded = [&](std::int64_t step) {
    return std::int64_t{micro_steps.at(static_cast<std::size_t>(step)).at("dataset") != "webvid"};
  };
  const SampleOrder order(mixture.sources(), {.samples_per_step = 2, .shuffle = false}, recorded);
  const auto batches = load(mixture, order, {.end_step = 8}, 2, tokenizer);
  for (std::size_t step = 0; step < batches.size(); ++step) {
    INFO(step);
    const auto& batch = batches[step].batch;
    REQUIRE(batches[step].dropped.empty());
    CHECK(batch.num_targets == micro_steps[step].at("num_targets"));
    CHECK(*std::max_element(batch.sequence_lengths.begin(), batch.sequence_lengths.end()) ==
          micro_steps[step].at("seq_len"));
    const std::int64_t frames = micro_steps[step].at("type") == "video" ? 8 : 1;
    CHECK(batch.media.at(0).extents == std::vector<samples::MediaExtent>{frames, frames});
    CHECK(batch.media.at(0).positions_M.numel() == 2 * 5);
  }
}

TEST_CASE("prompts stand before the caption") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  const AlignedImages images(*files);
  DataConfig config = data({images.config});
  config.captions.prompt_file = files->goldens / "data/prompts/one.txt";
  config.captions.prompt_template = "###Human: {} ###Assistant: ";
  config.captions.end_sign = "###";
  config.captions.max_tokens = 160;
  const auto golden = nlohmann::json::parse(
                          read_file(files->goldens / "runs/vl_stage2_align_prompt/trajectory.json"))
                          .at("micro_steps")[0];
  const Mixture mixture(config, kModel, tokenizer);
  const SampleOrder order(mixture.sources(), {.samples_per_step = 2, .shuffle = false});
  const auto batch = load(mixture, order, {.end_step = 1}, 0, tokenizer).at(0).batch;
  REQUIRE(batch.size() == 2);
  CHECK(batch.num_targets == golden.at("num_targets"));
  CHECK(*std::max_element(batch.sequence_lengths.begin(), batch.sequence_lengths.end()) ==
        golden.at("seq_len"));
}

TEST_CASE("training clips get the box and the frames of their own random numbers") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  DatasetConfig set = webvid(*files);
  set.transform = samples::Transform::train;
  set.sampling = samples::Sampling::headtail;
  const Mixture mixture(data({set}), kModel, tokenizer);
  const SampleOrder order(mixture.sources(), {.samples_per_step = 1, .shuffle = false, .seed = 8});
  const PlannedSample sample = order.step(0).at(0);
  const Record record = mixture.record(sample);
  samples::StageSeconds seconds;
  const auto example = mixture.build(record, sample, seconds);
  CHECK(same_bytes(example.media.at(0).values,
                   mixture.build(record, sample, seconds).media.at(0).values));

  RandomStream frame_draws = sample.key().random(RandomPurpose::frames);
  RandomStream box_draws = sample.key().random(RandomPurpose::augmentation);
  const auto indices = samples::headtail_indices(8, 181, frame_draws);
  const auto box = samples::draw_crop(224, 224, {0.5, 1.0}, box_draws);
  const auto decoded =
      media::VideoReader(record.media.at(0).source).frames(indices, media::FrameSize{224, 224});
  std::vector<std::uint8_t> expected(224 * 224 * 3);
  samples::crop_and_resize_frame(decoded.images.at(5).rgb, 224, box, 224, expected);
  CHECK(std::memcmp(example.media.at(0).values.const_data_ptr<std::uint8_t>() + 5 * expected.size(),
                    expected.data(), expected.size()) == 0);

  PlannedSample later = sample;
  later.step = 1;
  CHECK_FALSE(same_bytes(example.media.at(0).values,
                         mixture.build(record, later, seconds).media.at(0).values));
}

TEST_CASE("the same seed gives the same bytes with 0, 1 and 4 workers, and from any step on") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  AlignedImages images(*files);
  DatasetConfig videos = webvid(*files);
  videos.transform = images.config.transform = samples::Transform::train;
  videos.sampling = samples::Sampling::headtail;
  videos.num_frames = 2;
  const samples::ModelInput model = test::vision_input({.image_size = 64, .num_tokens = 2});
  const Mixture mixture(data({videos, images.config}), model, tokenizer);
  const SampleOrder order(mixture.sources(), {.samples_per_step = 2, .seed = 21});
  const auto expected = load(mixture, order, {.end_step = 4}, 0, tokenizer);
  for (const std::int64_t num_workers : {1, 4}) {
    for (const std::int64_t first_step : {0, 2}) {
      const auto batches = load(mixture, order, {first_step, 4}, num_workers, tokenizer);
      for (std::size_t i = 0; i < batches.size(); ++i) {
        const auto& batch = batches[i].batch;
        const auto& wanted = expected[i + static_cast<std::size_t>(first_step)].batch;
        CHECK(batch.sample_ids == wanted.sample_ids);
        CHECK(same_bytes(batch.media.at(0).values, wanted.media.at(0).values));
        CHECK(same_bytes(batch.token_ids_T, wanted.token_ids_T));
        CHECK(same_bytes(batch.labels_T, wanted.labels_T));
      }
    }
  }
}

TEST_CASE("a set with every kind of broken file is gone through with exact counts") {
  const auto files = shared();
  if (!files) return;
  const test::TemporaryFolder folder;
  const fs::path media = folder.path() / "p";
  fs::create_directory(media);
  const fs::path source = files->fixtures / "media";
  const std::string boat = read_file(source / "boat.mp4");
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream(media / name, std::ios::binary) << content;
  };
  fs::copy(source / "video_0.mov", media / "short.mp4");  // three frames
  fs::copy(source / "h265_video.mp4", media / "good.mp4");
  fs::copy(source / "audio_only_opus.mp4", media / "sound.mp4");
  fs::copy(source / "dog.jpg", media / "picture.mp4");
  fs::copy(source / "chunk_out_of_range.mp4", media / "chunk.mp4");
  write("cut.mp4", boat.substr(0, boat.size() / 50));
  write("zero.mp4", "");
  write("page.mp4", "<html><body>404 Not Found</body></html>");
  std::ofstream(folder.path() / "rows.csv", std::ios::binary)
      << "videoid,page_dir,name\n"
         "good,p,\"first,\nwith a line break\"\nshort,p,second\nsound,p,x\npicture,p,x\n"
         "chunk,p,x\ncut,p,x\nzero,p,x\npage,p,x\ngone,p,x\ngood,p,has <ImageHere> inside\n"
         "good,p,\ngood,p,caf\xE9\n,p,x\n";

  DatasetConfig set;
  set.name = "broken";
  set.format = "webvid";
  set.annotations = folder.path();
  set.media_root = folder.path();
  set.clean_captions = false;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  const Mixture mixture(data({set}), test::vision_input({.image_size = 32, .num_tokens = 2}),
                        tokenizer);
  CHECK(mixture.dataset(0).size() == 10);
  CHECK(mixture.dataset(0).invalid().count_of_reason() ==
        std::map<std::string, std::int64_t>{
            {"missing_caption", 1}, {"missing_id", 1}, {"not_utf8", 1}});
  const SampleOrder order(mixture.sources(), {.samples_per_step = 10, .shuffle = false});
  for (const std::int64_t num_workers : {0, 3}) {
    LoaderConfig config;
    config.num_workers = num_workers;
    Loader loader(order, mixture, {.end_step = 2}, config, tokenizer.image_token());
    for (int step = 0; step < 2; ++step) {
      const LoadedBatch loaded = loader.next();
      CHECK(loaded.batch.sample_ids == std::vector<std::string>{"good", "short"});
      CHECK(loaded.batch.media.at(0).extents == std::vector<samples::MediaExtent>{8, 8});
      std::map<std::string, std::string> reasons;
      for (const DroppedSample& dropped : loaded.dropped) {
        reasons[dropped.id] = dropped.reason;
        CHECK_FALSE(dropped.detail.empty());
      }
      CHECK(reasons == std::map<std::string, std::string>{{"sound", "no_video_stream"},
                                                          {"picture", "not_media"},
                                                          {"chunk", "corrupt"},
                                                          {"cut", "corrupt"},
                                                          {"zero", "empty"},
                                                          {"page", "not_media"},
                                                          {"gone", "not_found"},
                                                          {"good", "reserved_token"}});
    }
    CHECK(loader.counters().num_samples == 20);
    CHECK(loader.counters().num_dropped == 16);
    CHECK(loader.counters().dropped_by_reason ==
          std::map<std::string, std::int64_t>{{"no_video_stream", 2},
                                              {"not_media", 4},
                                              {"corrupt", 4},
                                              {"empty", 2},
                                              {"not_found", 2},
                                              {"reserved_token", 2}});
  }
}

TEST_CASE("settings that contradict each other are refused") {
  const auto files = shared();
  if (!files) return;
  const text::SentencePieceTokenizer tokenizer(files->tokenizer);
  DatasetConfig set = webvid(*files);
  CHECK_THROWS_WITH(Mixture(data({}), kModel, tokenizer), Contains("empty"));
  CHECK_THROWS_WITH(Mixture(data({set, set}), kModel, tokenizer), Contains("'webvid'"));
  set.min_crop_scale = 0.9;
  set.max_crop_scale = 0.5;
  CHECK_THROWS_WITH(Mixture(data({set}), kModel, tokenizer), Contains("max_crop_scale"));
}

TEST_CASE("the settings of the data read from YAML and back") {
  const auto tree = config::load_text(
      "sets:\n"
      "  - {name: a, format: webvid, annotations: A, media_root: M, weight: 100, sampling: "
      "headtail}\n"
      "loader: {num_workers: 0}\n",
      "test.yaml");
  auto config = config::read<DataConfig>(tree);
  CHECK(config.sets.at(0).weight == 100);
  CHECK(config.sets[0].sampling == samples::Sampling::headtail);
  CHECK(config.loader.num_workers == 0);
  const std::string text = config::dump(config);
  CHECK(config::dump(config::read<DataConfig>(config::load_text(text, "again.yaml"))) == text);
  CHECK_THROWS_WITH(config::read<DataConfig>(config::load_text(
                        "sets: [{name: a, format: mp3, annotations: A, media_root: M}]", "t.yaml")),
                    Contains("format"));
}

}  // namespace vllama::datasets
