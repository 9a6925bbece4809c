// Whole runs on tar shards through the program: converted, checked, shown and trained on.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <thread>

#include "core/files.h"
#include "datasets/shards/shards.h"
#include "tests/datasets/tar_file.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

class ShardWorld : public test::TinyWorld {
 public:
  ShardWorld() {
    const auto outcome = test::run_program(fmt::format(
        "convert --format webvid --annotations '{}' --media-root '{}' --shards '{}' "
        "--shard-size-bytes 5000",
        path("annotations").string(), path("videos").string(), path("shards").string()));
    CAPTURE(outcome.output);
    REQUIRE(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains("5 converted to"));
  }

  // A run on the shards alone.
  train::RunConfig run_on_shards(const std::string& name) const {
    train::RunConfig config = run(name);
    auto& set = config.data.sets[0];
    set.format = "webdataset";
    set.annotations = path("shards");
    set.media_root = "";
    config.data.conversations.max_tokens = 64;  // the format may have some
    return config;
  }

  // A run on the annotations as they were, with the media in shards.
  train::RunConfig run_on_media_shards(const std::string& name) const {
    std::vector<std::pair<std::string, std::string>> members;
    for (const auto& entry : fs::recursive_directory_iterator(path("videos")))
      if (entry.is_regular_file())
        members.emplace_back(fs::relative(entry.path(), path("videos")).string(),
                             read_file(entry.path()));
    datasets::write_tar(path("media-0.tar"), members);
    train::RunConfig config = run(name);
    config.data.sets[0].media_root = path("media-{0..0}.tar");
    return config;
  }

  test::Outcome vllama(const std::string& command, const train::RunConfig& config,
                       const std::string& options = "") const {
    const auto file = test::write_config(config, path(command + ".yaml"));
    return test::run_program(fmt::format("{} '{}' {}", command, file.string(), options));
  }
};

std::int64_t count_of(const std::string& text, const std::string& word) {
  std::int64_t found = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("program: a run on shards computes what the run on loose files does") {
  const ShardWorld world;
  const auto loose = world.run("loose"), shards = world.run_on_shards("shards_run"),
             media = world.run_on_media_shards("media_run");
  for (const auto* config : {&loose, &shards, &media}) {
    const auto outcome = world.vllama("train", *config);
    CAPTURE(outcome.output);
    REQUIRE(outcome.status == 0);
  }
  CHECK(test::losses(loose).size() == 6);
  CHECK(test::losses(shards) == test::losses(loose));
  CHECK(test::losses(media) == test::losses(loose));
}

TEST_CASE("program: check and show name members of shards") {
  const ShardWorld world;
  train::RunConfig config = world.run_on_shards("run");
  const auto fine = world.vllama("check", config);
  CAPTURE(fine.output);
  CHECK(fine.status == 0);
  const auto shown = world.vllama("show", config, "--sample 3");
  CHECK(shown.status == 0);
  CHECK_THAT(shown.output, Contains("shard-00003.tar:000000003.mp4"));

  // A clip whose bytes are no longer those of a clip.
  const datasets::Shards shards(world.path("shards"), {});
  const auto member = shards.find("000000003.mp4");
  REQUIRE(member);
  const auto range = shards.range(*member);
  std::fstream file(range.path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(range.offset_bytes);
  file << std::string(static_cast<std::size_t>(*range.num_bytes), '\0');
  file.close();
  const auto broken = world.vllama("check", config);
  CHECK(broken.status == 2);
  CHECK_THAT(broken.output, Contains("1 of 5 samples would be dropped as not_media") &&
                                Contains("shard-00003.tar:000000003.mp4"));

  config = world.run_on_media_shards("run");
  datasets::write_tar(world.path("media-0.tar"), {{"other.mp4", "x"}});
  const auto missing = world.vllama("check", config);
  CHECK(missing.status == 2);
  CHECK_THAT(missing.output,
             Contains("the media of 5 of 5 records are absent") && Contains("media-{0..0}.tar:"));
  fs::resize_file(range.path, 100);
  const auto cut = world.vllama("check", world.run_on_shards("run"));
  CHECK(cut.status == 2);
  CHECK_THAT(cut.output, Contains("shard-00003.tar' is cut or damaged") && Contains("at byte 0"));
}

TEST_CASE("program: of several processes on a node one indexes") {
  const ShardWorld world;
  train::RunConfig config = world.run_on_shards("run");
  config.data.index_folder = world.path("indexes");
  const auto file = test::write_config(config, world.path("run.yaml"));
  std::vector<test::Outcome> outcomes(3);
  {
    std::vector<std::jthread> threads;
    for (auto& outcome : outcomes)
      threads.emplace_back(
          [&] { outcome = test::run_program("check '" + file.string() + "' --media none"); });
  }
  std::int64_t num_indexed = 0;
  for (const auto& outcome : outcomes) {
    CAPTURE(outcome.output);
    CHECK(outcome.status == 0);
    num_indexed += count_of(outcome.output, "indexed '");
  }
  CHECK(num_indexed == 2);  // the shards, and their samples
  std::int64_t num_files = 0;
  for (const auto& entry : fs::directory_iterator(world.path("indexes")))
    num_files += entry.path().extension() == ".index";
  CHECK(num_files == 2);
}
