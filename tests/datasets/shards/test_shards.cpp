// Media in tar shards: which files a setting names, how members are found, and that every format
// reads from shards what it reads from loose files.
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "datasets/shards/media_root.h"
#include "datasets/shards/tar.h"
#include "media/error.h"
#include "samples/media_builder.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/tar_file.h"
#include "tests/datasets/written_file.h"
#include "tests/support/model_input.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  return names;
}

using Names = std::vector<std::string>;

// All files below a folder, as members of `num_shards` shards in turn, called as they are below it.
std::string shards_of(const fs::path& folder, const fs::path& target, std::size_t num_shards) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  std::ranges::sort(files);
  for (std::size_t shard = 0; shard < num_shards; ++shard) {
    std::vector<std::pair<std::string, std::string>> members;
    for (std::size_t i = shard; i < files.size(); i += num_shards)
      members.emplace_back("./" + fs::relative(files[i], folder).string(), read_file(files[i]));
    write_tar(target / ("media-00" + std::to_string(shard) + ".tar"), members);
  }
  return (target / ("media-{000..00" + std::to_string(num_shards - 1) + "}.tar")).string();
}

}  // namespace

TEST_CASE("shards: a setting names one, a counted series, a pattern, or a folder") {
  const test::TemporaryFolder folder;
  const std::string root = folder.path().string() + "/";
  for (const char* name : {"a-00.tar", "a-01.tar", "a-02.tar", "b-8.tar", "b-9.tar", "b-10.tar",
                           "notes.txt", ".hidden.tar"})
    test::write_below(root + name, "x");
  const auto names = [&](const std::string& text) { return names_of(shard_files(root + text)); };
  CHECK(names("a-01.tar") == Names{"a-01.tar"});
  CHECK(names("a-{00..02}.tar") == Names{"a-00.tar", "a-01.tar", "a-02.tar"});
  CHECK(names("b-{8..10}.tar") == Names{"b-8.tar", "b-9.tar", "b-10.tar"});
  CHECK(names("a-{0..0}{1..2}.tar") == Names{"a-01.tar", "a-02.tar"});
  CHECK(names("a-*.tar") == Names{"a-00.tar", "a-01.tar", "a-02.tar"});
  CHECK(names("") == Names{"a-00.tar", "a-01.tar", "a-02.tar", "b-10.tar", "b-8.tar", "b-9.tar"});

  CHECK_THROWS_WITH(names("a-{00..07}.tar"), Contains("5 of the 8 shards") &&
                                                 Contains("the first is") && Contains("a-03.tar"));
  CHECK_THROWS_WITH(names("c.tar"), Contains("c.tar"));
  CHECK_THROWS_WITH(names("c*.tar"), Contains("c*.tar"));
  for (const char* braces : {"{}", "{1}", "{1..}", "{..2}", "{2..1}", "{a..b}", "{1..2", "{-1..2}",
                             "{1...2}", "{99999999999999999999..2}"})
    CHECK_THROWS_WITH(names(std::string("a-") + braces + ".tar"), Contains("braces count"));
  CHECK_THROWS_WITH(names("a-{0..1000000000}.tar"), Contains("more than"));
  CHECK_THROWS_WITH(names("a-{0..9999}{0..9999}.tar"), Contains("more than"));
  const test::TemporaryFolder empty;
  CHECK_THROWS_WITH(shard_files(empty.path().string()), Contains("has no .tar"));

  CHECK(names_shards("a/b.tar"));
  CHECK(names_shards("a/b-{0..9}.tar"));
  CHECK(!names_shards("a/b"));
  fs::create_directory(root + "folder.tar");
  CHECK(!names_shards(root + "folder.tar"));
}

TEST_CASE("shards: members are found by name, the last of several, first in the same shard") {
  const test::TemporaryFolder folder;
  write_tar(folder.path() / "0.tar", {{"./a/b.mp4", "first"}, {"c.jpg", "other"}});
  write_tar(folder.path() / "1.tar",
            {{"a//b.mp4", "second"}, {"d", ""}, {"a/x/../b.mp4", "third"}});
  write_tar(folder.path() / "2.tar", {{"c.jpg", "another"}});
  const std::string text = folder.path().string() + "/{0..2}.tar";
  const IndexFolder indexes = IndexFolder::open(folder.path() / "indexes");
  for (int round = 0; round < 2; ++round) {
    const Shards shards(text, indexes);
    CHECK(shards.num_members() == 6);
    CHECK(shards.first_member(1) == 2);
    CHECK(shards.first_member(3) == 6);
    const auto content = [&](const std::string& name, std::int64_t preferred = -1) {
      const auto member = shards.find(name, preferred);
      REQUIRE(member);
      return media::OpenRange(shards.range(*member)).read_first(100);
    };
    CHECK(content("a/b.mp4") == "third");
    CHECK(content("a/b.mp4", 0) == "first");
    CHECK(content("a/b.mp4", 1) == "third");
    CHECK(content("a/b.mp4", 2) == "third");
    CHECK(content("c.jpg") == "another");
    CHECK(content("c.jpg", 0) == "other");
    CHECK(content("c.jpg", 1) == "another");
    CHECK(!shards.find("a"));
    CHECK(!shards.find(""));
    CHECK(!shards.find("b.mp4"));
    CHECK(shards.doubtful().count_of_reason() == Counts{{"duplicate_member", 1}});
    CHECK(shards.doubtful().listed()[0].place == folder.path().string() + "/1.tar:a/b.mp4");
    CHECK(shards.range(0).name() == folder.path().string() + "/0.tar:a/b.mp4");
  }
  // A shard that grows has another index.
  write_tar(folder.path() / "2.tar", {{"c.jpg", "another"}, {"e.jpg", "new"}});
  CHECK(Shards(text, indexes).find("e.jpg"));
}

TEST_CASE("shards: members that are no files are counted, with their places") {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "0.tar", std::ios::binary)
      << tar_member("dir/", "", '5') + tar_member("a.mp4", "x") + tar_member("hard", "", '1') +
             tar_member("soft", "", '2') + tar_member("disk", "", '4') +
             tar_member("holes", "y", 'S') + tar_member("label", "z", 'V') + kTarEnd;
  const Shards shards(folder.path().string() + "/0.tar", {});
  CHECK(shards.num_members() == 1);
  CHECK(shards.invalid().count_of_reason() == Counts{{"link_member", 2},
                                                     {"special_member", 1},
                                                     {"sparse_member", 1},
                                                     {"unknown_member", 1}});
  CHECK(shards.invalid().listed()[0].place == folder.path().string() + "/0.tar:hard");
}

TEST_CASE("shards: many are read in threads, and the first broken one is named") {
  const test::TemporaryFolder folder;
  for (int i = 100; i < 300; ++i)
    write_tar(folder.path() / (std::to_string(i) + ".tar"), {{std::to_string(i) + ".jpg", "x"}});
  const std::string text = folder.path().string() + "/{100..299}.tar";
  const Shards shards(text, {});
  REQUIRE(shards.num_members() == 200);
  for (int i = 0; i < 200; ++i) CHECK(shards.name(i) == std::to_string(100 + i) + ".jpg");
  for (int i = 120; i < 300; ++i)
    fs::resize_file(folder.path() / (std::to_string(i) + ".tar"), 700);
  CHECK_THROWS_WITH(Shards(text, {}), Contains("120.tar"));
}

TEST_CASE("every format reads from shards what it reads from loose files") {
  const test::TemporaryFolder work;
  const fs::path loose = work.path() / "loose";
  for (const char* name :
       {"p_q/007.mp4", "v_1.webm", "v_2.mp4", "2.jpg", "a.jpg", "sub/COCO_a b.jpg", "a.mp4",
        "-a_30.wav", "b.m4a", "Bob's, 1.wav", "c.wav", "dots.in.name.mp4"})
    test::write_below(loose / name, std::string("content of ") + name);
  const std::string shards = shards_of(loose, work.path(), 3);
  const std::string chat =
      R"("conversations":[{"from":"human","value":"<image>\n?"},{"from":"gpt","value":"x"}])";
  struct Case {
    std::string format, file, annotations, prefix;
  };
  const std::vector<Case> cases = {
      {"webvid", "rows.csv", "videoid,page_dir,name\n007,p_q,x\nnone,p_q,y\n", ""},
      {"cc_sbu_align", "rows.json", R"({"annotations":[{"image_id":"2","caption":"x"}]})", ""},
      {"cc595k", "rows.json",
       R"([{"id":"1","image":"a.jpg","conversations":[{"from":"gpt","value":"x"}]}])", ""},
      {"llava_instruct", "rows.json", R"([{"id":1,"image":"sub/a b.jpg",)" + chat + "}]", "COCO_"},
      {"videochat_instruct", "rows.json",
       R"([{"video":"./p_q/../a.mp4","start":1,"QA":[{"q":"?","a":"x"}]}])", ""},
      {"video_instruct_100k", "rows.json",
       R"([{"q":"?","a":"x","video_id":"v_1"},{"q":"?","a":"x","video_id":"v_2"},
           {"q":"?","a":"x","video_id":"dots.in.name"},{"q":"?","a":"x","video_id":"v_3"}])",
       ""},
      {"audiocaps", "rows.csv",
       "audiocap_id,youtube_id,start_time,caption\n1,-a,30,x\n2,b,5,y\n3,none,0,z\n", ""},
      {"clotho", "rows.csv",
       "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n\"Bob's, 1.wav\",a,b,,d,e\n",
       ""},
      {"vllama", "rows.jsonl",
       R"({"id":"1","caption":"x","media":[{"audio":"c.wav","end":2},{"image":"a.jpg"}]})", ""}};
  for (const Case& tried : cases) {
    INFO(tried.format);
    const AnnotationFile file(tried.annotations, tried.file);
    const auto from_files = file.open(tried.format, loose, tried.prefix);
    const auto from_shards = file.open(tried.format, shards, tried.prefix);
    REQUIRE(from_shards->size() == from_files->size());
    int num_present = 0;
    for (std::int64_t i = 0; i < from_files->size(); ++i) {
      const Record expected = from_files->record(i), record = from_shards->record(i);
      CHECK(record.id == expected.id);
      CHECK(record.conversation.turns[0].answer == expected.conversation.turns[0].answer);
      REQUIRE(record.media.size() == expected.media.size());
      for (std::size_t m = 0; m < record.media.size(); ++m) {
        const samples::MediaFile &medium = record.media[m], &loose_medium = expected.media[m];
        CHECK(medium.kind == loose_medium.kind);
        CHECK(medium.start_seconds == loose_medium.start_seconds);
        CHECK(medium.end_seconds == loose_medium.end_seconds);
        CHECK(medium.source.member ==
              fs::relative(loose_medium.source.path, loose).lexically_normal());
        REQUIRE(medium.source.is_absent() == !fs::exists(loose_medium.source.path));
        if (medium.source.is_absent()) continue;
        ++num_present;
        CHECK(media::OpenRange(medium.source).read_first(1000) ==
              read_file(loose_medium.source.path));
      }
    }
    CHECK(num_present > 0);
  }
}

TEST_CASE("shards: absolute paths are files beside them, absent members say where they are not") {
  const test::TemporaryFolder work;
  test::write_below(work.path() / "loose.jpg", "x");
  const fs::path shard = write_tar(work.path() / "0.tar", {{"a.jpg", "y"}});
  const AnnotationFile file(R"({"id":"1","caption":"x","media":[{"image":")" +
                                (work.path() / "loose.jpg").string() +
                                R"("},{"image":"../none.jpg"}]})",
                            "rows.jsonl");
  const Record record = file.open("vllama", shard)->record(0);
  CHECK(record.media[0].source == work.path() / "loose.jpg");
  CHECK(record.media[1].source.is_absent());
  CHECK(record.media[1].source.name() == shard.string() + ":../none.jpg");
  CHECK_THROWS_WITH(media::OpenRange(record.media[1].source), Contains("no such member"));
}

TEST_CASE("real media in shards make the same inputs of the model, and broken ones say which") {
  VLLAMA_SHARED_FILE(folder, "fixtures/media");
  const test::TemporaryFolder work;
  const std::string shards = shards_of(folder, work.path(), 2);
  const MediaRoot root = MediaRoot::open(shards, {});
  const samples::MediaConfig config{.num_frames = 4};
  const samples::ModelInput model = test::both_inputs({28, 5, 32}, {42, 3, 8});
  const samples::MediaBuilder builder("set", config, {}, model);
  const auto build = [&](const media::FileRange& source, MediaKind kind) {
    samples::MediaFile file{.source = source, .kind = kind};
    if (kind != MediaKind::image) file.end_seconds = 3;
    samples::StageSeconds seconds;
    return builder.build(file, {.seed = 7}, 0, seconds);
  };
  int num_equal = 0, num_broken = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().filename().string();
    INFO(name);
    const std::string extension = entry.path().extension();
    const MediaKind kind = extension == ".jpg"   ? MediaKind::image
                           : extension == ".wav" ? MediaKind::sound
                                                 : MediaKind::video;
    const media::FileRange source = root.file(name);
    std::string loose_problem, problem;
    samples::BuiltMedium expected, built;
    try {
      expected = build(entry.path(), kind);
    } catch (const media::MediaError& error) {
      loose_problem = error.what();
    }
    try {
      built = build(source, kind);
    } catch (const media::MediaError& error) {
      problem = error.what();
    }
    REQUIRE(built.inputs.size() == expected.inputs.size());
    CHECK(built.time_message == expected.time_message);
    for (std::size_t i = 0; i < built.inputs.size(); ++i) {
      const auto &values = built.inputs[i].values, &wanted = expected.inputs[i].values;
      REQUIRE(values.sizes() == wanted.sizes());
      CHECK(std::memcmp(values.const_data_ptr(), wanted.const_data_ptr(), values.nbytes()) == 0);
      ++num_equal;
    }
    if (loose_problem.empty()) continue;
    // The same message, but for the name.
    ++num_broken;
    CHECK_THAT(problem, Contains(source.path.string() + ":" + name));
    problem.replace(problem.find(source.name()), source.name().size(), entry.path().string());
    CHECK(problem == loose_problem);
  }
  CHECK(num_equal > 10);
  CHECK(num_broken >= 2);
}

}  // namespace vllama::datasets
