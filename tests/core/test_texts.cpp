// Texts for people: lines that fit, and the name that was meant.
#include <catch2/catch.hpp>
#include <sstream>

#include "core/nearest_name.h"
#include "core/wrapped_text.h"

using namespace vllama;

TEST_CASE("texts are broken at spaces, and their own line ends stay") {
  CHECK(wrapped("", 10) == "");
  CHECK(wrapped("a b", 10) == "a b\n");
  CHECK(wrapped("one two three", 7) == "one two\nthree\n");
  CHECK(wrapped("one two three", 7, 2) == "  one\n  two\n  three\n");
  CHECK(wrapped("one\n\ntwo  three", 80, 1) == " one\n\n two three\n");
  CHECK(wrapped("a extraordinarily b", 5) == "a\nextraordinarily\nb\n");
  CHECK(wrapped("ends\n", 80) == "ends\n");
}

TEST_CASE("the nearest name: few edits, or the same beginning") {
  const std::vector<std::string> names{"train", "eval", "toy-base", "toy-world", "show"};
  CHECK(nearest_name("trian", names) == "train");
  CHECK(nearest_name("eva", names) == "eval");
  CHECK(nearest_name("evaluate", names) == "eval");
  CHECK(nearest_name("toy", names) == "toy-base");
  CHECK(nearest_name("toy-wrld", names) == "toy-world");
  CHECK_FALSE(nearest_name("fly", names));
  CHECK_FALSE(nearest_name("x", names));
  CHECK_FALSE(nearest_name("", names));
  CHECK_FALSE(nearest_name("train", {}));
}
