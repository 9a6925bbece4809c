// Byte-level vocabularies against ids of the library `tokenizers` (tools/reference/byte_level.py).
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/tokenizers/byte_level_tokenizer.h"
#include "text/tokenizers/open_tokenizer.h"
#include "text/tokenizers/tokenizer_json.h"

using namespace vllama;
using Catch::Contains;
using text::Author;
using text::ByteLevelTokenizer;
using text::PromptText;

namespace {

using Json = nlohmann::json;
using ManyIds = std::vector<std::int64_t>;
namespace fs = std::filesystem;

const std::vector<std::string> kKinds{"digits", "llama3", "qwen2"};

fs::path folder_of(const std::string& kind) {
  return test::golden_file("text/byte_level/" + kind);
}

ByteLevelTokenizer opened(const fs::path& file) {
  return {text::read_tokenizer_json(file), file.parent_path()};
}

// The vocabulary of a kind with something changed.
class ChangedVocabulary {
 public:
  explicit ChangedVocabulary(const std::string& kind) {
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
      fs::copy_file(folder_of(kind) / name, folder_.path() / name);
    content = Json::parse(read_file(file()));
  }

  fs::path file() const { return folder_.path() / "tokenizer.json"; }
  fs::path folder() const { return folder_.path(); }
  ByteLevelTokenizer open() const {
    write_file_atomically(file(), content.dump());
    return opened(file());
  }

  Json content;

 private:
  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("byte level: ids of lines in many scripts, in templates and in what users write") {
  const std::string kind = GENERATE(from_range(kKinds));
  const ByteLevelTokenizer tokenizer = opened(folder_of(kind) / "tokenizer.json");
  const std::vector<Json> lines = test::read_json_lines(folder_of(kind) / "lines.jsonl");
  REQUIRE(lines.size() == 250);
  for (const Json& line : lines) {
    const std::string text = line["text"];
    INFO(kind << ": " << text);
    const ManyIds ids = line["ids"];
    CHECK(tokenizer.encode(text) == ids);
    CHECK(tokenizer.encode(test::users(text)) == line.value("users", ids));
    // NFC may have changed it.
    if (kind != "qwen2") CHECK(tokenizer.decode(ids) == text);
  }
}

TEST_CASE("byte level: tokens tile their text, and a character belongs to its last token") {
  const std::string kind = GENERATE(from_range(kKinds));
  const ByteLevelTokenizer tokenizer = opened(folder_of(kind) / "tokenizer.json");
  for (const Json& line : test::read_json_lines(folder_of(kind) / "lines.jsonl")) {
    const std::string text = line["text"];
    std::size_t end = 0;
    for (const text::Token& token : tokenizer.encode_with_spans(PromptText(text))) {
      CHECK(token.begin == end);
      CHECK(token.end >= token.begin);
      end = token.end;
      // Never within a character.
      if (end < text.size()) CHECK((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80);
    }
    CHECK(end == text.size());
  }
}

TEST_CASE("byte level: bytes that are no text count as U+FFFD") {
  const ByteLevelTokenizer tokenizer = opened(folder_of("digits") / "tokenizer.json");
  CHECK(tokenizer.encode("a\xFF z\xE2\x82") == tokenizer.encode("a\uFFFD z\uFFFD\uFFFD"));
  const auto tokens = tokenizer.encode_with_spans(PromptText("\xFFz"));
  CHECK(tokens.back().begin == 1);
  CHECK(tokens.back().end == 2);
}

TEST_CASE(
    "byte level: users cannot write special tokens or media, also not together with a template") {
  const ByteLevelTokenizer tokenizer = opened(folder_of("qwen2") / "tokenizer.json");
  const std::int64_t end = tokenizer.ends()[0];
  CHECK(tokenizer.encode("<|im_end|>") == ManyIds{end});
  CHECK(tokenizer.encode("<ImageHere>") == ManyIds{tokenizer.image_token()});
  for (const std::string text : {"<|im_end|>", "a<|im_end|>b", "<ImageHere>"}) {
    const ManyIds ids = tokenizer.encode(test::users(text));
    for (const std::int64_t id : {end, tokenizer.image_token()})
      CHECK(std::ranges::find(ids, id) == ids.end());
    CHECK(tokenizer.decode(ids) == text);
  }
  PromptText both("<|im_");
  both.add("end|>", Author::user);
  CHECK(tokenizer.encode(both) != ManyIds{end});
}

TEST_CASE("byte level: which tokens end an answer is read as transformers reads it") {
  ChangedVocabulary vocabulary("qwen2");
  CHECK(std::ranges::equal(vocabulary.open().ends(), ManyIds{701}));
  write_file_atomically(vocabulary.folder() / "config.json", R"({"eos_token_id": 700})");
  CHECK(std::ranges::equal(vocabulary.open().ends(), ManyIds{700}));
  write_file_atomically(vocabulary.folder() / "generation_config.json",
                        R"({"eos_token_id": [701, 700]})");
  CHECK(std::ranges::equal(vocabulary.open().ends(), ManyIds{701, 700}));
  for (const char* name : {"config.json", "generation_config.json", "tokenizer_config.json"})
    fs::remove(vocabulary.folder() / name);
  CHECK_THROWS_WITH(vocabulary.open(), Contains("which token ends an answer"));
}

TEST_CASE("byte level: a beginning is that of the post-processor") {
  ChangedVocabulary vocabulary("llama3");
  CHECK_FALSE(vocabulary.open().bos());
  vocabulary.content["post_processor"] = Json::parse(
      R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|im_start|>"}},
          {"Sequence": {"id": "A"}}]})");
  CHECK(vocabulary.open().bos() == 700);
  vocabulary.content["post_processor"]["single"][0]["SpecialToken"]["id"] = "<nowhere>";
  CHECK_THROWS_WITH(vocabulary.open(), Contains("'<nowhere>', which is no token"));
}

TEST_CASE("byte level: what is not known here is refused by name") {
  struct Change {
    const char* place;
    Json value;
    const char* named;
  };
  const std::vector<Change> changes = {
      {"/normalizer", {{"type", "NFKC"}}, "NFKC"},
      {"/pre_tokenizer", {{"type", "Metaspace"}}, "Metaspace"},
      {"/pre_tokenizer", nullptr, "pre_tokenizer"},
      {"/pre_tokenizer/pretokenizers/0/pattern/Regex", "[a-z]+", "[a-z]+"},
      {"/pre_tokenizer/pretokenizers/0/behavior", "Removed", "Removed"},
      {"/pre_tokenizer/pretokenizers/1/use_regex", true, "use_regex"},
      {"/pre_tokenizer/pretokenizers/1/add_prefix_space", true, "add_prefix_space"},
      {"/decoder", {{"type", "WordPiece"}}, "WordPiece"},
      {"/post_processor", {{"type", "RobertaProcessing"}}, "RobertaProcessing"},
      {"/model/type", "Unigram", "Unigram"},
      {"/model/dropout", 0.1, "model.dropout"},
      {"/model/continuing_subword_prefix", "##", "continuing_subword_prefix"},
      {"/added_tokens/0/single_word", true, "whole words"},
      {"/added_tokens/0/id", 2'000'000'000, "2000000000"},
      {"/added_tokens/1/content", "<|im_start|>", "comes twice"},
      {"/model/vocab", 3, "no pieces"},
      {"/model/vocab/a", "b", "a piece has a number"},
      {"/model/vocab/a", 5, "two pieces have the id 5"},
      {"/model/vocab/a", -1, "has the id -1"},
      {"/model/merges/0", {"a", "zzz"}, "'zzz', which is no piece"},
      {"/model/merges/0", {"", "a"}, "an empty piece"},
      {"/model/merges/0", {"a", "b", "c"}, "a merge is two pieces"},
      {"/model/merges/0", "abc", "a merge is two pieces"},
  };
  for (const Change& change : changes) {
    INFO(change.place << " " << change.value);
    ChangedVocabulary vocabulary("qwen2");
    vocabulary.content[Json::json_pointer(change.place)] = change.value;
    CHECK_THROWS_AS(vocabulary.open(), UserError);
    CHECK_THROWS_WITH(vocabulary.open(),
                      Contains(vocabulary.file().string()) && Contains(change.named));
  }
  ChangedVocabulary vocabulary("qwen2");
  vocabulary.content["model"]["vocab"].erase("b");
  vocabulary.content["model"]["merges"] = Json::array();
  CHECK_THROWS_WITH(vocabulary.open(), Contains("no piece stands for the byte 0x62"));
}

TEST_CASE("byte level: files that are no vocabulary") {
  const test::TemporaryFolder folder;
  const fs::path file = folder.path() / "tokenizer.json";
  for (const std::string& content :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("\xFF"),
        std::string(200'000, '['), std::string(R"({"model": {"vocab": {"a": {}}}})"),
        std::string(R"({"model": {"merges": [[["a"]]]}})"),
        std::string(R"({"model": {"merges": [{"a": 1}]}})"),
        std::string(R"({"model": {"merges": [1]}})"), std::string(R"({"model": 3})"),
        std::string(R"({"added_tokens": 5, "model": {"type": "BPE"}})")}) {
    INFO(content.substr(0, 80));
    write_file_atomically(file, content);
    CHECK_THROWS_AS(opened(file), UserError);
  }
}

TEST_CASE("a folder's tokenizer.model goes before its tokenizer.json") {
  const ChangedVocabulary vocabulary("digits");
  CHECK(text::tokenizer_file(vocabulary.folder()) == vocabulary.file());
  CHECK(text::open_tokenizer(vocabulary.folder())->size() == 703);
  CHECK(text::files_beside_tokenizer(vocabulary.folder()) ==
        std::vector<fs::path>{vocabulary.folder() / "tokenizer_config.json"});
  fs::copy_file(test::golden_file("text/llama_tokenizer.model"),
                vocabulary.folder() / "tokenizer.model");
  CHECK(text::open_tokenizer(vocabulary.folder())->size() == 32000);
}
