// JSON that is nested deeper than a stack can follow is told by its text alone.
#include <catch2/catch.hpp>
#include <string>

#include "core/json_depth.h"

using vllama::is_nested_too_deep;
using vllama::kMaxJsonDepth;

namespace {

std::string nested(int depth, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += "1";
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("nesting is allowed up to the limit") {
  for (const auto& [open, close] :
       {std::pair<std::string, std::string>{"[", "]"}, {R"({"a": )", "}"}}) {
    CHECK_FALSE(is_nested_too_deep(nested(kMaxJsonDepth, open, close)));
    CHECK(is_nested_too_deep(nested(kMaxJsonDepth + 1, open, close)));
  }
  CHECK(is_nested_too_deep(std::string(1'000'000, '[')));
}

TEST_CASE("only brackets that are open at once count") {
  std::string list = "[";
  for (int i = 0; i < 1000; ++i) list += R"({"key": [1, "x"]}, )";
  CHECK_FALSE(is_nested_too_deep(list + "0]"));
  CHECK_FALSE(is_nested_too_deep('"' + std::string(1000, '[') + '"'));
  CHECK_FALSE(is_nested_too_deep(R"(["\")" + std::string(1000, '{') + R"("])"));
  CHECK(is_nested_too_deep(R"(["\\")" + std::string(1000, '{')));
  CHECK_FALSE(is_nested_too_deep(""));
  CHECK_FALSE(is_nested_too_deep("\"\\"));
}
