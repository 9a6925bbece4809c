// What a checkpoint knows of the files it was trained on, and what is said when they changed.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "inference/bundle/file_hash.h"
#include "tests/train/half_run.h"
#include "train/provenance/provenance_changes.h"
#include "train/run/find_step.h"
#include "train/saved/open_saved.h"
#include "train/show/show.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
using test::half_run;
namespace fs = std::filesystem;

namespace {

fs::path newest(const RunConfig& config) {
  return *find_step(config.output_dir);
}

// Another byte at the same place of a file of the same size.
void change_byte(const fs::path& file, std::streamoff from_end = 1) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(-from_end, std::ios::end);
  const int byte = stream.get();
  stream.seekp(-from_end, std::ios::end);
  stream.put(static_cast<char>(byte ^ 1));
}

// The warnings of `action`.
std::string warnings_of(const test::TinyWorld& world, const std::function<void()>& action) {
  const fs::path file = world.path("warnings.txt");
  fs::remove(file);
  log::also_to_file(file);
  spdlog::set_level(spdlog::level::info);
  action();
  log::quiet();
  return read_file(file);
}

// Resuming is refused with `text`, and goes on with --accept-changes.
void refuses(const RunConfig& config, const std::string& text) {
  CAPTURE(text);
  CHECK_THROWS_WITH(train::train(config, {}), Contains("this would train something else") &&
                                                  Contains(text) && Contains("--accept-changes"));
  CHECK(train::train(config, {.accept_changes = true}) == 0);
}

// A run whose vision branch comes from the finished run "run", and that trains adapters alone.
RunConfig adapter_run(const test::TinyWorld& world) {
  RunConfig config = world.run("adapters");
  config.model.trainable = {{.module = models::ModuleName::lora}};
  config.model.lora.rank = 2;
  config.model.weights.saved_step = world.path("run");
  return config;
}

}  // namespace

TEST_CASE("provenance: a checkpoint records its data, base weights and starting points") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("run"), {}) == 0);
  const RunConfig config = adapter_run(world);
  REQUIRE(train::train(config, {}) == 0);
  const auto found = provenance_of_step(newest(config));
  REQUIRE(found);
  CHECK(found->run_folder == config.output_dir);
  REQUIRE(found->data.size() == 1);
  CHECK(found->data[0].name == "clips");
  CHECK(found->data[0].format == "webvid");
  CHECK(found->data[0].num_entries == 5);
  CHECK(found->data[0].files.at(0).path == world.path("annotations/clips.csv"));
  CHECK(found->data[0].media.size() == 5);
  std::map<std::string, const InputFile*> files;
  for (const InputFile& file : found->weights)
    files[file.what + " " + file.path.filename().string()] = &file;
  CHECK(files.size() == 6);
  const auto* encoder = files.at("model.weights.vision_encoder eva_vit_g.pth");
  CHECK(encoder->num_bytes == fs::file_size(world.path("weights/eva_vit_g.pth")));
  CHECK(encoder->hash.size() == 64);
  const auto* parent = files.at("model.weights.saved_step trainable.safetensors");
  CHECK(parent->path == world.path("run/checkpoints/step_000006/trainable.safetensors"));
  CHECK(found->saved_step_modules ==
        std::set<std::string>{"video_q_former", "frame_positions", "projection"});
  CHECK(changes_between(*found, read_provenance(provenance_text(*found))).empty());
  CHECK(read_file(world.path("adapters/provenance.json")) ==
        read_file(newest(config) / "provenance.json"));
  for (const std::string text : {"", "{}", "[1]", "{\"program\": 3}"})
    CHECK_THROWS_AS(read_provenance(text), UserError);
}

TEST_CASE("provenance: an unchanged run goes on without a word") {
  const test::TinyWorld world;
  const RunConfig config = half_run(world);
  const std::string said = warnings_of(world, [&] { REQUIRE(train::train(config, {}) == 0); });
  CHECK_THAT(said, Contains("after 4 steps") && !Contains("warning"));
}

TEST_CASE("provenance: changed annotations") {
  const test::TinyWorld world;
  RunConfig config = half_run(world);
  const fs::path table = world.path("annotations/clips.csv");
  const std::string before = read_file(table);
  SECTION("other words of the same length") {
    change_byte(table, 5);
    const std::string said = warnings_of(world, [&] {
      show(config, {.step = 1, .output = world.path("shown")});
      open_saved(world.path("run"), at::kCPU);  // which data do not concern
    });
    CHECK_THAT(said, Contains("not as the checkpoint") && Contains("step_000004' was trained on") &&
                         Contains("clips.csv' has other content of the same size: SHA-256 "));
    CHECK(said.find("clips.csv' has") == said.rfind("clips.csv' has"));
    refuses(config, "data set 'clips': '" + table.string() + "' has other content");
  }
  SECTION("a row more") {
    write_file_atomically(table, before + "clip0,page,once more\n");
    refuses(config, "data set 'clips': 6 entries and 0 invalid ones now, 5 and 0 then");
  }
  SECTION("another file of the same name elsewhere is the same data") {
    fs::copy(world.path("annotations"), world.path("copy"));
    fs::rename(world.path("videos"), world.path("films"));
    config.data.sets[0].annotations = world.path("copy");
    config.data.sets[0].media_root = world.path("films");
    CHECK(train::train(config, {}) == 0);
  }
  SECTION("a file more") {
    write_file_atomically(world.path("annotations/more.csv"),
                          "videoid,page_dir,name\nclip0,page,more\n");
    refuses(config, "more.csv' (38 bytes, SHA-256 ");
  }
  SECTION("other media") {
    fs::copy_file(world.path("videos/page/clip1.mp4"), world.path("videos/page/clip0.mp4"),
                  fs::copy_options::overwrite_existing);
    refuses(config, "data set 'clips', medium of entry 0: '" +
                        world.path("videos/page/clip0.mp4").string() + "' has ");
  }
}

TEST_CASE("provenance: changed base weights") {
  const test::TinyWorld world;
  const RunConfig config = half_run(world);
  const fs::path file = world.path("weights/llama/model.safetensors");
  change_byte(file);
  const std::string change = "model.weights.language_model: '" + file.string() +
                             "' has other content of the same size: SHA-256 ";
  CHECK_THAT(warnings_of(world, [&] { open_saved(world.path("run"), at::kCPU); }),
             Contains(change) && Contains(" now, ") && Contains(" then"));
  refuses(config, change);
}

TEST_CASE("provenance: weights that were moved are the same") {
  const test::TinyWorld world;
  RunConfig config = half_run(world);
  fs::rename(world.path("weights"), world.path("base"));
  config.model.weights.vision_encoder = world.path("base/eva_vit_g.pth");
  config.model.weights.q_former = world.path("base/blip2_qformer.pth");
  config.model.weights.language_model = world.path("base/llama");
  CHECK(train::train(config, {}) == 0);
  CHECK_THROWS_WITH(open_saved(world.path("run/checkpoints/step_000004"), at::kCPU),
                    Contains("needs weights that are not there") &&
                        Contains("model.weights.q_former: '" +
                                 world.path("weights/blip2_qformer.pth").string()) &&
                        Contains("looked for at '"));
}

TEST_CASE("provenance: a replaced parent is told") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("run"), {}) == 0);
  RunConfig config = adapter_run(world);
  REQUIRE(train::train(config, {}) == 0);
  fs::remove_all(world.path("adapters/checkpoints/step_000006"));
  change_byte(world.path("run/checkpoints/step_000006/trainable.safetensors"));
  config.model.weights.saved_step = world.path("run/checkpoints/step_000006/trainable.safetensors");
  const std::string change =
      "model.weights.saved_step: '" + config.model.weights.saved_step + "' has other content";
  CHECK_THAT(warnings_of(world, [&] { open_saved(world.path("adapters"), at::kCPU); }),
             Contains(change));
  refuses(config, change);
}

TEST_CASE("provenance: a parent that is gone is asked for, where it is needed") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("run"), {}) == 0);
  const RunConfig config = adapter_run(world);
  REQUIRE(train::train(config, {}) == 0);
  fs::rename(world.path("run"), world.path("elsewhere"));
  CHECK_THROWS_WITH(open_saved(world.path("adapters"), at::kCPU),
                    Contains("model.weights.saved_step: '" +
                             world.path("run/checkpoints/step_000006").string()) &&
                        Contains("SHA-256 ") && Contains("looked for at '"));
  CHECK_NOTHROW(open_saved(
      world.path("adapters"), at::kCPU,
      {.overrides = {
           "model.weights.saved_step=" +
           world.path("elsewhere/checkpoints/step_000006/trainable.safetensors").string()}}));

  fs::remove_all(world.path("adapters/checkpoints/step_000006"));
  CHECK_THROWS_WITH(train::train(config, {}),
                    Contains("needs weights that are not there") &&
                        Contains("model.weights.saved_step: '" + world.path("run").string() +
                                 "' is not there; it was trained from '") &&
                        Contains("SHA-256 "));
}

TEST_CASE("provenance: a parent that is gone is not missed by a checkpoint that holds all of it") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("run"), {}) == 0);
  RunConfig config = adapter_run(world);
  config.model.trainable = {{.module = models::ModuleName::lora},
                            {.module = models::ModuleName::video_q_former},
                            {.module = models::ModuleName::frame_positions},
                            {.module = models::ModuleName::projection}};
  REQUIRE(train::train(config, {}) == 0);
  fs::remove_all(world.path("adapters/checkpoints/step_000006"));
  fs::remove_all(world.path("run"));
  CHECK_NOTHROW(open_saved(world.path("adapters"), at::kCPU));
  CHECK_NOTHROW(show(config, {.sample = 0, .losses = "", .output = world.path("shown")}));
  // The step's own file stands in the configuration that was recorded.
  config.model.weights.saved_step = world.path("run/checkpoints/step_000006/trainable.safetensors");
  REQUIRE(train::train(config, {}) == 0);
  const auto found = provenance_of_step(newest(config));
  REQUIRE(found);
  CHECK(found->saved_step_modules.size() == 3);
  CHECK(found->weights.back().what == "model.weights.saved_step");
}

TEST_CASE("provenance: base weights of a step that a run starts from are compared") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("run"), {}) == 0);
  change_byte(world.path("weights/llama/model.safetensors"));
  const RunConfig config = adapter_run(world);
  CHECK_THAT(
      warnings_of(world, [&] { REQUIRE(train::train(config, {}) == 0); }),
      Contains("not as the checkpoint '" + world.path("run/checkpoints/step_000006").string()) &&
          Contains("model.safetensors' has other content"));
}

TEST_CASE("provenance: checkpoints that do not record it open, and say so") {
  const test::TinyWorld world;
  const RunConfig config = half_run(world);
  for (const char* name : {"step_000002", "step_000004"}) {
    const fs::path step = world.path("run/checkpoints") / name;
    auto contents = checkpoint::load_step(step);
    contents.contents.texts.erase(kProvenanceFile);
    checkpoint::save_step(world.path("run/checkpoints"), contents.directory.step,
                          contents.contents);
  }
  const std::string said = warnings_of(world, [&] {
    open_saved(world.path("run"), at::kCPU);
    REQUIRE(train::train(config, {}) == 0);
  });
  CHECK_THAT(said, Contains("step_000004' was saved without provenance.json"));
  CHECK(provenance_of_step(newest(config)));
}

TEST_CASE("provenance: pieces of a large file") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "large";
  write_file_atomically(file, "begins");
  const std::streamoff size = (std::streamoff{130} << 20) + 1, piece_bytes = 64 << 10;
  fs::resize_file(file, static_cast<std::uintmax_t>(size));
  const std::string before = inference::piece_hash(file);
  CHECK(inference::sample_hash(file) == before);
  CHECK(inference::piece_hash(file, 2) != before);
  change_byte(file);  // the last one
  const std::string at_end = inference::piece_hash(file);
  CHECK(at_end != before);
  const std::streamoff piece =
      (size - piece_bytes) / std::streamoff{inference::kNumPieces - 1} * 128;
  change_byte(file, size - piece);
  CHECK(inference::piece_hash(file) != at_end);
  change_byte(file, size - piece);
  change_byte(file, size - piece - piece_bytes);  // between two pieces
  CHECK(inference::piece_hash(file) == at_end);
}

TEST_CASE("provenance: large files are known by pieces, and by their time") {
  InputFile then{.what = "w",
                 .path = "/a",
                 .num_bytes = 9,
                 .cover = HashCover::pieces,
                 .hash = "00",
                 .modified_seconds = 100};
  InputFile now = then;
  InputChanges changes;
  add_weight_changes({then}, {now}, changes);
  CHECK(changes.empty());
  now.modified_seconds = 200;
  add_weight_changes({then}, {now}, changes);
  CHECK(changes.certain.empty());
  REQUIRE(changes.possible.size() == 1);
  CHECK_THAT(changes.possible[0], Contains("1970-01-01 00:03:20 UTC") && Contains("as they were"));
  now.modified_seconds = std::numeric_limits<std::int64_t>::max();  // of a hostile record
  CHECK_NOTHROW(add_weight_changes({then}, {now}, changes));
  now.path = "/b";  // a copy has another time
  changes = {};
  add_weight_changes({then}, {now}, changes);
  CHECK(changes.empty());
  now.hash = "11";
  add_weight_changes({then}, {now}, changes);
  CHECK_THAT(changes.certain.at(0), Contains("'/b' (then '/a') has other content"));
}
