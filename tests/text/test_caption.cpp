#include <catch2/catch.hpp>

#include "core/error.h"
#include "tests/support/fixtures.h"
#include "tests/text/golden_text.h"
#include "text/caption.h"
#include "text/time_message.h"
#include "text/tokenizers/unicode.h"

using namespace vllama;
using text::CaptionCleaner;
using text::lower_case;
using text::time_message;

TEST_CASE("captions are cleaned as by the original") {
  const CaptionCleaner clean;
  CHECK(clean("  A Dog. (running) on #the *beach*; \"fast\": ~yes!  ") ==
        "a dog running on the beach fast yes");
  CHECK(clean("5:30 pm; 10%") == "5 30 pm 10%");
  CHECK(clean("tab\tstays, two\t\tgo") == "tab\tstays, two go");
  CHECK(clean("a\u00a0\u2003b") == "a b");
  CHECK(clean("end .\n\n") == "end");
  CHECK(clean("...").empty());
  CHECK(clean("").empty());
  CHECK(CaptionCleaner{.max_words = 2, .prompt = "a photo of "}("One two THREE") ==
        "a photo of one two");
}

TEST_CASE("every recorded caption is cleaned as by the original") {
  VLLAMA_SHARED_FILE(path, "goldens/text/caption_processor.json");
  for (const auto& entry : test::read_json(path)) {
    const std::string input = entry["input"];
    INFO(input);
    CHECK(CaptionCleaner()(input) == entry["output"].get<std::string>());
  }
}

TEST_CASE("lower case follows the full Unicode mapping") {
  CHECK(lower_case("\u0130") == "i\u0307");  // one character becomes two
  CHECK(lower_case("\u1e9e \u01c5") == "\u00df \u01c6");
  CHECK(lower_case("\u039f\u03a3 \u03a3\u039f") == "\u03bf\u03c2 \u03c3\u03bf");  // final sigma
  CHECK(lower_case("\u2126 \u212a") == "\u03c9 k");  // the Ohm and Kelvin signs
  CHECK(lower_case("\U00010400") == "\U00010428");
  CHECK(lower_case("A\xff"
                   "B\xc3") ==
        "a\xff"
        "b\xc3");  // not UTF-8
}

TEST_CASE("times have one decimal, ties go to the even digit") {
  const std::vector<std::int64_t> indices = {0, 1, 2, 3};
  CHECK(time_message(indices, 4) ==
        "The video contains 4 frames sampled at 0.0, 0.2, 0.5, 0.8 seconds. ");
  CHECK(time_message(std::vector<std::int64_t>{5}, 100) ==
        "The video contains 1 frames sampled at 0.1 seconds. ");  // 0.05 lies above a tie
  CHECK(time_message(std::vector<std::int64_t>{35}, 100) ==
        "The video contains 1 frames sampled at 0.3 seconds. ");  // 0.35 lies below one
  CHECK_THROWS_AS(time_message(indices, 0), InternalError);
}

TEST_CASE("every recorded time message is met") {
  VLLAMA_SHARED_FILE(messages_path, "goldens/text/time_messages.json");
  VLLAMA_SHARED_FILE(frames_path, "goldens/media/frame_indices.json");
  const auto frames = test::read_json(frames_path);
  for (const auto& entries : {test::read_json(messages_path), frames["time_messages"]})
    for (const auto& entry : entries)
      CHECK(time_message(entry["indices"].get<test::Ids>(), entry["fps"]) ==
            entry["msg"].get<std::string>());
  for (const auto& clip : frames["clips"])
    CHECK(time_message(clip["indices"].get<test::Ids>(), clip["avg_fps"]) ==
          clip["time_message"].get<std::string>());
}
