#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_json.h"
#include "text/tokenizer.h"

using namespace vllama;
using text::Tokenizer;
using Ids = std::vector<std::int64_t>;

TEST_CASE("every recorded string has the ids of the original and prints as there") {
  VLLAMA_SHARED_FILE(model, "goldens/ckpt/llama/tokenizer.model");
  VLLAMA_SHARED_FILE(tokens, "goldens/text/tokens.json");
  const Tokenizer tokenizer(model);
  const auto golden = test::read_json(tokens);
  for (const auto& entry : golden["strings"]) {
    const std::string text = entry["text"];
    INFO(text);
    const Ids ids = tokenizer.encode(text);
    CHECK(ids == entry["ids_no_special"].get<Ids>());
    CHECK(tokenizer.decode(ids) == entry["decoded"].get<std::string>());
  }
}
