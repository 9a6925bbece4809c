// SentencePiece's kind of vocabulary in a tokenizer.json, against the library `tokenizers` and
// against the tokenizer.model that it was converted from.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/tokenizers/open_tokenizer.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "text/tokenizers/tokenizer_json.h"

using namespace vllama;
namespace fs = std::filesystem;
using text::SentencePieceTokenizer;
using IdList = std::vector<std::int64_t>;

namespace {

using Json = nlohmann::json;

fs::path sentencepiece_folder(const std::string& kind) {
  return test::golden_file("text/sentencepiece") / kind;
}

SentencePieceTokenizer opened_json(const fs::path& folder) {
  return SentencePieceTokenizer(text::read_tokenizer_json(folder / "tokenizer.json"), folder);
}

std::vector<Json> sentencepiece_lines(const std::string& kind) {
  const std::vector<Json> lines = test::read_json_lines(sentencepiece_folder(kind) / "lines.jsonl");
  REQUIRE(lines.size() > 100);
  return lines;
}

// The file with something changed, and what opening it says.
std::string problem_with_json(const std::function<void(Json&)>& change) {
  const test::TemporaryFolder folder;
  Json content = Json::parse(read_file(sentencepiece_folder("always") / "tokenizer.json"));
  change(content);
  write_file_atomically(folder.path() / "tokenizer.json", content.dump());
  try {
    text::open_tokenizer(folder.path());
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("SentencePiece in JSON: ids as the library `tokenizers` gives them") {
  const std::string kind = GENERATE("always", "first");
  const SentencePieceTokenizer tokenizer = opened_json(sentencepiece_folder(kind));
  for (const Json& line : sentencepiece_lines(kind)) {
    const std::string written = line["text"];
    INFO(written);
    const IdList ids = line["ids"];
    CHECK(tokenizer.encode(written) == ids);
    CHECK(tokenizer.encode(test::users(written)) == line.value("users", ids));
  }
}

TEST_CASE("SentencePiece in JSON: the same ids as the tokenizer.model that it came from") {
  const SentencePieceTokenizer tokenizer = opened_json(sentencepiece_folder("always"));
  const SentencePieceTokenizer model(sentencepiece_folder("always") / "tokenizer.model");
  CHECK(tokenizer.size() == model.size());
  CHECK(tokenizer.bos() == model.bos());
  CHECK(tokenizer.ends()[0] == model.ends()[0]);
  for (const Json& line : sentencepiece_lines("always")) {
    const std::string written = line["text"];
    INFO(written);
    CHECK(tokenizer.encode(written) == model.encode(written));
    CHECK(tokenizer.decode(tokenizer.encode(test::users(written))) ==
          model.decode(model.encode(test::users(written))));
  }
}

TEST_CASE("SentencePiece in JSON: what templates write and users cannot") {
  const SentencePieceTokenizer tokenizer = opened_json(sentencepiece_folder("first"));
  const IdList marked = tokenizer.encode("[INST] a[/INST]");
  CHECK(marked.front() == 3);
  CHECK(marked.back() == 4);
  CHECK(tokenizer.encode("[INST]") == IdList{3});
  const IdList written = tokenizer.encode(test::users("[INST] a[/INST]</s>"));
  for (const std::int64_t special : {2, 3, 4})
    CHECK(std::ranges::find(written, special) == written.end());
  CHECK(tokenizer.encode("<ImageHere>") == IdList{tokenizer.image_token()});
}

TEST_CASE("SentencePiece in JSON: parts that are not known are refused by name") {
  using Catch::Contains;
  CHECK_THAT(problem_with_json([](Json& json) {
               json["normalizer"] = {{"type", "NFKC"}};
             }),
             Contains("normalizer") && Contains("NFKC"));
  CHECK_THAT(problem_with_json([](Json& json) { json["normalizer"] = nullptr; }),
             Contains("normalizer"));
  CHECK_THAT(problem_with_json([](Json& json) {
               json["pre_tokenizer"] = {{"type", "Metaspace"},
                                        {"replacement", "\u2581"},
                                        {"prepend_scheme", "first"},
                                        {"split", true}};
               json["normalizer"] = nullptr;
             }),
             Contains("pre_tokenizer") && Contains("Metaspace"));
  CHECK_THAT(problem_with_json([](Json& json) {
               json["decoder"] = {{"type", "WordPiece"}};
             }),
             Contains("decoder") && Contains("WordPiece"));
  CHECK_THAT(problem_with_json([](Json& json) { json["model"]["type"] = "Unigram"; }),
             Contains("model.type") && Contains("Unigram"));
}

TEST_CASE("SentencePiece in JSON: pieces and merges that contradict each other") {
  using Catch::Contains;
  CHECK_THAT(problem_with_json([](Json& json) { json["model"]["merges"][0] = "qq zz"; }),
             Contains("merge 1") && Contains("no piece"));
  CHECK_THAT(problem_with_json([](Json& json) { json["model"]["vocab"]["</s>"] = 99999; }),
             Contains("no piece has the id") || Contains("has the id 2"));
  CHECK_THAT(problem_with_json([](Json& json) {
               json["added_tokens"].push_back({{"id", 5}, {"content", "<x>"}, {"special", true}});
             }),
             Contains("has the id 5 of"));
  CHECK_THAT(
      problem_with_json([](Json& json) {
        json["added_tokens"].push_back({{"id", 4'000'000}, {"content", "<x>"}, {"special", true}});
      }),
      Contains("no piece has the id"));
}

TEST_CASE("a folder without a vocabulary says what is missing") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(text::open_tokenizer(folder.path()),
                    Catch::Contains("neither tokenizer.model nor tokenizer.json"));
}

TEST_CASE("two vocabularies in a folder that are not of one model are told") {
  CHECK(text::disagreement_of_vocabularies(sentencepiece_folder("always")).empty());
  CHECK(text::disagreement_of_vocabularies(sentencepiece_folder("first")).empty());
  const test::TemporaryFolder folder;
  fs::copy_file(test::golden_file("text/llama_tokenizer.model"), folder.path() / "tokenizer.model");
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"})
    fs::copy_file(sentencepiece_folder("always") / name, folder.path() / name);
  CHECK_THAT(
      text::disagreement_of_vocabularies(folder.path()),
      Catch::Contains("tokenizer.model and tokenizer.json") && Catch::Contains("different ids"));
  write_file_atomically(folder.path() / "tokenizer.json", "{");
  CHECK_THAT(text::disagreement_of_vocabularies(folder.path()),
             Catch::Contains("tokenizer.json") && Catch::Contains("beside it is used"));
}
