#include <catch2/catch.hpp>

#include "inference/generate/answer_text.h"
#include "tests/inference/generate/tiny_language_model.h"

using namespace vllama;
using Ids = std::vector<std::int64_t>;
using inference::AnswerEnd;
using test::llama_tokenizer;

namespace {

// Tokens of the texts, each encoded by itself: a newline does not merge with what follows.
Ids tokens_of(const std::vector<std::string>& texts) {
  Ids ids;
  for (const std::string& text : texts)
    for (const auto& token : llama_tokenizer().encode_with_spans(text::PromptText("\n" + text)))
      if (token.begin > 0) ids.push_back(token.id);
  return ids;
}

struct Streamed {
  std::vector<std::string> pieces;
  std::string text;
  Ids ids;
  AnswerEnd end = AnswerEnd::none;

  std::string joined() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }
};

Streamed stream(const Ids& ids, const inference::StopRules& rules) {
  inference::AnswerText text(&llama_tokenizer(), rules);
  Streamed streamed;
  for (const std::int64_t id : ids) {
    streamed.end = text.push(id);
    streamed.pieces.push_back(text.take(streamed.end != AnswerEnd::none));
    if (streamed.end != AnswerEnd::none) break;
  }
  streamed.pieces.push_back(text.take(/*is_whole=*/true));
  streamed.text = text.text();
  streamed.ids = text.answer_ids();
  return streamed;
}

inference::StopRules rules_of(const char* family) {
  return inference::stop_rules(llama_tokenizer(), text::prompt_template(family).reference);
}

}  // namespace

TEST_CASE("an answer ends at the end token, which is no part of it") {
  Ids ids = llama_tokenizer().encode("A dog runs.");
  const Ids answer = ids;
  ids.insert(ids.end(), {2, 300});
  const auto streamed = stream(ids, rules_of("vicuna"));
  CHECK(streamed.end == AnswerEnd::end_token);
  CHECK(streamed.ids == answer);
  CHECK(streamed.text == "A dog runs.");
  CHECK(streamed.joined() == streamed.text);
}

TEST_CASE("an answer ends at the separator, in either spelling") {
  for (const Ids& separator : {Ids{835}, Ids{2277, 29937}}) {
    Ids ids = llama_tokenizer().encode("A dog.");
    const Ids answer = ids;
    ids.insert(ids.end(), separator.begin(), separator.end());
    const auto streamed = stream(ids, rules_of("vicuna"));
    CHECK(streamed.end == AnswerEnd::stop_text);
    CHECK(streamed.ids == answer);
    CHECK(streamed.text == "A dog.");
    CHECK(streamed.joined() == streamed.text);
  }
}

TEST_CASE("a stop text is found across tokens, and no part of it is shown") {
  const inference::StopRules rules{.sequences = {}, .texts = {"###", "Human:"}};
  const Ids hash_by_hash = tokens_of({"Yes", "#", "#", "#", " more"});
  REQUIRE(hash_by_hash.size() == 5);
  const auto hashes = stream(hash_by_hash, rules);
  CHECK(hashes.end == AnswerEnd::stop_text);
  CHECK(hashes.text == "Yes");
  CHECK(hashes.ids == Ids{hash_by_hash[0]});
  CHECK(hashes.pieces == std::vector<std::string>{"Yes", "", "", "", ""});

  const auto role = stream(tokens_of({"No.", " ", "Hu", "man", ": and"}), rules);
  CHECK(role.end == AnswerEnd::stop_text);
  CHECK(role.text == "No.");
  CHECK(role.joined() == "No.");

  const auto no_stop = stream(tokens_of({"a ", "##", " b Hu", "mid"}), rules);
  CHECK(no_stop.end == AnswerEnd::none);
  CHECK(no_stop.text == "a ## b Humid");
  CHECK(no_stop.joined() == no_stop.text);
}

TEST_CASE("half a character is never shown, a broken one at the end") {
  const std::string fox = "\xF0\x9F\xA6\x8A";
  const Ids ids = tokens_of({"a ", fox, "b"});
  REQUIRE(ids.size() >= 6);  // the character is spelled in bytes
  const auto streamed = stream(ids, {});
  CHECK(streamed.text == "a " + fox + "b");
  CHECK(streamed.joined() == streamed.text);
  for (const std::string& piece : streamed.pieces)
    CHECK(piece.find("\xEF\xBF\xBD") == std::string::npos);

  const auto broken = stream(Ids(ids.begin(), ids.end() - 2), {});
  CHECK(broken.text.starts_with("a \xEF\xBF\xBD"));
  CHECK(broken.joined() == broken.text);
}

TEST_CASE("white space at the ends is not shown") {
  const auto streamed = stream(tokens_of({" \n", "A", " \n", "B", "\n \n"}), {});
  CHECK(streamed.text == "A \nB");
  CHECK(streamed.joined() == streamed.text);
}

TEST_CASE("a leading unknown token and a leading BOS are no text") {
  Ids ids{0, 1};
  for (const std::int64_t id : llama_tokenizer().encode("A dog.")) ids.push_back(id);
  CHECK(stream(ids, {}).text == "A dog.");
  CHECK(stream({2}, rules_of("llama_v2")).text.empty());
}
