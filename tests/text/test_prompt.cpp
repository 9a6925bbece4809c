#include <algorithm>
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/error.h"
#include "text/prompt.h"

using namespace vllama;
using namespace vllama::text;
using test::Ids;
using test::llama_tokenizer;

using test::llama2_layout;
using test::vicuna_layout;

namespace {

const Conversation kTwoTurns = {{{"What is he doing?", "He walks."}, {"Why?", "For fun."}}};
const std::string kPromptTimes = "The video contains 8 frames sampled at 0.0, 1.2 seconds. ";

// The learned positions as [begin, end) pairs.
std::vector<std::pair<int, int>> learned(const TokenSequence& sequence) {
  std::vector<std::pair<int, int>> stretches;
  REQUIRE(sequence.ids.size() == sequence.labels.size());
  for (int i = 0; i < static_cast<int>(sequence.ids.size()); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (sequence.labels[at] == kIgnoredLabel) continue;
    CHECK(sequence.labels[at] == sequence.ids[at]);
    if (!stretches.empty() && stretches.back().second == i)
      ++stretches.back().second;
    else
      stretches.emplace_back(i, i + 1);
  }
  return stretches;
}

template <class Build>
TextFailure failure_of(const Build& build) {
  try {
    build();
  } catch (const TextError& error) {
    return error.reason;
  }
  FAIL("no TextError");
  return {};
}

Ids last(const Ids& ids, std::size_t count) {
  REQUIRE(ids.size() >= count);
  return {ids.end() - static_cast<std::ptrdiff_t>(count), ids.end()};
}

std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i == 0 ? "word" : " word") + std::to_string(i);
  return text;
}

}  // namespace

TEST_CASE("a video conversation in the Vicuna form, token by token") {
  const auto sequence = test::video_conversation(llama_tokenizer(), kTwoTurns, kPromptTimes,
                                                 {.num_media_tokens = 2, .limit = {512}});
  const Ids expected = {1,     29871, 13,    13,    2277,  29937, 29950, 7889,  29901, 529,   15167,
                        29958, 32000, 32000, 1533,  15167, 29958, 450,   4863,  3743,  29871, 29947,
                        16608, 4559,  29881, 472,   29871, 29900, 29889, 29900, 29892, 29871, 29896,
                        29889, 29906, 6923,  29889, 1724,  338,   540,   2599,  29973, 13,    2277,
                        29937, 7900,  22137, 29901, 940,   17042, 2039,  29889, 13,    2277,  29937,
                        29950, 7889,  29901, 3750,  29973, 13,    2277,  29937, 7900,  22137, 29901,
                        1152,  2090,  29889, 13,    2277,  29937};
  CHECK(sequence.ids == expected);
  CHECK(learned(sequence) == std::vector<std::pair<int, int>>{{4, 6}, {43, 55}, {61, 72}});
  CHECK_FALSE(sequence.shortened);
}

TEST_CASE("the same conversation in the LLaMA-2 form") {
  const auto sequence =
      test::video_conversation(llama_tokenizer(), kTwoTurns, kPromptTimes,
                               {.layout = &llama2_layout(), .num_media_tokens = 2, .limit = {512}});
  REQUIRE(sequence.ids.size() == 76);
  CHECK(learned(sequence) == std::vector<std::pair<int, int>>{{55, 61}, {71, 76}});
  CHECK(Ids(sequence.ids.begin() + 55, sequence.ids.begin() + 62) ==
        Ids{940, 17042, 2039, 29889, 29871, 2, 1});
  CHECK(last(sequence.ids, 5) == Ids{1152, 2090, 29889, 29871, 2});
}

TEST_CASE("templates are found by name") {
  CHECK(prompt_template("vicuna").name == "vicuna");
  CHECK(prompt_template("llama_v2").name == "llama_v2");
  CHECK_THROWS_WITH(prompt_template("llama"), Catch::Contains("vicuna or llama_v2"));
}

TEST_CASE("an image stands where a question has the tag") {
  const test::MediaLayout layout{.num_media_tokens = 3, .limit = {512}};
  const auto build = [&](const Conversation& conversation) {
    return test::image_conversation(llama_tokenizer(), conversation, layout);
  };
  const auto first = build({{{"<image>\nWhat?", "A dog."}, {"Sure?", "Yes."}}});
  CHECK(std::count(first.ids.begin(), first.ids.end(), 32000) == 3);
  CHECK(llama_tokenizer().decode(first.ids).find("Human: <Image> <ImageHere> <ImageHere>") !=
        std::string::npos);
  CHECK(failure_of([&] { build({{{"What?", "A dog."}}}); }) == TextFailure::no_media_place);
  CHECK(failure_of([&] { build({{{"What?", "<image>"}}}); }) == TextFailure::no_media_place);
  CHECK(failure_of([&] { build({{{"<image><image>", "a"}}}); }) == TextFailure::many_media_places);
  CHECK(failure_of([&] {
          build({{{"<image>", "a"}, {"<image>", "b"}}});
        }) == TextFailure::many_media_places);
}

TEST_CASE("a sample's text cannot bring placeholders of its own") {
  for (const std::string text : {"a <ImageHere> b", "<AudioHere>"}) {
    const test::MediaLayout layout;
    for (const Conversation& conversation :
         {Conversation{{{text, "a"}}}, Conversation{{{"q", text}}}})
      CHECK(failure_of([&] {
              test::video_conversation(llama_tokenizer(), conversation, "", layout);
            }) == TextFailure::reserved_token);
    CHECK(failure_of([&] { build_caption(llama_tokenizer(), text, {}); }) ==
          TextFailure::reserved_token);
  }
  CHECK(failure_of([&] { test::video_conversation(llama_tokenizer(), {}, "", {}); }) ==
        TextFailure::no_turns);
}

TEST_CASE(
    "media in several turns stand where their places are, and no turn with media is dropped") {
  Conversation conversation{{{"Compare with this.", "It is the same colour."},
                             {"And now?", "Louder, and then it ends."},
                             {"Thanks.", "You are welcome."}},
                            {{0, 0}, {0, 7}, {1, 4}}};
  const std::vector<std::string> media{vicuna_layout().media_text(MediaKind::image, 2),
                                       vicuna_layout().media_text(MediaKind::image, 2),
                                       vicuna_layout().media_text(MediaKind::sound, 3)};
  for (const PromptLayout* form : {&vicuna_layout(), &llama2_layout()}) {
    const auto build = [&](std::int64_t max_tokens) {
      return build_conversation(llama_tokenizer(), conversation, media, {form, {max_tokens}});
    };
    const auto num_media = [](const TokenSequence& sequence) {
      return std::ranges::count(sequence.ids, llama_tokenizer().image_token());
    };
    const TokenSequence whole = build(512);
    CHECK_FALSE(whole.shortened);
    CHECK(num_media(whole) == 7);
    CHECK_THAT(llama_tokenizer().decode(whole.ids),
               Catch::Matchers::Contains("</Image>Compare<Image>") &&
                   Catch::Matchers::Contains("And <Audio>"));
    const auto size = static_cast<std::int64_t>(whole.ids.size());
    std::int64_t num_fitting = 0;
    for (std::int64_t limit = size - 1; limit > 0; --limit) {
      try {
        const TokenSequence shorter = build(limit);
        CHECK(shorter.shortened);
        CHECK(num_media(shorter) == 7);
        CHECK(static_cast<std::int64_t>(shorter.ids.size()) <= limit);
        CHECK(shorter.labels.back() == whole.labels.back());
        ++num_fitting;
      } catch (const TextError& error) {
        CHECK(error.reason == TextFailure::too_long);
      }
    }
    CHECK(num_fitting > 10);
  }
}

TEST_CASE("separators inside a text do not move the labels") {
  const Conversation conversation = {
      {{"What does ### mean? <unk>", "It is [/INST] a </s> mark"}, {"and?", "fine"}}};
  const auto targets = [&](const PromptLayout& layout, bool reads_special_tokens) {
    const auto sequence = test::video_conversation(
        llama_tokenizer(), conversation, "",
        {.layout = &layout, .num_media_tokens = 1, .reads_special_tokens = reads_special_tokens});
    Ids learned;
    for (const std::int64_t label : sequence.labels)
      if (label != kIgnoredLabel) learned.push_back(label);
    return learned;
  };
  const auto text = [](const Ids& ids) { return llama_tokenizer().decode(ids); };
  const std::string vicuna =
                        "######Assistant: It is [/INST] a </s> mark\n######Assistant: fine\n###",
                    llama2 = " It is [/INST] a </s> mark </s> fine </s>";
  CHECK(text(targets(vicuna_layout(), false)) == vicuna);
  CHECK(text(targets(llama2_layout(), false)) == llama2);
  // The original's tokenizer reads </s> as the token, and a space after it.
  CHECK(text(targets(vicuna_layout(), true)) == " " + vicuna);
  CHECK(text(targets(llama2_layout(), true)) == " It is [/INST] a </s>  mark </s> fine </s>");
  // Of users, </s> is four letters: the only one that ends an answer is the layout's.
  const std::int64_t end = llama_tokenizer().ends().front();
  CHECK(std::ranges::count(targets(llama2_layout(), false), end) == 2);
  CHECK(std::ranges::count(targets(llama2_layout(), true), end) == 3);
}

TEST_CASE("over-long conversations lose whole turns at the end") {
  const Conversation three = {{{"q1", "a1"}, {"q2", words(40)}, {"q3", "a3"}}};
  for (const PromptLayout* form : {&vicuna_layout(), &llama2_layout()}) {
    const test::MediaLayout wide{.layout = form, .num_media_tokens = 4, .limit = {512}};
    const auto build = [&](std::size_t num_turns, const test::MediaLayout& layout) {
      const Conversation some = {{three.turns.begin(), three.turns.begin() + num_turns}};
      return test::video_conversation(llama_tokenizer(), some, "", layout);
    };
    for (std::size_t kept = 1; kept <= 3; ++kept) {
      const auto whole = build(kept, wide);
      const auto size = static_cast<std::int64_t>(whole.ids.size());
      const auto fitted = build(3, {.layout = form, .num_media_tokens = 4, .limit = {size}});
      CHECK(fitted.ids == whole.ids);
      CHECK(fitted.labels == whole.labels);
      CHECK(fitted.shortened == (kept < 3));
    }
  }
}

TEST_CASE("an over-long first answer is shortened and keeps its ending") {
  const Conversation conversation = {{{"Tell a story.", words(300)}, {"q2", "a2"}}};
  for (const std::int64_t max_tokens : {31, 32, 100, 512}) {
    const auto vicuna = test::video_conversation(
        llama_tokenizer(), conversation, "",
        {.layout = &vicuna_layout(), .num_media_tokens = 2, .limit = {max_tokens}});
    CHECK(static_cast<std::int64_t>(vicuna.ids.size()) == max_tokens);
    CHECK(last(vicuna.labels, 3) == Ids{13, 2277, 29937});
    CHECK(vicuna.shortened);
  }
  const auto llama =
      test::video_conversation(llama_tokenizer(), conversation, "",
                               {.layout = &llama2_layout(), .num_media_tokens = 2, .limit = {512}});
  CHECK(llama.ids.size() == 512);
  CHECK(last(llama.labels, 2) == Ids{29871, 2});
  CHECK(failure_of([&] {
          test::video_conversation(llama_tokenizer(), conversation, "",
                                   {.num_media_tokens = 2, .limit = {30}});
        }) == TextFailure::too_long);
}

TEST_CASE("the published hard cut loses the ending, and with it media are refused") {
  const Conversation conversation = {{{"Tell a story.", words(300)}}};
  const LengthLimit cut{512, Truncation::cut};
  const auto sequence = test::video_conversation(llama_tokenizer(), conversation, "",
                                                 {.num_media_tokens = 2, .limit = cut});
  const auto whole = test::video_conversation(llama_tokenizer(), conversation, "",
                                              {.num_media_tokens = 2, .limit = {100000}});
  CHECK(sequence.shortened);
  CHECK(sequence.ids == Ids(whole.ids.begin(), whole.ids.begin() + 512));
  CHECK(sequence.labels == Ids(whole.labels.begin(), whole.labels.begin() + 512));
  CHECK(failure_of([&] {
          test::video_conversation(llama_tokenizer(), conversation, "",
                                   {.num_media_tokens = 32, .limit = {20, Truncation::cut}});
        }) == TextFailure::too_long);
}

TEST_CASE("in the LLaMA-2 form an unanswered turn is not learned and does not come last") {
  const test::MediaLayout layout{.layout = &llama2_layout(), .num_media_tokens = 1, .limit = {512}};
  const auto build = [&](const Conversation& conversation) {
    return test::video_conversation(llama_tokenizer(), conversation, "", layout);
  };
  const auto answered = build({{{"q", "a"}}});
  CHECK(build({{{"q", "a"}, {"q2", ""}}}).ids == answered.ids);
  CHECK(last(build({{{"q", ""}, {"q2", "a"}}}).labels, 3) == Ids{263, 29871, 2});
  CHECK(failure_of([&] { build({{{"q", ""}}}); }) == TextFailure::no_target);
}

TEST_CASE("a caption follows the media and is learned with its end sign") {
  const auto sequence = build_caption(llama_tokenizer(), "a dog running on the beach",
                                      {.num_media_tokens = 3, .end_sign = "###", .limit = {32}});
  CHECK(sequence.ids ==
        Ids{1, 32000, 32000, 32000, 263, 11203, 2734, 373, 278, 25695, 2277, 29937});
  CHECK(learned(sequence) == std::vector<std::pair<int, int>>{{4, 12}});
}

TEST_CASE("a caption over the limit keeps its end sign") {
  const std::string caption = words(40);
  for (const auto& [sign, ending] : std::vector<std::pair<std::string, Ids>>{
           {"\n", {13}}, {"###", {2277, 29937}}, {"</s>", {2}}}) {
    const CaptionLayout layout{.num_media_tokens = 2, .end_sign = sign, .limit = {32}};
    const auto sequence = build_caption(llama_tokenizer(), caption, layout);
    CHECK(sequence.ids.size() == 3 + 32);
    CHECK(last(sequence.labels, ending.size()) == ending);
    CHECK(sequence.shortened);
    const auto cut =
        build_caption(llama_tokenizer(), caption,
                      {.num_media_tokens = 2, .end_sign = sign, .limit = {32, Truncation::cut}});
    CHECK(cut.ids.size() == 3 + 32);
    CHECK(last(cut.ids, ending.size()) != ending);
    CHECK(std::equal(cut.ids.begin(), cut.ids.end() - 2, sequence.ids.begin()));
  }
  CHECK_THROWS_AS(build_caption(llama_tokenizer(), caption, {.end_sign = "###", .limit = {2}}),
                  UserError);
}

TEST_CASE("a character that is spelled in bytes is kept whole or goes") {
  const Ids first = {1, 32000, 263, 29871, 13};
  const Ids second = {1, 32000, 263, 29871, 243, 162, 155, 131, 13};
  for (const std::int64_t max_tokens : {3, 4, 5, 6, 7, 8, 9, 10}) {
    const auto sequence = build_caption(llama_tokenizer(), "a \U0001f600\U0001f600",
                                        {.num_media_tokens = 1, .limit = {max_tokens}});
    CHECK(sequence.ids == (max_tokens < 7 ? first : second));
  }
}

TEST_CASE("prompt lines are put into the template and split at the media") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "prompts.txt";
  write_file_atomically(file,
                        "no tag\n<Image><ImageHere></Image> What is it?\r\nLook: <ImageHere>");
  const auto prompts = read_caption_prompts(file, "###Human: {} ###Assistant: ");
  REQUIRE(prompts.size() == 2);
  CHECK(prompts[0].before == "###Human: <Image>");
  CHECK(prompts[0].after == "</Image> What is it? ###Assistant: ");
  CHECK(prompts[1].after == " ###Assistant: ");
  const auto sequence =
      build_caption(llama_tokenizer(), "a dog",
                    {.num_media_tokens = 2, .end_sign = "###", .limit = {320}}, prompts[0]);
  CHECK(sequence.ids == Ids{1,     835,   29950, 7889,  29901, 529,   2940, 29958, 32000,
                            32000, 1533,  2940,  29958, 1724,  338,   372,  29973, 835,
                            7900,  22137, 29901, 29871, 263,   11203, 2277, 29937});
  CHECK(learned(sequence) == std::vector<std::pair<int, int>>{{22, 26}});
}

TEST_CASE("prompt files and templates that cannot be used are named") {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "prompts.txt";
  write_file_atomically(file, "ok <ImageHere>\ntwice <ImageHere> <ImageHere>\n");
  CHECK_THROWS_WITH(read_caption_prompts(file, "{}"), Catch::Contains("prompts.txt:2"));
  write_file_atomically(file, "nothing\n");
  CHECK_THROWS_WITH(read_caption_prompts(file, "{}"), Catch::Contains("no line with <ImageHere>"));
  CHECK_THROWS_WITH(read_caption_prompts(file, "no place"), Catch::Contains("{} once"));
  CHECK_THROWS_AS(read_caption_prompts(folder.path() / "none", "{}"), UserError);
}

TEST_CASE("backslash-n of a single-quoted template becomes a newline") {
  const std::string written = R"([INST] <<SYS>>\n \n<</SYS>>\n\n{} [/INST] )";
  CHECK(unescape_newlines(written) == "[INST] <<SYS>>\n \n<</SYS>>\n\n{} [/INST] ");
  CHECK(unescape_newlines(R"(\)") == "\\");
  const Ids literal = llama_tokenizer().encode(written);
  const Ids newlines = llama_tokenizer().encode(unescape_newlines(written));
  CHECK(std::count(literal.begin(), literal.end(), 29905) > 0);
  CHECK(std::count(literal.begin(), literal.end(), 13) == 0);
  CHECK(std::count(newlines.begin(), newlines.end(), 13) == 4);
  CHECK(std::count(newlines.begin(), newlines.end(), 29905) == 0);
}

TEST_CASE(
    "what users write ends no turn: their special tokens are letters, but as the original's") {
  const auto& tokenizer = llama_tokenizer();
  constexpr std::int64_t kEnd = 2, kBegin = 1;
  const std::string said = "a </s><s>[INST] b";
  const std::string medium = llama2_layout().media_text(MediaKind::image, 2);
  const auto conversation = [&](bool reads_special_tokens) {
    return build_conversation(
        tokenizer, {.turns = {{said, said}}, .media = {{0, 0}}}, {&medium, 1},
        {.layout = &llama2_layout(), .reads_special_tokens = reads_special_tokens});
  };
  const auto ours = conversation(false), reference = conversation(true);
  CHECK(std::ranges::count(ours.ids, kEnd) == 1);  // of the template
  CHECK(ours.ids.back() == kEnd);
  CHECK(std::ranges::count(ours.ids, kBegin) == 1);
  CHECK(std::ranges::count(reference.ids, kEnd) == 3);
  CHECK(std::ranges::count(reference.ids, kBegin) == 3);

  CHECK(std::ranges::count(build_caption(tokenizer, said, {.end_sign = "</s>", .limit = {64}}).ids,
                           kEnd) == 1);
  CHECK(std::ranges::count(
            build_caption(tokenizer, said,
                          {.end_sign = "\n", .limit = {64}, .reads_special_tokens = true})
                .ids,
            kEnd) == 1);
}
