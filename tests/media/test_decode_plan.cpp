// Which pictures are decoded for which targets, on clips given as letters.
#include <catch2/catch.hpp>

#include "media/decode_plan.h"

using namespace vllama::media;

namespace {

// A clip in file order: 'E' an entry, 'r' a frame that others refer to, 'd' one that none does.
// Without `display`, frames are shown in the order of the file.
std::vector<CodedPicture> clip(const std::string& letters,
                               const std::vector<std::int64_t>& display = {}) {
  std::vector<CodedPicture> pictures;
  for (std::size_t i = 0; i < letters.size(); ++i)
    pictures.push_back(
        {.display_index = display.empty() ? static_cast<std::int64_t>(i) : display[i],
         .is_entry = letters[i] == 'E',
         .is_droppable = letters[i] == 'd'});
  return pictures;
}

// The pictures of a plan as "0 2 | 5*": '|' where decoding starts anew, '*' after targets.
std::string plan(const std::vector<CodedPicture>& pictures,
                 const std::vector<std::int64_t>& targets) {
  std::string text;
  for (const DecodeStep& step : plan_decode(pictures, targets)) {
    if (!text.empty()) text += ' ';
    if (step.starts_anew) text += "| ";
    text += std::to_string(step.coded);
    if (step.is_target) text += '*';
  }
  return text;
}

}  // namespace

TEST_CASE("frames that no other refers to are left out unless they are asked for") {
  CHECK(plan(clip("Erdrdrd"), {5}) == "0 1 3 5*");
  CHECK(plan(clip("Erdrdrd"), {2, 6}) == "0 1 2* 3 5 6*");
}

TEST_CASE("decoding begins at the last entry before a target and ends with the last target") {
  CHECK(plan(clip("ErrErrErr"), {4}) == "3 4*");
  CHECK(plan(clip("ErrErrErr"), {1, 7}) == "0 1* | 6 7*");
  CHECK(plan(clip("ErrErrErr"), {2, 4}) == "0 1 2* 3 4*");
  CHECK(plan(clip("ErrErrErr"), {}) == "");
}

TEST_CASE("a target shown before the entry it follows needs the entry before") {
  const auto pictures = clip("ErErr", {0, 1, 4, 2, 3});  // 3 and 4 lead entry 2
  CHECK(plan(pictures, {2}) == "2*");
  CHECK(plan(pictures, {3}) == "0 1 2 3*");
  CHECK(plan(pictures, {2, 4}) == "0 1 2* 3 4*");
}

TEST_CASE("a clip that begins without an entry is decoded from its first picture") {
  CHECK(plan(clip("rrdEr"), {1}) == "0 1*");
  CHECK(plan(clip("dr"), {1}) == "1*");
}
