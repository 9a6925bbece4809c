// Text in other encodings, and files that are no text.
#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.h"
#include "core/text_encoding.h"
#include "core/utf8.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace std::string_literals;
using Catch::Contains;

TEST_CASE("text encoding: UTF-8 and UTF-16, with and without a byte order mark") {
  const std::string text = "[\"caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80\"]";
  const std::string little = "[\0\"\0c\0a\0f\0\xe9\0 \0\xe5\x65 \0\x3d\xd8\x00\xde\"\0]\0"s;
  std::string big = little;
  for (std::size_t i = 0; i + 1 < big.size(); i += 2) std::swap(big[i], big[i + 1]);
  CHECK(utf8_text(text) == text);
  CHECK(utf8_text(std::string(kByteOrderMark) + text) == text);
  CHECK(utf8_text(little) == text);
  CHECK(utf8_text(big) == text);
  CHECK(utf8_text("\xff\xfe"s + little) == text);
  CHECK(utf8_text("\xfe\xff"s + big) == text);
  CHECK(utf8_text("") == "");
  // Half of a surrogate pair, and half a character: not UTF-8, so that what has them can be told.
  CHECK_FALSE(is_utf8(utf8_text("\xff\xfe[\0\x3d\xd8]\0"s)));
  CHECK_FALSE(is_utf8(utf8_text("\xff\xfe[\0]"s)));
}

TEST_CASE("text encoding: what is no text is named, with what to do") {
  const auto refusal = [](const std::string& bytes, const std::string& name) {
    return text_refusal(bytes, name);
  };
  CHECK(refusal("[{}]", "a.json").empty());
  CHECK(refusal("\xff\xfe[\0]\0"s, "a.json").empty());
  CHECK_THAT(refusal("\xff\xfe\0\0[\0\0\0"s, "a.json"), Contains("UTF-32") && Contains("iconv"));
  CHECK_THAT(refusal("\0\0\0[\0\0\0]"s, "a.json"), Contains("UTF-32"));
  CHECK_THAT(refusal("\x1f\x8b\x08", "a.tar.gz"), Contains("a .tar.gz") && Contains("gunzip"));
  CHECK_THAT(refusal("\x1f\x8b\x08", "a.tgz"), Contains("a .tgz"));
  CHECK_THAT(refusal("\x1f\x8b\x08", "a.json.gz"), Contains("compressed with gzip"));
  CHECK_THAT(refusal("\x28\xb5\x2f\xfd", "a.jsonl.zst"), Contains("zstd"));
  CHECK_THAT(refusal("PK\x03\x04", "a.zip"), Contains(".zip"));
  CHECK_THAT(refusal("PAR1\x15", "a.parquet"), Contains("Parquet") && Contains("read_parquet"));
  CHECK_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid", "a.json"),
             Contains("Git LFS"));
  CHECK_THAT(refusal("\n<!DOCTYPE html><html>", "a.json"), Contains("web page"));
  CHECK_THAT(refusal(std::string(257, '\0') + "ustar\0"s, "a.tar"), Contains("tar archive"));
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "a.json.gz", std::ios::binary) << "\x1f\x8b\x08";
  CHECK_THROWS_WITH(read_text_file(folder.path() / "a.json.gz"),
                    Contains("a.json.gz") && Contains("gzip"));
}
