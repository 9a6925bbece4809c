// A small world in a folder: our own readers take every file, any call gives the same bytes, and
// mistakes are refused with what to change.
#include <catch2/catch.hpp>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "datasets/formats/open_dataset.h"
#include "eval/tasks/open_task.h"
#include "media/audio.h"
#include "media/image.h"
#include "media/video.h"
#include "tests/support/child.h"
#include "tests/support/fixtures.h"
#include "tests/support/folder_contents.h"
#include "toy_world/files/world_plan.h"
#include "toy_world/files/write_world.h"

using namespace vllama;
using namespace vllama::toy;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

const WorldConfig kSmall{.seed = 3,
                         .num_videos = 20,
                         .num_images = 12,
                         .num_test = 8,
                         .num_sounds = 5,
                         .num_movers = 6,
                         .num_long = 1};

const ReportProgress kSilent = [](std::int64_t, std::int64_t) {};

// Written once for all tests that only read.
const fs::path& small_world() {
  static const test::TemporaryFolder kFolder;
  static const bool kIsWritten = write_world(kFolder.path(), kSmall, 2, kSilent).num_written > 0;
  REQUIRE(kIsWritten);
  return kFolder.path();
}

std::string refusal(const fs::path& folder, const WorldConfig& config) {
  try {
    write_world(folder, config, 1, kSilent);
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

void check_dataset(const std::string& format, const std::string& annotations,
                   const std::string& media_root, std::int64_t count) {
  CAPTURE(annotations);
  datasets::DatasetConfig config;
  config.name = annotations;
  config.format = format;
  config.annotations = small_world() / "annotations" / annotations;
  config.media_root = small_world() / media_root;
  const auto dataset = datasets::open_dataset(config);
  CHECK(dataset->size() == count);
  CHECK(dataset->invalid().total() == 0);
  CHECK(dataset->doubtful().total() == 0);
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    const datasets::Record record = dataset->record(i);
    REQUIRE(record.media.size() == 1);
    CHECK(fs::exists(record.media[0].source.file_name()));
  }
}

std::int64_t count_about_time() {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < kSmall.num_videos; ++i)
    count += scene_of(kSmall.seed, Split::train_videos, i).form != Form::still;
  return count;
}

eval::Task check_task(const std::string& format, const std::string& annotations,
                      const std::string& media_root, const std::string& answers = "") {
  CAPTURE(annotations);
  eval::TaskConfig config;
  config.name = annotations;
  config.format = format;
  config.annotations = small_world() / "annotations" / annotations;
  if (!answers.empty()) config.answers = small_world() / "annotations" / answers;
  config.media_root = small_world() / media_root;
  const eval::Task task = eval::open_task(config);
  CHECK_FALSE(task.questions.empty());
  for (const eval::Question& question : task.questions) CHECK(question.medium);
  return task;
}

}  // namespace

TEST_CASE("world: our readers take all annotations, and every medium is there") {
  check_dataset("webvid", "webvid.csv", "videos", 20);
  check_dataset("webvid", "captions_seen.csv", "videos", 8);
  check_dataset("webvid", "captions_unseen.csv", "videos", 8);
  check_dataset("cc595k", "chat.json", "images/train", 12);
  check_dataset("cc_sbu_align", "filter_cap.json", "images/train", 12);
  check_dataset("llava_instruct", "llava_instruct.json", "images/train", 12);
  check_dataset("llava_instruct", "llava_only_yes.json", "images/train", 12);
  check_dataset("videochat_instruct", "videochat_instruct.json", "videos", 20);
  check_dataset("videochat_instruct", "videochat_only_yes.json", "videos", 20);
  check_dataset("videochat_instruct", "videochat_time.json", "videos", count_about_time());
  check_dataset("videochat_instruct", "movers.json", "videos", 6);
  check_dataset("webvid", "movers.csv", "videos", 6);
  check_dataset("audiocaps", "audiocaps.csv", "sounds/train", 5);
  check_dataset("vllama", "sound_dialogues.jsonl", "sounds/train", 5);
  check_dataset("audiocaps", "audiocaps_test.csv", "sounds/test", 8);
}

TEST_CASE("world: our tasks take all questions, and every medium is asked about") {
  for (const std::string split : {"seen", "unseen"}) {
    const std::string videos = "videos/test_" + split;
    for (const std::string questions : {"questions_", "hearing_"})
      CHECK(check_task("questions", questions + split + ".jsonl", videos).num_unused_media == 0);
    CHECK(check_task("pope", "probes_" + split + ".jsonl", videos).questions.size() == 8 * 4);
    check_task("activitynet_qa", "activitynet_" + split + "_q.json", videos,
               "activitynet_" + split + "_a.json");
  }
  CHECK(
      check_task("questions", "questions_one_sounds.jsonl", "videos/one_sounds").questions.size() ==
      8 * 3);
  const auto sounds = check_task("questions", "hearing_sounds.jsonl", "sounds/test");
  for (const eval::Question& question : sounds.questions)
    CHECK(question.medium->kind == MediaKind::sound);
  for (const std::string length : {"8", "16", "32", "64"})
    check_task("questions", "questions_long_" + length + "s.jsonl", "videos/long_" + length + "s");
}

TEST_CASE("world: media decode whole") {
  std::map<std::string, int> num_of_folder;
  for (const auto& [name, bytes] : test::folder_contents(small_world())) {
    CAPTURE(name);
    const fs::path file = small_world() / name;
    ++num_of_folder[fs::path(name).parent_path()];
    if (file.extension() == ".mp4") {
      media::VideoReader video(file);
      const auto seconds = name.starts_with("videos/long_")
                               ? std::stoi(name.substr(std::string("videos/long_").size()))
                               : 8;
      REQUIRE(video.facts().num_frames == 4 * seconds);
      CHECK(video.facts().width == 56);
      CHECK(media::read_audio(file).num_samples() == 16000 * seconds);
      std::vector<std::int64_t> all(static_cast<std::size_t>(4 * seconds));
      std::iota(all.begin(), all.end(), 0);
      CHECK(video.frames(all).num_concealed == 0);
    } else if (file.extension() == ".wav") {
      CHECK(media::read_audio(file).num_samples() == 128000);
    } else if (file.extension() == ".jpg") {
      CHECK(media::read_image(file).height == 56);
    }
  }
  CHECK(num_of_folder["videos/train"] == 20);
  CHECK(num_of_folder["videos/test_unseen"] == 8);
  CHECK(num_of_folder["videos/movers"] == 6);
  CHECK(num_of_folder["images/train"] == 12);
  CHECK(num_of_folder["sounds/train"] == 5);
  CHECK(num_of_folder["sounds/test"] == 8);
}

TEST_CASE("world: the same seed gives the same bytes, on any number of workers") {
  const test::TemporaryFolder folder;
  WorldConfig config = kSmall;
  std::int64_t num_reports = 0;
  const auto written = write_world(folder.path(), config, 5, [&](std::int64_t done, std::int64_t) {
    CHECK(done == ++num_reports);
  });
  CHECK(written.num_found == 0);
  CHECK(test::folder_contents(folder.path()) == test::folder_contents(small_world()));
  const test::TemporaryFolder other;
  config.seed = 4;
  write_world(other.path(), config, 2, kSilent);
  const auto files = test::folder_contents(small_world());
  for (const auto& [name, bytes] : test::folder_contents(other.path()))
    CHECK((files.contains(name) && files.at(name) != bytes));
}

TEST_CASE("world: what is missing is made again, the same") {
  const test::TemporaryFolder folder;
  fs::copy(small_world(), folder.path(), fs::copy_options::recursive);
  const auto before = test::folder_contents(folder.path());
  for (const char* name : {"videos/train/train_000007.mp4", "videos/long_32s/long_32s_000000.mp4",
                           "images/train/000000011.jpg", "sounds/test/test_000003_0.wav",
                           "annotations/questions_seen.jsonl", "annotations/webvid.csv"})
    REQUIRE(fs::remove(folder.path() / name));
  fs::resize_file(folder.path() / "videos/train/train_000008.mp4", 0);  // as after a power cut
  write_file_atomically(folder.path() / "videos/train/train_000007.mp4.tmp", "half a clip");
  const auto written = write_world(folder.path(), kSmall, 2, kSilent);
  CHECK(written.num_written == 7);
  CHECK(written.num_found == before.size() - 1 - 7);  // world.json is no part of the count
  CHECK(test::folder_contents(folder.path()) == before);
}

TEST_CASE("world: parts that are not wanted are left out") {
  const test::TemporaryFolder folder;
  WorldConfig config = kSmall;
  config.num_videos = config.num_images = config.num_test = 1;
  config.num_sounds = config.num_movers = config.num_long = 0;
  write_world(folder.path(), config, 1, kSilent);
  for (const auto& [name, bytes] : test::folder_contents(folder.path())) {
    CHECK(name != "annotations/audiocaps.csv");
    CHECK(name != "annotations/movers.json");
    CHECK(name.find("long") == std::string::npos);
    CHECK_FALSE(bytes.empty());
  }
}

TEST_CASE("world: folders that are something else") {
  const test::TemporaryFolder folder;
  const fs::path taken = folder.path() / "taken";
  fs::create_directories(taken);
  write_file_atomically(taken / "letter.txt", "dear");
  CHECK_THAT(refusal(taken, kSmall), Contains("taken' is not empty and holds no world.json") &&
                                         Contains("name a folder that is new or empty"));
  write_file_atomically(taken / "world.json", "[1");
  CHECK_THAT(refusal(taken, kSmall), Contains("not of a toy world"));
  write_file_atomically(taken / "world.json", R"({"kind": "vllama toy world", "version": 99})");
  CHECK_THAT(refusal(taken, kSmall), Contains("version 99") && Contains("another version"));
  CHECK_THAT(refusal(taken / "letter.txt", kSmall), Contains("cannot be created"));
  CHECK_THAT(refusal(taken / "letter.txt/world", kSmall), Contains("cannot be created"));
  CHECK_THAT(refusal("/proc/world", kSmall), Contains("'/proc/world' cannot be created"));
  CHECK(test::folder_contents(taken).size() == 2);
}

TEST_CASE("world: another seed or size than that of the folder") {
  WorldConfig config = kSmall;
  config.seed = 99;
  CHECK_THAT(refusal(small_world(), config),
             Contains("--seed 3, not 99") && Contains("the same options"));
  config = kSmall;
  config.num_images = 13;
  CHECK_THAT(refusal(small_world(), config), Contains("--images 12, not 13"));
}

TEST_CASE("world: sizes without sense") {
  const test::TemporaryFolder folder;
  const auto refused = [&](std::int64_t WorldConfig::*number, std::int64_t value) {
    WorldConfig config = kSmall;
    config.*number = value;
    const std::string message = refusal(folder.path(), config);
    CHECK(fs::is_empty(folder.path()));
    return message;
  };
  CHECK_THAT(refused(&WorldConfig::num_videos, 0), Contains("--videos is 0, but must be 1 to"));
  CHECK_THAT(refused(&WorldConfig::num_test, -1), Contains("--test is -1"));
  CHECK_THAT(refused(&WorldConfig::num_images, std::int64_t{1} << 62), Contains("--images"));
  CHECK_THAT(refused(&WorldConfig::num_long, 1'000'001), Contains("0 to 1000000"));
}

TEST_CASE("world: a disk that is too small, or fills up") {
  const std::string message = test::text_from_child([] {
    const test::TemporaryFolder folder;
    const fs::path disk = folder.path() / "disk";
    fs::create_directories(disk);
    if (!test::mount_small_disk(disk, 64 << 20)) return std::string("no mounts");
    WorldConfig large = kSmall;
    large.num_videos = 10000;
    std::string said = refusal(disk / "world", large) + "\n";
    fs::remove_all(disk / "world");
    write_world(disk / "world", kSmall, 1, kSilent);
    fs::remove_all(disk / "world/videos");
    const std::string filler(1 << 20, 'x');
    try {
      for (int i = 0;; ++i) write_file_atomically(disk / ("filler" + std::to_string(i)), filler);
    } catch (const RunFailure&) {
    }
    try {
      write_world(disk / "world", kSmall, 1, kSilent);
    } catch (const RunFailure& failure) {
      said += failure.what();
    }
    return said;
  });
  if (message == "no mounts") {
    WARN("this machine permits no mounts: a full disk was not tried");
    return;
  }
  CHECK_THAT(message, Contains("GB left: ask for fewer files"));
  CHECK_THAT(message, Contains("No space left on device") && Contains("videos/"));
}
