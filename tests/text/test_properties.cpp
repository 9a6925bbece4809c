// What holds for any text, tried on random ones.
#include <catch2/catch.hpp>

#include "core/random.h"
#include "tests/text/golden_text.h"
#include "text/caption.h"
#include "text/error.h"
#include "text/prompt.h"

using namespace vllama;
using namespace vllama::text;
using test::Ids;
using test::llama_tokenizer;

using test::llama2_layout;
using test::vicuna_layout;

namespace {

// Words, separators, odd characters, and bytes that are not UTF-8 if wanted.
std::string random_text(RandomStream& random, std::uint64_t max_parts, bool may_be_broken) {
  static const std::vector<std::string> parts = {
      "dog",    " ",      "  ",          "\n",         "###",    "##",
      "#",      "</s>",   "<s>",         "<unk>",      "[INST]", "[/INST] ",
      "\u00e9", "\u65e5", "\U0001f600",  "\u0130",     "\u2581", "\u00a0",
      "\t",     ".",      "<Image>",     "</",         "1234",   "\u200d",
      "\r\n",   "Human:", "Assistant: ", "<ImageHere", "A",      std::string(1, '\0')};
  static const std::vector<std::string> broken = {"\xff",         "\xc3", "\xe2\x96",
                                                  "\xf0\x9f\x98", "\x80", "\xed\xa0\x80"};
  std::string text;
  for (std::uint64_t count = random.below(max_parts + 1); count > 0; --count)
    text += may_be_broken && random.below(6) == 0 ? broken[random.below(broken.size())]
                                                  : parts[random.below(parts.size())];
  return text;
}

void check_labels(const TokenSequence& sequence, std::int64_t num_media) {
  REQUIRE(sequence.ids.size() == sequence.labels.size());
  CHECK(sequence.ids.front() == 1);
  CHECK(sequence.labels.front() == kIgnoredLabel);
  std::int64_t num_placeholders = 0;
  for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
    const bool is_media = sequence.ids[i] == llama_tokenizer().image_token();
    num_placeholders += is_media;
    const bool agrees =
        sequence.labels[i] == kIgnoredLabel || (sequence.labels[i] == sequence.ids[i] && !is_media);
    CHECK(agrees);
  }
  CHECK(num_placeholders == num_media);
}

}  // namespace

TEST_CASE("any bytes can be encoded, printed, cleaned") {
  RandomStream random(11);
  for (int trial = 0; trial < 2000; ++trial) {
    const std::string text = random_text(random, 12, true);
    const auto tokens = llama_tokenizer().encode_with_spans(PromptText(text));
    std::size_t position = 0;
    for (const Token& token : tokens) {
      REQUIRE((token.begin >= position && token.begin <= token.end && token.end <= text.size()));
      position = token.end;
    }
    llama_tokenizer().decode(llama_tokenizer().encode(text));
    const std::string cleaned = CaptionCleaner()(text);
    CHECK(cleaned.find_first_of(".!\"()*#:;~") == std::string::npos);
  }
}

TEST_CASE("text without special tokens prints as it was") {
  RandomStream random(12);
  for (int trial = 0; trial < 2000; ++trial) {
    const std::string text = random_text(random, 12, false);
    bool has_special = text.find("\u2581") != std::string::npos;  // prints as a space
    for (const char* special : {"<s>", "</s>", "<unk>"})
      has_special |= text.find(special) != std::string::npos;
    if (has_special) continue;
    INFO(text);
    CHECK(llama_tokenizer().decode(llama_tokenizer().encode(text)) == text);
  }
}

TEST_CASE("a caption of any length ends in its end sign") {
  RandomStream random(13);
  for (int trial = 0; trial < 1000; ++trial) {
    const std::string caption = random_text(random, 20, true);
    const auto max_tokens = static_cast<std::int64_t>(4 + random.below(20));
    const auto sequence =
        build_caption(llama_tokenizer(), caption,
                      {.num_media_tokens = 3, .end_sign = "###", .limit = {max_tokens}});
    check_labels(sequence, 3);
    CHECK(static_cast<std::int64_t>(sequence.ids.size()) <= 4 + max_tokens);
    CHECK((sequence.labels.back() == 29937 || sequence.labels.back() == 835 ||
           llama_tokenizer().decode(Ids{sequence.labels.back()}).ends_with('#')));
  }
}

TEST_CASE("a conversation of any length ends in its stop tokens, or is refused as too long") {
  RandomStream random(14);
  int num_built = 0, num_shortened = 0, num_refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    Conversation conversation;
    for (std::uint64_t turns = 1 + random.below(4); turns > 0; --turns)
      conversation.turns.push_back({random_text(random, 8, true), random_text(random, 16, true)});
    const bool is_vicuna = trial % 2 == 0;
    const auto max_tokens = static_cast<std::int64_t>(10 + random.below(150));
    const test::MediaLayout layout{
        is_vicuna ? &vicuna_layout() : &llama2_layout(), 4, {max_tokens}};
    try {
      const auto sequence =
          test::video_conversation(llama_tokenizer(), conversation, "Now. ", layout);
      check_labels(sequence, 4);
      CHECK(static_cast<std::int64_t>(sequence.ids.size()) <= max_tokens);
      CHECK(sequence.labels.back() == (is_vicuna ? 29937 : 2));
      ++num_built;
      num_shortened += sequence.shortened;
    } catch (const TextError& error) {
      CHECK((error.reason == TextFailure::too_long || error.reason == TextFailure::no_target));
      ++num_refused;
    }
  }
  CHECK(num_built > 300);
  CHECK(num_shortened > 100);
  CHECK(num_refused > 100);
}
