// Encodings, layouts and broken entries of annotation files, in every reader.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "datasets/shards/shards.h"
#include "tests/datasets/annotation_file.h"
#include "tests/datasets/tar_file.h"
#include "tests/datasets/utf16_text.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
using test::Bytes;
using namespace std::string_literals;

struct Sample {
  std::string format, file, text;  // two records, the ids or names of which end in 1 and 2
};

const std::string kImage1 =
    R"({"id":"1","image":"1.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":"A."}]})";
const std::string kImage2 =
    R"({"id":"2","image":"2.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":"B."}]})";

std::string list(const std::vector<std::string>& elements) {
  std::string text = "[";
  for (const std::string& element : elements) text += (text.size() > 1 ? ",\n " : "") + element;
  return text + "]\n";
}

// Every reader of text.
const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples = {
      {"llava_instruct", "a.json", list({kImage1, kImage2})},
      {"llava_video", "a.json", list({kImage1, kImage2})},
      {"cc595k", "a.json", list({kImage1, kImage2})},
      {"cc_sbu_align", "a.json",
       R"({"annotations":[{"image_id":"1","caption":"A."},{"image_id":"2","caption":"B."}]})"},
      {"videochat_instruct", "a.json",
       list({R"({"video":"1","QA":[{"q":"?","a":"A."}]})",
             R"({"video":"2","QA":[{"q":"?","a":"B."}]})"})},
      {"video_instruct_100k", "a.json",
       list({R"({"q":"?","a":"A.","video_id":"1"})", R"({"q":"?","a":"B.","video_id":"2"})"})},
      {"vllama", "a.jsonl",
       "{\"id\":\"1\",\"caption\":\"A.\",\"media\":[{\"video\":\"1.mp4\"}]}\n"
       "{\"id\":\"2\",\"caption\":\"B.\",\"media\":[{\"video\":\"2.mp4\"}]}\n"},
      {"webvid", "a.csv", "videoid,page_dir,name\n1,d,A.\r\n2,d,B.\n"},
      {"webvid", "a.tsv", "videoid\tpage_dir\tname\n1\td\tA.\n2\td\tB.\n"},
      {"audiocaps", "a.csv", "audiocap_id,youtube_id,start_time,caption\n1,y,0,A.\n2,y,5,B.\n"},
      {"clotho", "a.csv",
       "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n1,A.,,,,\n2,B.,,,,\n"},
  };
  return kSamples;
}

std::string answers(const Dataset& dataset) {
  std::string text;
  for (std::int64_t i = 0; i < dataset.size(); ++i)
    text += dataset.record(i).conversation.turns.at(0).answer;
  return text;
}

std::string error_of(const Sample& sample, const std::string& content,
                     const std::string& name = "") {
  try {
    AnnotationFile(content, name.empty() ? sample.file : name).open(sample.format);
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

// The reasons, with what is said of the first.
Counts faults(const std::string& format, const std::string& content, std::string* summary = nullptr,
              const std::string& name = "rows.json") {
  const auto dataset = AnnotationFile(content, name).open(format);
  if (summary != nullptr) *summary = dataset->invalid().summary();
  return dataset->invalid().count_of_reason();
}

}  // namespace

TEST_CASE("annotations: byte order marks and UTF-16 in every reader") {
  for (const Sample& sample : samples()) {
    INFO(sample.format << " " << sample.file);
    const auto reads = [&](const std::string& content) {
      const auto dataset = AnnotationFile(content, sample.file).open(sample.format);
      CHECK(answers(*dataset) == "A.B.");
    };
    reads(sample.text);
    reads("\xef\xbb\xbf" + sample.text);
    for (const Bytes order : {Bytes::little_first, Bytes::big_first})
      for (const bool has_mark : {true, false})
        reads(test::utf16_text(sample.text, order, has_mark));
  }
}

TEST_CASE("annotations: what is no text is named in every reader") {
  for (const Sample& sample : samples()) {
    INFO(sample.format << " " << sample.file);
    std::string wide = "\xff\xfe\0\0"s;
    for (const char letter : sample.text) wide += std::string{letter, '\0', '\0', '\0'};
    CHECK_THAT(error_of(sample, wide), Contains("UTF-32"));
    CHECK_THAT(error_of(sample, wide.substr(4)), Contains("UTF-32"));
    CHECK_THAT(error_of(sample, "\x1f\x8b\x08\0\0"s, "rows.tar.gz"), Contains("a .tar.gz"));
    CHECK_THAT(error_of(sample, "PK\x03\x04", "rows.zip"), Contains(".zip archive"));
    CHECK_THAT(error_of(sample, "PAR1\x15\x04", "rows.parquet"), Contains("Parquet"));
  }
}

TEST_CASE("annotations: JSON lines, several lists and lone objects are read as a list is") {
  const auto reads = [](const std::string& format, const std::string& content) {
    INFO(format << " " << content);
    const auto dataset = AnnotationFile(content).open(format);
    CHECK(answers(*dataset) == "A.B.");
    CHECK(dataset->invalid().total() == 0);
  };
  for (const std::string format : {"llava_instruct", "cc595k"}) {
    reads(format, kImage1 + "\n" + kImage2 + "\n");
    reads(format, "\xef\xbb\xbf" + kImage1 + "\r\n\r\n" + kImage2);
    reads(format, kImage1 + ",\n" + kImage2 + ",\n");
    reads(format, test::utf16_text(kImage1 + "\n" + kImage2, Bytes::little_first));
    reads(format, "[" + kImage1 + "]\n[" + kImage2 + "]");
    reads(format, "[" + kImage1 + "]\xef\xbb\xbf[" + kImage2 + "]");
    reads(format, "{\n \"id\"" + kImage1.substr(5) + "\n{\n \"id\"" + kImage2.substr(5) + "\n");
    reads(format, kImage1 + kImage2);
  }
  reads("videochat_instruct",
        "{\"video\":\"1\",\"QA\":[{\"q\":\"?\",\"a\":\"A.\"}]}\n{\"video\":\"2\",\"QA\":[{\"q\":"
        "\"?\",\"a\":\"B.\"}]}");
  reads("cc_sbu_align", R"({"annotations":[{"image_id":"1","caption":"A."}]}
                           {"annotations":[{"image_id":"2","caption":"B."}]})");
  const Sample align{"cc_sbu_align", "a.json", ""};
  CHECK_THAT(error_of(align, "{\"image_id\":\"1\",\"caption\":\"A.\"}\n{\"image_id\":\"2\"}\n"),
             Contains("JSON lines"));
  CHECK_THAT(error_of(align, R"([{"image_id":"1","caption":"A."}])"), Contains("JSON array"));
  CHECK_THAT(error_of({"vllama", "a.jsonl", ""}, list({kImage1})), Contains("JSON array"));
  CHECK_THAT(error_of({"webvid", "a.csv", ""}, list({kImage1})), Contains("it is JSON"));
}

TEST_CASE("annotations: a broken entry costs itself, and its line is told") {
  const std::vector<std::string> broken = {
      R"({"id":"b","image":"b.jpg","conversations":[{"from":"human","value":"\ud83d<image>"},{"from":"gpt","value":"X"}]})",
      R"({"id":"b","image":"b.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":"\udc00"}]})",
      "{\"id\":\"b\",\"image\":\"\xe9.jpg\"}",
      "{\"id\":\"b\",\"image\":\"\xed\xa0\x80.jpg\"}",
      R"({"id":"b","image":NaN})",
      R"({"id":"b","image" "b.jpg"})",
      R"({"id":"b","image":"b.jpg",})",
      R"({'id':'b'})",
      "{\"id\":\"b\",\"image\":\"two\nlines\"}",
  };
  for (const std::string& row : broken) {
    INFO(row);
    std::string summary;
    CHECK(faults("llava_instruct", list({kImage1, row, kImage2}), &summary) ==
          Counts{{"not_json", 1}});
    CHECK_THAT(summary, Contains("element 1 (line 2,"));
    if (row.find('\n') != row.npos) continue;
    CHECK(faults("llava_instruct", kImage1 + "\n" + row + "\n" + kImage2, &summary) ==
          Counts{{"not_json", 1}});
    CHECK_THAT(summary, Contains("element 1 (line 2,"));
    // The first row, too.
    CHECK(faults("llava_instruct", row + "\n" + kImage2) == Counts{{"not_json", 1}});
  }
  // In lines a bracket that does not match costs its line alone.
  CHECK(faults("llava_instruct", kImage1 + "\n{\"id\": [\n" + kImage2) == Counts{{"not_json", 1}});
  CHECK(faults("llava_instruct", "{\"id\": \"\n" + kImage2) == Counts{{"not_json", 1}});
  // So it does in a list with an entry in each line, wherever it stands.
  for (const std::string row :
       {R"({"id": [)", R"({"id": "b)", R"({"id":"b","image":"b.jpg"}})",
        R"({"id":"b, "image":"x"})", R"({"id":"b","conversations":[{"from":"human"})",
        R"({"id":"b"]})"}) {
    INFO(row);
    std::string summary;
    CHECK(faults("llava_instruct", list({kImage1, row, kImage2}), &summary) ==
          Counts{{"not_json", 1}});
    CHECK_THAT(summary, Contains("element 1 (line 2,"));
    CHECK(faults("llava_instruct", list({row, kImage1, row, row, kImage2})) ==
          Counts{{"not_json", 3}});
  }
  CHECK_THROWS_WITH(
      faults("llava_instruct", list(std::vector<std::string>(101, "{\"id\": [")) + "," + kImage1),
      Contains("is not valid JSON"));
  // Elsewhere no one can say where the next entry begins, and a file that is cut off has lost some.
  CHECK_THROWS_WITH(faults("llava_instruct", "[" + kImage1 + ",\n{\"id\":\"b\",\"ima"),
                    Contains("byte"));
  CHECK_THROWS_WITH(faults("llava_instruct", "[" + kImage1 + ",{\"id\": [\n," + kImage2 + "]"),
                    Contains("byte"));
  // Half of a surrogate pair in UTF-16 itself.
  std::string text = test::utf16_text(list({kImage1, "{\"id\":\"@\"}", kImage2}), Bytes::big_first);
  text.replace(text.find("\0@"s), 2, "\xd8\x3d");
  CHECK(faults("llava_instruct", text) == Counts{{"not_json", 1}});
}

TEST_CASE("annotations: a number where text is meant is its text") {
  const auto llava =
      AnnotationFile(
          list({
              R"({"id":7,"image":5,"conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":3}]})",
              R"({"id":8,"image":"a.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":2.5}]})",
              R"({"id":9,"image":"a.jpg","conversations":[{"from":"human","value":"<image>"},{"from":"gpt","value":true}]})",
          }))
          .open("llava_instruct");
  CHECK(answers(*llava) == "32.5true");
  CHECK(llava->record(0).media.at(0).source == "M/5");
  const auto chat =
      AnnotationFile(R"([{"video":12,"QA":[{"i":1,"q":2,"a":3}]}])").open("videochat_instruct");
  CHECK(answers(*chat) == "3");
  CHECK(chat->record(0).conversation.turns[0].question == "1 2");
  const auto instruct =
      AnnotationFile(R"([{"q":1,"a":2,"video_id":7010}])").open("video_instruct_100k");
  CHECK(instruct->record(0).media.at(0).source == "M/7010.mp4");
  const auto align =
      AnnotationFile(R"({"annotations":[{"image_id":1,"caption":2}]})").open("cc_sbu_align");
  CHECK(answers(*align) == "2");
  CHECK(faults("llava_instruct",
               list({kImage1, R"({"id":[1],"image":"a.jpg","conversations":[]})"})) ==
        Counts{{"wrong_type", 1}});
}

TEST_CASE("annotations: a record of another format is told which one reads it") {
  const auto told = [](const std::string& format, const std::string& good,
                       const std::string& element) {
    std::string summary;
    faults(format, good + "\n" + element, &summary);
    return summary;
  };
  const std::string chat = R"({"video":"a.mp4","QA":[{"q":"?","a":"x"}]})";
  const std::string video =
      R"({"id":"v","video":"a.mp4","conversations":[{"from":"human","value":"<video>"},{"from":"gpt","value":"A."}]})";
  const std::string own = R"({"id":"1","caption":"A.","media":[{"video":"1.mp4"}]})";
  CHECK_THAT(told("videochat_instruct", chat, video),
             Contains("a video record: format `llava_video` reads it"));
  CHECK_THAT(told("cc595k", kImage1, video), Contains("format `llava_video` reads it"));
  CHECK_THAT(told("videochat_instruct", chat, kImage1), Contains("format `llava_instruct`"));
  CHECK_THAT(told("llava_instruct", kImage1, chat), Contains("format `videochat_instruct`"));
  CHECK_THAT(told("llava_instruct", kImage1, R"({"q":"?","a":"x","video_id":"v"})"),
             Contains("format `video_instruct_100k`"));
  CHECK_THAT(told("llava_instruct", kImage1, own), Contains("format `vllama`"));
  CHECK_THAT(told("vllama", own, video), Contains("format `llava_video`"));
  CHECK_THAT(told("llava_instruct", kImage1, R"({"id":"x"})"), !Contains("format `"));
}

TEST_CASE("annotations: shards that are compressed are named as what they are") {
  const test::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder.path() / name, std::ios::binary) << content;
    return (folder.path() / name).string();
  };
  const AnnotationFile file(list({kImage1}));
  CHECK_THROWS_WITH(file.open("llava_instruct", write("m.tar.gz", "\x1f\x8b\x08")),
                    Contains("m.tar.gz") && Contains("gunzip"));
  CHECK_THROWS_WITH(file.open("llava_instruct", folder.path() / "m-{0..9}.tar.gz"),
                    Contains("compressed"));
  CHECK_THROWS_WITH(file.open("llava_instruct", write("m.zip", "PK\x03\x04")),
                    Contains("m.zip") && Contains("unpack"));
  CHECK_THROWS_WITH(file.open("llava_instruct", write("m.rar", "Rar!\x1a\x07")),
                    Contains(".rar archive"));
  CHECK_THROWS_WITH(file.open("llava_instruct", write("m.txt", "x")), Contains("is a file"));
  // The name lies.
  CHECK_THROWS_WITH(file.open("llava_instruct", write("m.tar", "\x1f\x8b\x08\0\0"s)),
                    Contains("compressed with gzip") && Contains("gunzip"));
  CHECK_THROWS_WITH(Shards(write("s.tar.gz", "\x1f\x8b\x08"), {}), Contains("gunzip"));
}

TEST_CASE("annotations: a text of a shard may have a byte order mark or be UTF-16") {
  const test::TemporaryFolder folder;
  write_tar(folder.path() / "s.tar",
            {{"1.mp4", "x"},
             {"1.txt",
              "\xef\xbb\xbf"
              "A."},
             {"2.mp4", "x"},
             {"2.json", test::utf16_text(R"({"caption":"B."})", Bytes::little_first)}});
  DatasetConfig config;
  config.name = config.format = "webdataset";
  config.annotations = folder.path() / "s.tar";
  CHECK(answers(*open_dataset(config)) == "A.B.");
}

}  // namespace vllama::datasets
