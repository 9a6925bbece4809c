#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/tokenizers/tokenizer.h"

using namespace vllama;
using test::Ids;
using test::llama_tokenizer;

TEST_CASE("text becomes the ids that the published model was trained with") {
  const std::vector<std::pair<std::string, Ids>> cases = {
      {"", {}},
      {"hello world", {22172, 3186}},
      {"###", {835}},
      {"###Human: <Image>", {835, 29950, 7889, 29901, 529, 2940, 29958}},
      {"a dog running on the beach###", {263, 11203, 2734, 373, 278, 25695, 2277, 29937}},
      {"\n", {29871, 13}},
      {"  two spaces", {259, 1023, 8162}},
      {"a  b", {263, 29871, 289}},
      {"1234", {29871, 29896, 29906, 29941, 29946}},
      {"caf\u00e9", {274, 28059}},
      {"\u65e5\u672c", {29871, 30325, 30346}},
      {"\U0001f600", {29871, 243, 162, 155, 131}},
      {"x</s>", {921, 2}},
      {"hello<unk>world", {22172, 0, 3186}},
      {"a <ImageHere> b", {263, 32000, 289}},
  };
  for (const auto& [text, ids] : cases) {
    INFO(text);
    CHECK(llama_tokenizer().encode(text) == ids);
  }
}

TEST_CASE("special ids come from the file, placeholders follow its last piece") {
  const auto& tokenizer = llama_tokenizer();
  CHECK(tokenizer.size() == 32000);
  CHECK(tokenizer.unknown() == 0);
  CHECK(tokenizer.bos() == 1);
  CHECK(std::ranges::equal(tokenizer.ends(), Ids{2}));
  CHECK(tokenizer.image_token() == 32000);
  CHECK(tokenizer.audio_token() == 32001);
  CHECK(tokenizer.file_hash().size() == 16);
}

TEST_CASE("all kinds of white space beside a placeholder vanish, beside <s> they stay") {
  const auto& tokenizer = llama_tokenizer();
  CHECK(tokenizer.encode("a \t\n\u00a0\u2003\u3000<ImageHere>\r\u2028 b") == Ids{263, 32000, 289});
  CHECK(tokenizer.encode("a\u200b<ImageHere>").size() > 2);  // a zero-width space is not a space
  CHECK(tokenizer.encode("<ImageHere> <s>") == Ids{32000, 1});
  CHECK(tokenizer.encode("a <s> b") == Ids{263, 29871, 1, 29871, 289});
}

TEST_CASE("special tokens count in a template's text alone, also where users' text completes one") {
  const auto& tokenizer = llama_tokenizer();
  const auto encode = [&](std::string_view fixed, std::string_view users) {
    text::PromptText text(fixed);
    text.add(users, text::Author::user);
    return tokenizer.encode(text);
  };
  CHECK(encode("a</s>", "") == Ids{263, 2});
  const Ids spelled = encode("", "a</s>");
  CHECK(std::ranges::count(spelled, 2) == 0);
  CHECK(tokenizer.decode(spelled) == "a</s>");
  CHECK(encode("a</", "s>") == spelled);
  CHECK(encode("a</s>", "</s>")[1] == 2);
  CHECK(std::ranges::count(encode("a</s>", "</s><s><unk>"), 2) == 1);
  CHECK(std::ranges::count(encode("", "<s><unk>"), 1) == 0);
}

TEST_CASE("spans cover the text in order, also across special tokens") {
  const std::string text = "caf\u00e9 \U0001f600</s> x <ImageHere>  <Image";
  std::string covered;
  std::size_t position = 0;
  for (const text::Token& token : llama_tokenizer().encode_with_spans(text::PromptText(text))) {
    REQUIRE(token.begin <= token.end);
    REQUIRE(token.end <= text.size());
    CHECK(token.begin >= position);
    position = token.end;
    covered += text.substr(token.begin, token.end - token.begin);
  }
  CHECK(covered == "caf\u00e9 \U0001f600</s> x<ImageHere><Image");
}

TEST_CASE("ids print as in the original, broken bytes and unknown ids as U+FFFD") {
  const auto& tokenizer = llama_tokenizer();
  CHECK(tokenizer.decode(Ids{22172, 3186}) == "hello world");
  CHECK(tokenizer.decode(Ids{263, 32000, 289}) == "a <ImageHere> b");
  CHECK(tokenizer.decode(Ids{243, 162}) == "\ufffd\ufffd");
  CHECK(tokenizer.decode(Ids{263, 32002, -1, 289}) == "a\ufffd\ufffd b");
  CHECK(tokenizer.decode(Ids{}).empty());
}

TEST_CASE("every recorded string has the ids of the original and prints as there") {
  VLLAMA_SHARED_FILE(path, "goldens/text/tokens.json");
  const auto golden = test::read_json(path);
  const auto& special = golden["special"];
  const auto& tokenizer = llama_tokenizer();
  CHECK(*tokenizer.bos() == special["bos"]);
  CHECK(tokenizer.ends()[0] == special["eos"]);
  CHECK(*tokenizer.unknown() == special["unk"]);
  CHECK(tokenizer.image_token() == special["ImageHere"]);
  CHECK(tokenizer.audio_token() == special["AudioHere"]);
  REQUIRE(golden["strings"].size() > 50);
  for (const auto& entry : golden["strings"]) {
    const std::string text = entry["text"];
    INFO(text);
    Ids ids = tokenizer.encode(text);
    CHECK(ids == entry["ids_no_special"].get<Ids>());
    CHECK(tokenizer.decode(ids) == entry["decoded"].get<std::string>());
    // The original's data sets do not know <AudioHere>; we have one tokenizer for all uses.
    if (text.find("<AudioHere>") == std::string::npos)
      CHECK(ids == entry["ids_dataset_no_special"].get<Ids>());
    ids.insert(ids.begin(), *tokenizer.bos());
    CHECK(ids == entry["ids_with_bos"].get<Ids>());
    ids.erase(ids.begin());
    ids.resize(std::min<std::size_t>(ids.size(), 8));
    CHECK(ids == entry["ids_trunc8"].get<Ids>());
  }
  const auto& batch = golden["batch"];
  std::vector<Ids> rows;
  for (const std::string text : batch["texts"]) {
    rows.push_back(tokenizer.encode(text));
    REQUIRE(rows.back().size() <= batch["max_length"].get<std::size_t>());
  }
  Ids expected;
  for (const Ids row : batch["input_ids"]) expected.insert(expected.end(), row.begin(), row.end());
  CHECK(test::padded_rows(rows, *tokenizer.unknown()) == expected);
}

namespace {

// FNV-1a, 64 bit, over ids as little-endian 32-bit numbers.
std::string hash_of(const Ids& ids) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::int64_t id : ids)
    for (int shift = 0; shift < 32; shift += 8)
      hash = (hash ^ ((static_cast<std::uint64_t>(id) >> shift) & 0xff)) * 0x100000001b3;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace

TEST_CASE("thousands of real captions have the recorded ids") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/text/bulk_tokens.json");
  VLLAMA_SHARED_FILE(captions_path, "fixtures/annotations/minigpt_caption_3k.json");
  const auto golden = test::read_json(golden_path)["entries"];
  const auto captions = test::read_json(captions_path);
  REQUIRE(captions.size() == golden.size());
  std::size_t num_equal = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const Ids ids = llama_tokenizer().encode(captions[i]["QA"][0]["a"].get<std::string>());
    num_equal += ids.size() == golden[i][0].get<std::size_t>() &&
                 hash_of(ids) == golden[i][1].get<std::string>();
  }
  CHECK(num_equal == golden.size());
}

TEST_CASE("threads may encode at the same time") {
  const std::string text = "The video contains 8 frames. caf\u00e9 \U0001f600 <ImageHere> x</s>";
  const Ids expected = llama_tokenizer().encode(text);
  std::vector<std::size_t> num_equal(4);
  std::vector<std::thread> threads;
  for (std::size_t& count : num_equal)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const Ids ids = llama_tokenizer().encode(text);
        count += ids == expected && !llama_tokenizer().decode(ids).empty();
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(num_equal == std::vector<std::size_t>(4, 200));
}
