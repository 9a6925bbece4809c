#include <bit>
#include <catch2/catch.hpp>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "tests/support/fixtures.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

using namespace vllama;
using text::SentencePieceTokenizer;

namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string number(std::uint64_t field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string message(std::uint64_t field, const std::string& content) {
  return varint(field << 3 | 2) + varint(content.size()) + content;
}
std::string piece(const std::string& text, float score, std::uint64_t type) {
  const auto bits = std::bit_cast<std::uint32_t>(score);
  std::string content = message(1, text) + varint(2 << 3 | 5);
  for (int shift = 0; shift < 32; shift += 8) content += static_cast<char>(bits >> shift);
  return message(1, content + number(3, type));
}

// A complete model of a handful of pieces, with one property to be varied.
struct SmallModel {
  float score = -1;
  std::uint64_t model_type = 2;
  std::string character_map = {};
  bool has_eos = true;

  std::string bytes() const {
    std::string content = piece("<unk>", 0, 2) + piece("<s>", 0, 3);
    if (has_eos) content += piece("</s>", 0, 3);
    content += piece("\u2581", 0, 1) + piece("a", score, 1) + piece("\u2581a", score, 1);
    return content + message(2, number(3, model_type)) +
           message(3, message(1, "identity") + message(2, character_map) + number(3, 1));
  }
};

class ModelFolder {
 public:
  SentencePieceTokenizer load(const std::string& bytes) const {
    const auto path = folder_.path() / "tokenizer.model";
    std::ofstream(path, std::ios::binary) << bytes;  // no waiting for the disk, thousands of times
    return SentencePieceTokenizer(path);
  }

 private:
  test::TemporaryFolder folder_;
};

std::string whole_model() {
  return read_file(test::golden_file("text/llama_tokenizer.model"));
}

}  // namespace

TEST_CASE("a complete small model loads, and counts its pieces") {
  const SentencePieceTokenizer tokenizer = ModelFolder().load(SmallModel().bytes());
  CHECK(tokenizer.size() == 6);
  CHECK(tokenizer.image_token() == 6);
  CHECK(tokenizer.encode("a") == std::vector<std::int64_t>{5});
}

TEST_CASE("models that SentencePiece could open but that cannot serve are refused by name") {
  const ModelFolder folder;
  CHECK_THROWS_AS(folder.load(SmallModel{.model_type = 1}.bytes()), UserError);
  CHECK_THROWS_WITH(folder.load(SmallModel{.model_type = 1}.bytes()),
                    Catch::Contains("type 1") && Catch::Contains("tokenizer.model"));
  CHECK_THROWS_WITH(folder.load(SmallModel{.character_map = "\xff\xff\xff\x7f"}.bytes()),
                    Catch::Contains("character map"));
  CHECK_THROWS_WITH(folder.load(SmallModel{.has_eos = false}.bytes()), Catch::Contains("lacks"));
  CHECK_THROWS_WITH(
      folder.load(SmallModel{.score = std::numeric_limits<float>::quiet_NaN()}.bytes()),
      Catch::Contains("not finite"));
}

TEST_CASE("empty, foreign and absent files are user errors") {
  const ModelFolder folder;
  CHECK_THROWS_WITH(folder.load(""), Catch::Contains("is empty"));
  for (const std::string& bytes :
       {std::string(1, '\0'), std::string(1000, '\0'), std::string("<html>not found</html>"),
        std::string("version https://git-lfs.github.com/spec/v1\n"), std::string(100, '\xff')})
    CHECK_THROWS_AS(folder.load(bytes), UserError);
  CHECK_THROWS_AS(SentencePieceTokenizer("no/such/file"), UserError);
  CHECK_THROWS_AS(SentencePieceTokenizer("."), UserError);
}

TEST_CASE("a model that ends too early is refused wherever it ends") {
  const std::string whole = whole_model();
  const ModelFolder folder;
  for (std::size_t length = 1; length < 200; ++length)
    CHECK_THROWS_AS(folder.load(whole.substr(0, length)), UserError);
  for (std::size_t missing = 1; missing < 150; ++missing)
    CHECK_THROWS_AS(folder.load(whole.substr(0, whole.size() - missing)), UserError);
  for (std::size_t length = 1000; length < whole.size(); length += 19997)
    CHECK_THROWS_AS(folder.load(whole.substr(0, length)), UserError);
}

TEST_CASE("a model with changed bytes is refused or works, it never ends the program") {
  const std::string whole = whole_model();
  const ModelFolder folder;
  RandomStream random(7);
  int num_refused = 0;
  const int num_trials = 150;
  for (int trial = 0; trial < num_trials; ++trial) {
    std::string damaged = whole;
    // Every second time near the end, where the settings are.
    const std::size_t range = trial % 2 == 0 ? damaged.size() : 160;
    const std::size_t position = damaged.size() - 1 - random.below(range);
    damaged[position] = static_cast<char>(random.below(256));
    try {
      const SentencePieceTokenizer tokenizer = folder.load(damaged);
      tokenizer.decode(tokenizer.encode("A dog, caf\u00e9 \U0001f600 ###</s> \xff"));
    } catch (const UserError&) {
      ++num_refused;
    }
  }
  CHECK(num_refused > 0);
  CHECK(num_refused < num_trials);
}

TEST_CASE("a small model survives any change of a few bytes") {
  const std::string whole = SmallModel().bytes();
  const ModelFolder folder;
  RandomStream random(8);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string damaged = whole;
    for (std::uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    try {
      const SentencePieceTokenizer tokenizer = folder.load(damaged);
      tokenizer.decode(tokenizer.encode("a a\xff \u00e9</s> aa <s"));
    } catch (const UserError&) {
    }
  }
}
