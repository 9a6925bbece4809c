// Lines from a terminal, with editing and history (libedit).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/terminal/line_history.h"

namespace vllama::tools {

class LineEditor {
 public:
  // Reads from standard input, whose terminal it sets up while a line is typed and leaves as it was
  // in between. Text is UTF-8 whatever the locale. Settings in ~/.editrc count.
  LineEditor(const std::string& prompt, LineHistory history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // The next line, without its end; nothing at the end of the input, or after Ctrl-D in an empty
  // line. Ctrl-C gives up the line and begins another.
  std::optional<std::string> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether lines can be edited: input and output are a terminal that can move its cursor.
bool can_edit_lines();

}  // namespace vllama::tools
