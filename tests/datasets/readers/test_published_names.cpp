// Names of media as published files have them, and records with several media: situations of public
// reports, from the files beside the checkout and from those that are made here.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "datasets/convert/convert.h"
#include "datasets/shards/media_root.h"
#include "tests/datasets/annotation_file.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using text::MediaPlace;
namespace fs = std::filesystem;

class MediaFolder {
 public:
  explicit MediaFolder(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      fs::create_directories((folder_.path() / name).parent_path());
      std::ofstream(folder_.path() / name) << "x";
    }
  }
  const fs::path& path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

std::unique_ptr<Dataset> open(const fs::path& annotations, const std::string& format,
                              const fs::path& media_root) {
  DatasetConfig config;
  config.name = config.format = format;
  config.annotations = annotations;
  config.media_root = media_root;
  return open_dataset(config);
}

// The names of the first media, below the folder; "?" in front of those that are not there.
std::vector<std::string> names(const Dataset& dataset, const fs::path& folder) {
  std::vector<std::string> found;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    const auto source = dataset.record(i).media.at(0).source;
    std::string name = source.path.string().substr((folder / "").string().size());
    if (!is_there(source)) name.insert(0, 1, '?');
    found.push_back(std::move(name));
  }
  return found;
}

// A conversion finds the same files, and says that all are there.
void check_conversion(const Dataset& dataset, const fs::path& folder) {
  const test::TemporaryFolder out;
  tables::EntryTally missing;
  CHECK(convert(dataset, folder, out.path() / "out.jsonl", &missing) == dataset.size());
  CHECK(missing.total() == 0);
  const auto converted = open(out.path() / "out.jsonl", "vllama", folder);
  CHECK(names(*converted, folder) == names(dataset, folder));
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("names: an extension is appended only where there is none") {
  const MediaFolder media({"v_abc.mp4", "a.b_c.webm", "abc_12.5_20.0.mkv", "UP.MP4", "bare",
                           "dir/x.mov", "clip.m4v", "v_abc.mp4.mp4"});
  fs::create_directories(media.path() / "folder.d");
  std::ofstream(media.path() / "folder.d.avi") << "x";
  const AnnotationFile file(
      R"([{"q":"?","a":"x","video_id":"v_abc.mp4"},{"q":"?","a":"x","video_id":"v_abc"},
          {"q":"?","a":"x","video_id":"a.b_c"},{"q":"?","a":"x","video_id":"abc_12.5_20.0"},
          {"q":"?","a":"x","video_id":"UP"},{"q":"?","a":"x","video_id":"UP.MP4"},
          {"q":"?","a":"x","video_id":"bare"},{"q":"?","a":"x","video_id":"dir/x"},
          {"q":"?","a":"x","video_id":"clip.m4v"},{"q":"?","a":"x","video_id":"folder.d"}])");
  const auto dataset = file.open("video_instruct_100k", media.path());
  CHECK(names(*dataset, media.path()) == Names{"v_abc.mp4", "v_abc.mp4", "a.b_c.webm",
                                               "abc_12.5_20.0.mkv", "UP.MP4", "UP.MP4", "bare",
                                               "dir/x.mov", "clip.m4v", "folder.d.avi"});
  check_conversion(*dataset, media.path());
}

TEST_CASE("names: all that were tried are told where a medium is not there") {
  const MediaFolder media({});
  const AnnotationFile file(
      R"([{"q":"?","a":"x","video_id":"gone"},{"q":"?","a":"x","video_id":"gone.mp4"}])");
  const auto dataset = file.open("video_instruct_100k", media.path());
  CHECK(names(*dataset, media.path()) == Names{"?gone.mp4", "?gone.mp4"});
  CHECK_THAT(dataset->record(0).media[0].tried,
             StartsWith("gone, gone.mp4, gone.mkv, gone.webm, gone.avi, gone.mov, gone.m4v,") &&
                 Contains(", gone.flv,"));
  CHECK(dataset->record(1).media[0].tried.empty());
  const test::TemporaryFolder out;
  tables::EntryTally missing;
  convert(*dataset, media.path(), out.path() / "out.jsonl", &missing);
  CHECK(missing.count_of_reason() == Counts{{"not_found", 2}});
  CHECK_THAT(missing.summary(), Contains("gone.webm"));
}

TEST_CASE("names: in every format with the extension, and without") {
  const MediaFolder media({"a.jpg", "b.png", "c.mp4", "d.flac", "e_0.wav", "p/1.mp4", "2.avi"});
  const auto found = [&](const std::string& format, const std::string& content,
                         const std::string& name) {
    const auto dataset = AnnotationFile(content, name).open(format, media.path());
    check_conversion(*dataset, media.path());
    return names(*dataset, media.path());
  };
  const auto llava = [](const std::string& key, const std::string& tag, const std::string& name) {
    return R"({"id":")" + name + R"(",")" + key + R"(":")" + name +
           R"(","conversations":[{"from":"human","value":")" + tag +
           R"("},{"from":"gpt","value":"x"}]})";
  };
  const std::string mixed =
      "[" + llava("image", "<image>", "a") + "," + llava("image", "<image>", "b.png") + "," +
      llava("video", "<video>", "c") + "," + llava("video", "<image>", "c.mp4") + "," +
      llava("audio", "<audio>", "d") + "]";
  for (const std::string format : {"llava_instruct", "llava_video"})
    CHECK(found(format, mixed, "x.json") == Names{"a.jpg", "b.png", "c.mp4", "c.mp4", "d.flac"});
  CHECK(found("cc595k", "[" + llava("image", "", "a") + "]", "x.json") == Names{"a.jpg"});
  CHECK(found("videochat_instruct",
              R"([{"video":"c","QA":[{"q":"?","a":"x"}]},{"image":"b","QA":[{"q":"?","a":"x"}]},
                  {"video":"p/1.mp4","QA":[{"q":"?","a":"x"}]}])",
              "x.json") == Names{"c.mp4", "b.png", "p/1.mp4"});
  CHECK(found("webvid", "videoid,page_dir,name\n1,p,x\n1.mp4,p,x\n2.avi,.,x\n", "x.csv") ==
        Names{"p/1.mp4", "p/1.mp4", "./2.avi"});
  CHECK(found("audiocaps",
              "audiocap_id,youtube_id,start_time,caption\n1,e,0,x\n2,d,3,x\n3,d.flac,3,x\n",
              "x.csv") == Names{"e_0.wav", "d.flac", "d.flac"});
  CHECK(
      found("clotho",
            "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\nd.flac,x,,,,\nd,x,,,,\n",
            "x.csv") == Names{"d.flac", "d.flac"});
}

TEST_CASE("names: white space and quotation marks of a name are part of it") {
  const MediaFolder media(
      {" street.wav", "end.wav ", "a \"b\".wav", " c.wav", " p/1.mp4", " y_0.flac", " z.mp4"});
  const std::string header = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n";
  const AnnotationFile file(header +
                                " street.wav,x,,,,\nend.wav ,x,,,,\n\"a \"\"b\"\".wav\",x,,,,\n"
                                "\" c.wav\",x,,,,\n",
                            "x.csv");
  const auto dataset = file.open("clotho", media.path());
  CHECK(names(*dataset, media.path()) == Names{" street.wav", "end.wav ", "a \"b\".wav", " c.wav"});
  check_conversion(*dataset, media.path());
  const auto webvid = AnnotationFile("videoid,page_dir,name\n 1 , p, x \n", "x.csv");
  CHECK(names(*webvid.open("webvid", media.path()), media.path()) == Names{" p/1.mp4"});
  CHECK(webvid.open("webvid", media.path())->record(0).conversation.turns[0].answer == "x");
  const auto sounds =
      AnnotationFile("audiocap_id,youtube_id,start_time,caption\n1, y,0,x\n", "x.csv");
  CHECK(names(*sounds.open("audiocaps", media.path()), media.path()) == Names{" y_0.flac"});
  const auto json = AnnotationFile(R"([{"video":" z.mp4","QA":[{"q":"?","a":"x"}]}])");
  CHECK(names(*json.open("videochat_instruct", media.path()), media.path()) == Names{" z.mp4"});
}

TEST_CASE("reports: names with a space in front, and names that have their extension") {
  VLLAMA_SHARED_FILE(clotho, "reports/annotations/clotho_names_with_space.csv");
  VLLAMA_SHARED_FILE(tune, "reports/annotations/video_llava_tune.json");
  const MediaFolder media({" street at night.wav", "rain on a tent.wav", "v_abc.mp4", "v_xyz.mp4"});
  const auto sounds = open(clotho, "clotho", media.path());
  REQUIRE(sounds->size() == 10);
  CHECK(names(*sounds, media.path())[0] == " street at night.wav");
  CHECK(names(*sounds, media.path())[9] == "rain on a tent.wav");
  check_conversion(*sounds, media.path());
  for (const std::string format : {"video_instruct_100k", "llava_video", "llava_instruct"}) {
    const auto videos = open(tune, format, media.path());
    CHECK(names(*videos, media.path()) == Names{"v_abc.mp4", "v_xyz.mp4", "v_abc.mp4"});
    check_conversion(*videos, media.path());
  }
}

TEST_CASE("reports: images, videos, lists of them and text alone in one file") {
  VLLAMA_SHARED_FILE(mixed, "reports/annotations/mixed.json");
  for (const std::string format : {"llava_instruct", "llava_video"}) {
    const auto dataset = open(mixed, format, "M");
    REQUIRE(dataset->size() == 5);
    std::string ids;
    for (std::int64_t i = 0; i < 5; ++i) ids += dataset->record(i).id + " ";
    CHECK(ids == "v1 v2 3 l4 l5 ");
    for (const std::int64_t i : {0, 1}) {
      CHECK(dataset->record(i).media.at(0).kind == MediaKind::video);
      CHECK(dataset->record(i).conversation.turns[0].question == "\nWhat happens?");
    }
    const Record list = dataset->record(3);
    CHECK(list.media.size() == 2);
    CHECK(list.conversation.media == std::vector{MediaPlace{0, 0}, MediaPlace{0, 0}});
    CHECK(list.conversation.turns[0].question == "\nDo they differ?");
    CHECK(dataset->invalid().count_of_reason() ==
          Counts{{"many_media_places", 1}, {"text_only", 1}, {"unknown_role", 2}});
  }
}

TEST_CASE("mixed records: media stand at the tags of their kind") {
  const auto record = [](const std::string& media, const std::string& question,
                         const std::string& second = "And?") {
    return AnnotationFile(R"([{"id":1,)" + media +
                          R"(,"conversations":[{"from":"human","value":")" + question +
                          R"("},{"from":"gpt","value":"x"},{"from":"human","value":")" + second +
                          R"("},{"from":"gpt","value":"y"}]}])")
        .open("llava_video")
        ->record(0);
  };
  const Record both = record(R"("image":["a.jpg","b.jpg"],"video":"c.mp4")",
                             "x <video> and <image>?", "<image>\\nwell?");
  REQUIRE(both.media.size() == 3);
  CHECK(both.media[0].source == "M/c.mp4");
  CHECK(both.media[1].source == "M/a.jpg");
  CHECK(both.media[2].source == "M/b.jpg");
  CHECK(both.conversation.media ==
        std::vector{MediaPlace{0, 2}, MediaPlace{0, 7}, MediaPlace{1, 0}});
  CHECK(both.conversation.turns[0].question == "x  and ?");
  CHECK(both.conversation.turns[1].question == "\nwell?");
  CHECK(record(R"("videos":["a.mp4","b.mp4"])", "<image><image>").media[1].kind ==
        MediaKind::video);
  CHECK(record(R"("images":["a.jpg"],"audios":["b.wav"])", "<audio><image>").media[0].kind ==
        MediaKind::sound);
  // A tag of a kind that the record has not is a word like any other.
  CHECK(record(R"("image":"a.jpg")", "<image> HTML has <video>").conversation.turns[0].question ==
        " HTML has <video>");
  const auto refuses = [&](const std::string& media, const std::string& question,
                           const std::string& reason, const std::string& detail) {
    CHECK_THROWS_WITH(record(media, question), Contains("1 " + reason) && Contains(detail));
  };
  refuses(R"("image":["a.jpg","b.jpg"])", "<image>", "no_media_place", "1 times, for 2 media");
  refuses(R"("image":"a.jpg")", "<image><image>", "many_media_places", "2 times, for 1 media");
  refuses(R"("image":[])", "<image>", "missing_image", "");
  refuses(R"("image":"")", "Hello?", "text_only", "");
  refuses(R"("image":"a.jpg","video":"b.mp4")", "<image>", "no_media_place", "<video> 0 times");
  refuses(R"("image":{"path":"a.jpg"})", "<image>", "wrong_type", "'image' must be text");
}

TEST_CASE("reports: VideoChat2's instruction is asked, in front of the question") {
  const auto turns = [](const fs::path& file,
                        samples::CompatPreset compat = samples::CompatPreset::none) {
    DatasetConfig config;
    config.name = config.format = "videochat_instruct";
    config.annotations = file;
    config.media_root = "M";
    return open_dataset(config, {}, compat)->record(0).conversation;
  };
  const AnnotationFile file(
      R"([{"video":"a.mp4","QA":[{"i":"Be short.","q":"What?","a":"A dog."},
          {"i":"Be short.","q":"Where?","a":"Here."},{"i":"Count.","q":" ","a":"2"},
          {"i":"","q":"Why?","a":"So."},{"q":"","a":"."}]}])");
  const text::Conversation asked = turns(file.path());
  const std::vector<std::string> expected = {"Be short. What?", "Where?", "Count.", "Why?", ""};
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(asked.turns.at(i).question == expected[i]);
  CHECK(asked.media == std::vector{MediaPlace{0, 0}});
  CHECK(turns(file.path(), samples::CompatPreset::reference).turns.at(0).question == "What?");
  // Without "q" at all.
  const AnnotationFile caption(R"([{"image":"a.jpg","QA":[{"i":"Describe.","a":"A dog."}]}])");
  CHECK(turns(caption.path()).turns.at(0).question == "Describe.");
  VLLAMA_SHARED_FILE(report, "reports/annotations/videochat2_instruction_in_i.json");
  CHECK(turns(report).turns.at(0).question == "Give a short account of what the clip shows.");
}

TEST_CASE("reports: lines, UTF-16, joined lists, marks and odd ids") {
  VLLAMA_SHARED_FILE(folder, "reports/annotations");
  const auto size = [&](const char* name) {
    return open(folder / name, "llava_instruct", "M")->size();
  };
  CHECK(size("lines.jsonl") == 2);
  CHECK(size("utf16.json") == 1);
  CHECK(size("concatenated.json") == 2);
  CHECK(size("bom.json") == 1);
  CHECK(size("escape.json") == 1);
  const auto ids = open(folder / "ids.json", "llava_instruct", "M");
  CHECK(ids->size() == 2);
  CHECK(ids->record(1).conversation.turns.at(0).answer == "3");
  CHECK(ids->invalid().count_of_reason() ==
        Counts{{"missing_id", 3}, {"no_media_place", 1}, {"no_turns", 1}, {"wrong_type", 2}});
}

}  // namespace vllama::datasets
