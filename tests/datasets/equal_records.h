// Whether two records are the same but for where their media lie.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>

#include "datasets/entries/record.h"

namespace vllama::datasets {

// Checks all but the sources of the media; those of the same number may be compared afterwards.
inline void check_equal_but_sources(const Record& actual, const Record& expected) {
  CHECK(actual.id == expected.id);
  REQUIRE(actual.media.size() == expected.media.size());
  for (std::size_t i = 0; i < expected.media.size(); ++i) {
    CHECK(actual.media[i].kind == expected.media[i].kind);
    CHECK(actual.media[i].start_seconds == expected.media[i].start_seconds);
    CHECK(actual.media[i].end_seconds == expected.media[i].end_seconds);
  }
  CHECK(actual.conversation.media == expected.conversation.media);
  REQUIRE(actual.conversation.turns.size() == expected.conversation.turns.size());
  for (std::size_t i = 0; i < expected.conversation.turns.size(); ++i) {
    CHECK(actual.conversation.turns[i].question == expected.conversation.turns[i].question);
    CHECK(actual.conversation.turns[i].answer == expected.conversation.turns[i].answer);
  }
}

}  // namespace vllama::datasets
