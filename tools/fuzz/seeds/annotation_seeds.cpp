// Seeds of annotations in every format, of tar archives and of texts.
#include "datasets/shards/tar_header.h"
#include "tools/fuzz/seeds/seeds.h"

namespace vllama::fuzz {
namespace {

// ASCII as UTF-16 with the mark of little-endian order.
std::string utf16(const std::string& text) {
  std::string bytes = "\xFF\xFE";
  for (const char c : text) {
    bytes += c;
    bytes += '\0';
  }
  return bytes;
}

void add_csv(Seeds& seeds) {
  enum : std::size_t { kWebVid, kAudioCaps, kClotho };
  const auto add = [&](std::size_t format, const std::string& text) {
    for (const std::size_t extension : {0, 1})
      seeds.add("csv", format, std::string(1, static_cast<char>(extension)) + text);
  };
  add(kWebVid,
      "videoid,contentUrl,duration,page_dir,name\n"
      "001,http://x/y.mp4,PT00H00M28S,000001_000050,\"A dog, \"\"running\"\".\"\n"
      "002,,,000001_000050,\"Two\nlines\"\n003,,,,nan\n,,,a,b\n4,,,a,b,c,d\n");
  add(kWebVid, utf16("videoid,page_dir,name\n1,a, A boat\n2,b,\"Two\nlines\"\n"));
  add(kWebVid, "\xEF\xBB\xBFvideoid\tpage_dir\tname\r\n7\ta\tA boat\r\n7\ta\tAgain");
  add(kAudioCaps,
      "audiocap_id,youtube_id,start_time,caption\n"
      "1,abc,30,Rain falls\n2,abc,-1,x\n3,abc,1e3,y\n4,,,\n");
  add(kClotho,
      "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
      "rain.wav,a,b,c,d,e\nwind.wav,a,,,\xFF,e\n");
}

void add_json_arrays(Seeds& seeds) {
  enum : std::size_t { kCcSbuAlign, kCc595k, kLlava, kVideoChat, kVideoInstruct };
  seeds.add("json_array", kCcSbuAlign,
            R"({"info": [1, {"a": "\"]"}], "annotations": [{"image_id": "17", "caption": "A boat"},
                {"image_id": 18, "caption": ""}, {"image_id": null, "caption": "x"}]})");
  seeds.add(
      "json_array", kCc595k,
      R"([{"id": "42", "image": "a.jpg", "conversations": [{"from": "human", "value": "What?"},
                {"from": "gpt", "value": "a lake \u00e9\ud83d\ude00 ."}]}])");
  seeds.add("json_array", kLlava,
            R"([{"id": 9, "image": "b/9.jpg", "conversations": [
                {"from": "human", "value": "<image>\nWhat is this?"}, {"from": "gpt", "value": "A bowl."},
                {"from": "human", "value": "And?"}, {"from": "gpt", "value": "Soup."}]},
                {"id": "x", "image": "http://a/b.jpg", "conversations": []},
                {"id": "y", "id": "z", "conversations": [{"from": "system", "value": 1}]}])");
  seeds.add("json_array", kVideoChat,
            R"([{"video": "a/1.mp4", "QA": [{"i": "Look.", "q": "Where?", "a": "Over a hill."},
                {"q": "", "a": 3}], "start": 1.5, "end": 4}, {"image": "b.jpg", "QA": []}])");
  seeds.add("json_array", kVideoInstruct,
            R"([{"q": "What happens?", "a": "A man paints.", "video_id": "v_abc"},
                {"id": "v_d", "video": "v_d.pkl", "conversations": [
                {"from": "human", "value": "What?\n<video>"}, {"from": "gpt", "value": "Rain."}]}])");
  // An object per line, arrays behind one another, a broken row, and a record of another format.
  const std::string lines = R"({"video_id": "v_a", "q": "How many?", "a": 3}
{"video_id": "v_b", "q": "Why?", "a": "\ud800"}
{"video_id": " v_c.MP4", "q": "Who?" "a": "x"}
{"id": "1", "video": "d.webm", "caption": "A dog."}
)";
  seeds.add("json_array", kVideoInstruct, lines);
  seeds.add("json_array", kVideoInstruct, utf16(lines));
  seeds.add("json_array", kVideoInstruct,
            "\xEF\xBB\xBF[" + lines.substr(0, 50) + "]\n[" + lines + "]");
}

const std::string kCaptionLine =
    R"({"id": "clip-17", "caption": "A dog runs.", "media": [{"video": "clips/17.mp4", "start": 1}]})";

void add_json_lines(Seeds& seeds) {
  seeds.add("json_lines", utf16(kCaptionLine + "\r\n" + kCaptionLine));
  seeds.add("json_lines", "[" + kCaptionLine + ",\n" + kCaptionLine + "]\n");
  seeds.add("json_lines", kCaptionLine + "\n\n" +
                              R"({"id": 3, "messages": [{"role": "user", "content": [{"video":
 "k.mp4", "start": 12.5, "end": 20}, {"text": "What?"}]}, {"role": "assistant", "content": "Rice."}]})");
  seeds.add(
      "json_lines",
      R"({"id": 3, "messages": [{"role": "user", "content": [{"text": "Does "}, {"image": "r.jpg"},)"
      R"( {"text": " sound like "}, {"audio": "/p.wav"}]}, {"role": "assistant", "content": "Yes."}]})"
      "\r\n{\"id\": \"\\ud800\", \"caption\": 1}\n[1]\n{\"id\": 1e400}\n");
}

std::string tar_member(const std::string& name, const std::string& content, char type = '0') {
  datasets::TarHeader header =
      datasets::file_header(name, static_cast<std::int64_t>(content.size()));
  header.type = type;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes += content;
  bytes.resize((bytes.size() + datasets::kTarBlockBytes - 1) / datasets::kTarBlockBytes *
               datasets::kTarBlockBytes);
  return bytes;
}

void add_tars(Seeds& seeds) {
  const std::string end(2 * datasets::kTarBlockBytes, '\0');
  seeds.add("tar", tar_member("1.jpg", "picture") + tar_member("1.txt", " A boat\n") +
                       tar_member("a/2.mp4", "") + tar_member("a/2.json", R"({"caption": "x"})") +
                       end);
  seeds.add("tar",
            tar_member("3.json", kCaptionLine) + tar_member("./clips//17.mp4", "clip") + end);
  seeds.add("tar", tar_member("././@LongLink", std::string(120, 'n') + ".txt" + '\0', 'L') +
                       tar_member("short", "caption") +
                       tar_member("pax", "17 path=5.b.mp4\n9 size=4\n", 'x') +
                       tar_member("6", "clip") + tar_member("pax", "11 size=-1\n", 'g') +
                       tar_member("link", "", '2') + tar_member("folder/", "", '5') +
                       tar_member("sparse", "", 'S') + end);
}

}  // namespace

void add_annotation_seeds(Seeds& seeds) {
  add_csv(seeds);
  add_json_arrays(seeds);
  add_json_lines(seeds);
  add_tars(seeds);
  seeds.add("texts", "A Red circle; moves (to the left)!  #1 <ImageHere> and </s>\n\n");
  seeds.add(
      "texts",
      "\xC3\x84\xC3\x96 \xE2\x80\x83\xF0\x9F\x98\x80 \xFF\xED\xA0\x80 <unk><s> <AudioHere> ~");
}

}  // namespace vllama::fuzz
