// What reaches a terminal or log from texts of files.
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "core/files.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using Catch::Contains;

namespace {

// Collects what a stream writes while it lives.
class Caught {
 public:
  explicit Caught(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Caught() { stream_.rdbuf(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostream& stream_;
  std::ostringstream text_;
  std::streambuf* before_;
};

}  // namespace

TEST_CASE("terminal text: nothing that steers a terminal passes") {
  CHECK(printable("a\tb\nc") == "a\tb\nc");
  CHECK(printable("\x1b]0;owned\x07\x1b[31m\r") == "\\x1b]0;owned\\x07\\x1b[31m\\x0d");
  CHECK(printable("\x7f\xc2\x9b"
                  "1m") == "\\u007f\\u009b1m");
  CHECK(printable("\xe2\x80\xae"
                  "abc\xe2\x81\xa6") == "\\u202eabc\\u2066");
  CHECK(printable("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80") ==
        "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80");
  // Latin-1, and the C1 control of an 8-bit terminal.
  CHECK(printable("caf\xe9\x9b") == "caf\\xe9\\x9b");
  CHECK(visible("a\nb\tc") == "a\\nb\\x09c");
  CHECK(visible("a\nb", true) ==
        "a\xe2\x8f\x8e"
        "b");
}

TEST_CASE("terminal text: the streams are clean whoever writes, in whatever pieces") {
  const Caught output(std::cout), error(std::cerr);
  {
    const PrintableStreams clean;
    std::cout << "a\x1b[2J" << 7 << "\n";
    std::cerr << "b\xc2" << std::flush << "\x9b" << 'c' << '\x07' << std::endl;
    std::cerr << "\xf0\x9f" << std::flush;
    std::cerr << "\x98\x80 \xe6\x97";
  }
  CHECK(output.text() == "a\\x1b[2J7\n");
  CHECK(error.text() == "b\\u009bc\\x07\n\xf0\x9f\x98\x80 \\xe6\\x97");
  std::cout << "\x1b";
  CHECK(output.text().ends_with("\x1b"));
}

TEST_CASE("terminal text: a message of the log is clean, and no line of it looks like another") {
  const test::TemporaryFolder folder;
  const auto before = spdlog::default_logger();
  log::start();
  log::quiet();
  log::also_to_file(folder.path() / "log.txt");
  log::error("'{}' has no column", "\x1b]0;owned\x07\n2026-01-01 00:00:00.000 info all is well");
  log::to_files(spdlog::level::info, "\xc2\x9b");
  spdlog::set_default_logger(before);
  const std::string text = read_file(folder.path() / "log.txt");
  CHECK_THAT(text, Contains("\\x1b]0;owned\\x07\n    2026-01-01") && Contains("\\u009b"));
  CHECK(text.find_first_of("\x1b\x07\x9b") == std::string::npos);
}
