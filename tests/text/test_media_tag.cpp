// Tags of media that stand in a text as text, and what only looks like one.
#include <catch2/catch.hpp>

#include "text/media_tag.h"

using vllama::text::media_tag_in;

TEST_CASE("media tags: as data sets write them, the first of a text") {
  for (const char* tag :
       {"<image>", "<video>", "<audio>", "<Image>", "<VIDEO>", "</Video>", "<Img>", "<ImageHere>",
        "<VideoHere>", "<image_1>", "<image1>", "<|image|>", "<|video_pad|>", "<video_start>",
        "<image-placeholder>", "<sound>", "<speech>", "<vid>", "<|image_end|>"}) {
    INFO(tag);
    CHECK(media_tag_in(tag) == tag);
    CHECK(media_tag_in("see " + std::string(tag) + " here <image>") == tag);
  }
  CHECK(media_tag_in("<Video><ImageHere></Video>") == "<Video>");
  CHECK(media_tag_in("a < b <<image>") == "<image>");
}

TEST_CASE("media tags: other text is none") {
  for (const char* text :
       {"", "an image", "<", "<>", "<image", "image>", "a < image and b > c", "<imagine>",
        "<img src='a.jpg'>", "<video controls>", "<s>", "<b>image</b>", "<imagery>",
        "1<2 video 3>2", "< im age", "<image\xC3\xA9>"}) {
    INFO(text);
    CHECK(media_tag_in(text).empty());
  }
}
