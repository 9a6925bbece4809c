// The one door between text from files and a terminal or log: what passes it steers nothing.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace vllama {

// Text as a line of its own: control characters, marks that turn the direction of writing, and
// bytes that are not UTF-8 appear as \xNN or \uNNNN, a line end as "\n", or as U+23CE.
std::string visible(std::string_view text, bool has_unicode = false);

// Text of several lines: line ends and tabs stay, all else as above. Strings of JSON stay JSON.
std::string printable(std::string_view text);

// While one lives, all that is written to std::cout and std::cerr is made printable on its way,
// whoever writes it. A character at the end that lacks bytes waits for them. Not to be nested.
class PrintableStreams {
 public:
  PrintableStreams();
  ~PrintableStreams();
  PrintableStreams(const PrintableStreams&) = delete;
  PrintableStreams& operator=(const PrintableStreams&) = delete;

 private:
  class Buffer;
  std::unique_ptr<Buffer> output_, error_;
};

// Standard output and error around that door, for bars and colours that we draw ourselves. Texts
// from files must have gone through visible().
std::ostream& raw_output();
std::ostream& raw_error();

}  // namespace vllama
