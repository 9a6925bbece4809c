// Published annotations through the program: conversions that the own format finds again, and texts
// of files that a terminal shows.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "datasets/formats/open_dataset.h"
#include "datasets/shards/media_root.h"
#include "tests/datasets/utf16_text.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

class Workshop {
 public:
  fs::path write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
    return folder_.path() / name;
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  test::Outcome convert(const std::string& format, const fs::path& annotations,
                        const std::string& media = "media") const {
    return test::run_program(fmt::format(
        "convert --format {} --annotations '{}' --media-root '{}' --output '{}'", format,
        annotations.string(), path(media).string(), path("out.jsonl").string()));
  }

  // How many of the media that the last conversion names are there, of all.
  std::pair<std::int64_t, std::int64_t> media_found(const std::string& media = "media") const {
    datasets::DatasetConfig config;
    config.name = config.format = "vllama";
    config.annotations = path("out.jsonl");
    config.media_root = path(media);
    const auto dataset = datasets::open_dataset(config);
    std::int64_t num_there = 0, num_media = 0;
    for (std::int64_t i = 0; i < dataset->size(); ++i)
      for (const auto& medium : dataset->record(i).media) {
        ++num_media;
        num_there += datasets::is_there(medium.source);
      }
    return {num_there, num_media};
  }

 private:
  test::TemporaryFolder folder_;
};

using Found = std::pair<std::int64_t, std::int64_t>;

// No control character but the end of a line, and no other way to steer a terminal.
void check_clean(const std::string& output) {
  CAPTURE(output);
  for (const char byte : output) CHECK((byte == '\n' || static_cast<unsigned char>(byte) >= ' '));
  for (const std::string mark : {"\x7f", "\xc2\x9b", "\xc2\x85", "\xe2\x80\xae", "\xe2\x81\xa6"})
    CHECK(output.find(mark) == std::string::npos);
}

}  // namespace

TEST_CASE("annotations: what is converted is found again, whatever the names are") {
  const Workshop shop;
  for (const char* name : {"my_000.mp4", "v_abc.webm", "a.b_c.mkv", "abc_12.5_20.0.avi", " x.mp4",
                           "end .mp4", "UP.MOV", "bare", "p.jpg", "s.wav"})
    shop.write(std::string("media/") + name, "x");
  const auto instruct = shop.write(
      "instruct.json",
      R"([{"q":"?","a":"x","video_id":"my_000.mp4"},{"q":"?","a":"x","video_id":"my_000"},
          {"q":"?","a":"x","video_id":"v_abc"},{"q":"?","a":"x","video_id":"a.b_c"},
          {"q":"?","a":"x","video_id":"abc_12.5_20.0"},{"q":"?","a":"x","video_id":" x"},
          {"q":"?","a":"x","video_id":"end "},{"q":"?","a":"x","video_id":"UP"},
          {"q":"?","a":"x","video_id":"bare"}])");
  const auto outcome = shop.convert("video_instruct_100k", instruct);
  CAPTURE(outcome.output);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Contains("9 converted to") && !Contains("not there"));
  CHECK(shop.media_found() == Found{9, 9});
  CHECK(read_file(shop.path("out.jsonl")).find(".mp4.mp4") == std::string::npos);

  const auto mixed = shop.write(
      "mixed.jsonl",
      "{\"id\":1,\"video\":\"v_abc\",\"image\":\"p\",\"conversations\":[{\"from\":\"human\","
      "\"value\":\"<video><image>\"},{\"from\":\"gpt\",\"value\":3}]}\n"
      "{\"id\":2,\"audio\":\"s\",\"conversations\":[{\"from\":\"human\",\"value\":\"<audio>\"},"
      "{\"from\":\"gpt\",\"value\":\"x\"}]}\n");
  CHECK(shop.convert("llava_video", mixed).status == 0);
  CHECK(shop.media_found() == Found{3, 3});
}

TEST_CASE("annotations: a conversion says which media are not there, and what was looked for") {
  const Workshop shop;
  shop.write("media/a.mp4", "x");
  const auto file = shop.write(
      "a.json", R"([{"q":"?","a":"x","video_id":"a"},{"q":"?","a":"x","video_id":"gone"}])");
  const auto outcome = shop.convert("video_instruct_100k", file);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output,
             Contains("2 converted to") && Contains("1 of them name media that are not there") &&
                 Contains("gone, gone.mp4, gone.mkv, gone.webm, gone.avi, gone.mov"));
}

TEST_CASE("reports: conversions of the published names") {
  VLLAMA_SHARED_FILE(reports, "reports/annotations");
  const Workshop shop;
  for (const char* name :
       {"v_abc.mp4", "v_xyz.mp4", " street at night.wav", "rain on a tent.wav", "a.mp4", "b.jpg"})
    shop.write(std::string("media/") + name, "x");
  const auto check = [&](const std::string& format, const char* file, std::int64_t num_media) {
    INFO(file);
    const auto outcome = shop.convert(format, reports / file);
    CAPTURE(outcome.output);
    CHECK(outcome.status == 0);
    CHECK(shop.media_found() == Found{num_media, num_media});
    check_clean(outcome.output);
  };
  check("video_instruct_100k", "video_llava_tune.json", 3);
  check("clotho", "clotho_names_with_space.csv", 10);
  check("llava_video", "mixed.json", 6);
  check("llava_instruct", "mixed.json", 6);
  check("videochat_instruct", "videochat2_instruction_in_i.json", 1);
  CHECK_THAT(read_file(shop.path("out.jsonl")), Contains("Give a short account"));
  for (const char* file : {"lines.jsonl", "concatenated.json"}) check("llava_instruct", file, 2);
  for (const char* file : {"utf16.json", "bom.json", "escape.json"})
    check("llava_instruct", file, 1);
}

TEST_CASE("annotations: no text of a file steers the terminal") {
  const Workshop shop;
  const std::string evil =
      "\x1b]0;owned\x07\x1b[31m\x7f\xc2\x9b"
      "2J\xe2\x80\xae";
  const auto refused = [&](const std::string& format, const fs::path& file) {
    const auto outcome = shop.convert(format, file);
    CHECK(outcome.status == 2);
    check_clean(outcome.output);
    return outcome.output;
  };
  // Column names, keys, roles, names of files and folders.
  CHECK_THAT(refused("webvid", shop.write("a.csv", "videoid,page_dir," + evil + "\n1,d,x\n")),
             Contains("\\x1b]0;owned\\x07"));
  refused("llava_instruct", shop.write("a.json", "[{\"" + evil.substr(20) + "\":1}]"));
  refused("llava_instruct", shop.write("b.json", "[\"\\ud83d" + evil + "\"]"));
  refused("cc_sbu_align", shop.write("c.json", "{\"\\u001b[31m" + evil.substr(18) + "\":[]}"));
  refused("llava_instruct", shop.write(evil + ".json", "["));
  refused("llava_instruct", shop.path("no/" + evil));
  const std::string row =
      R"({"id":"a","image":"b.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":"x"}]})";
  const auto kept = shop.convert(
      "llava_instruct",
      shop.write("d.json",
                 "[" + row + R"(,{"id":"b","image":"b.jpg","conversations":[)" +
                     R"({"from":"\u001b[31mrobot\u0007\u009b\u202e\u007f","value":"<image>"}]}])"));
  CHECK(kept.status == 0);
  check_clean(kept.output);
  CHECK_THAT(kept.output, Contains("\\x1b[31mrobot"));
  // What the command line itself quotes.
  const auto unknown = test::run_program("\"$(printf 'tr\\033[31mian\\007')\"");
  CHECK(unknown.status == 2);
  check_clean(unknown.output);
}

TEST_CASE("reports: control characters of the published files stay in them") {
  VLLAMA_SHARED_FILE(table, "reports/annotations/escape.csv");
  VLLAMA_SHARED_FILE(list, "reports/annotations/escape.json");
  const Workshop shop;
  check_clean(shop.convert("webvid", table).output);
  check_clean(shop.convert("llava_instruct", list).output);
}

TEST_CASE("annotations: ids and paths of a run are clean on the terminal and in its files") {
  const test::TinyWorld world;
  const std::string evil =
      "\x1b[31m\x07\xc2\x9b"
      "2J\xe2\x80\xae";
  const fs::path table = world.path("annotations/clips.csv");
  std::string rows = read_file(table);
  // A folder of that name, which is not there.
  for (int i = 0; i < 4; ++i) rows += fmt::format("{}{},{},\"a dog {}\"\n", evil, i, evil, evil);
  write_file_atomically(table, rows);
  train::RunConfig run = world.run("run");
  run.data.max_broken_share = 1;
  const auto config = test::write_config(run, world.path("run.yaml"));
  for (const std::string command : {"check", "check --json", "train"}) {
    INFO(command);
    const auto outcome = test::run_program(fmt::format("{} '{}'", command, config.string()));
    check_clean(outcome.output);
  }
  for (const char* file : {"run/log.txt", "run/dropped.jsonl"})
    if (fs::exists(world.path(file))) check_clean(read_file(world.path(file)));
}
