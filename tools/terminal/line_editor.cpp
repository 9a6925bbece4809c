#include "tools/terminal/line_editor.h"

#include <histedit.h>
#include <signal.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace vllama::tools {
namespace {

using EditorHandle = std::unique_ptr<EditLine, decltype(&::el_end)>;
using HistoryHandle = std::unique_ptr<History, decltype(&::history_end)>;
using LocaleHandle = std::unique_ptr<std::remove_pointer_t<locale_t>, decltype(&::freelocale)>;

// libedit keeps this many lines to go back to.
constexpr int kMostEarlierLines = 1000;

// While it lives, this thread takes text for UTF-8; nothing else of the locale changes, and for no
// other thread.
class Utf8Here {
 public:
  explicit Utf8Here(locale_t utf8) : before_(::uselocale(utf8)) {}
  ~Utf8Here() { ::uselocale(before_); }
  Utf8Here(const Utf8Here&) = delete;
  Utf8Here& operator=(const Utf8Here&) = delete;

 private:
  locale_t before_;
};

}  // namespace

struct LineEditor::State {
  State(std::string shown, LineHistory lines);

  void remember(const std::string& line) const {
    HistEvent ignored;
    ::history(earlier.get(), &ignored, H_ENTER, line.c_str());
  }
  void bind(const char* key, const char* action) const {
    ::el_set(editor.get(), EL_BIND, key, action, nullptr);
  }

  static State& of(EditLine* editor) {
    void* state = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &state);
    return *static_cast<State*>(state);
  }
  static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }
  // Ends the line as Enter does, so that the cursor comes to stand below it.
  static unsigned char give_up(EditLine* editor, int) {
    of(editor).is_given_up = true;
    char enter[] = "\n";
    ::el_push(editor, enter);
    return CC_NORM;
  }

  // libedit's handlers of SIGTSTP and SIGCONT change the terminal's mode.
  static unsigned char suspend(EditLine*, int) {
    ::raise(SIGTSTP);
    return CC_REFRESH;
  }

  std::string prompt;
  LineHistory history;
  LocaleHandle utf8;
  HistoryHandle earlier;
  EditorHandle editor{nullptr, &::el_end};
  bool is_given_up = false;
};

LineEditor::State::State(std::string shown, LineHistory lines)
    : prompt(std::move(shown)),
      history(std::move(lines)),
      utf8(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr), &::freelocale),
      earlier(::history_init(), &::history_end) {
  const Utf8Here here(utf8 ? utf8.get() : LC_GLOBAL_LOCALE);
  editor.reset(::el_init("vllama", stdin, stdout, stderr));
  VLLAMA_ASSERT(editor && earlier, "libedit has its memory");
  HistEvent ignored;
  ::history(earlier.get(), &ignored, H_SETSIZE, kMostEarlierLines);
  ::history(earlier.get(), &ignored, H_SETUNIQUE, 1);
  for (const std::string& line : history.lines()) remember(line);
  ::el_set(editor.get(), EL_CLIENTDATA, this);
  ::el_set(editor.get(), EL_PROMPT, &State::prompt_of);
  ::el_set(editor.get(), EL_HIST, &::history, earlier.get());
  ::el_set(editor.get(), EL_SIGNAL, 1);  // windows that change their size, and being stopped
  ::el_set(editor.get(), EL_EDITOR, "emacs");
  ::el_set(editor.get(), EL_ADDFN, "vllama-give-up", "Gives up the line", &State::give_up);
  ::el_set(editor.get(), EL_ADDFN, "vllama-suspend", "Stops the program", &State::suspend);
  ::el_set(editor.get(), EL_ADDFN, "vllama-complete", "Completes a file's name",
           &::_el_fn_complete);
  // While a line is typed, Ctrl-C and Ctrl-Z are keys and no signals.
  ::el_set(editor.get(), EL_SETTY, "-d", "-isig", nullptr);
  bind("^C", "vllama-give-up");
  bind("^Z", "vllama-suspend");
  bind("^I", "vllama-complete");
  bind("^R", "em-inc-search-prev");
  // What terminals send for Home, End, Delete, and Control with the arrows.
  for (const char* key : {"\\e[H", "\\eOH", "\\e[1~"}) bind(key, "ed-move-to-beg");
  for (const char* key : {"\\e[F", "\\eOF", "\\e[4~"}) bind(key, "ed-move-to-end");
  bind("\\e[3~", "ed-delete-next-char");
  bind("\\e[1;5D", "ed-prev-word");
  bind("\\e[1;5C", "em-next-word");
  ::el_source(editor.get(), nullptr);
}

LineEditor::LineEditor(const std::string& prompt, LineHistory history)
    : state_(std::make_unique<State>(prompt, std::move(history))) {}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::next() {
  const Utf8Here here(state_->utf8 ? state_->utf8.get() : LC_GLOBAL_LOCALE);
  state_->is_given_up = false;
  // By itself libedit shows the prompt first: keys of a quick user came in between.
  ::el_set(state_->editor.get(), EL_PREP_TERM, 1);
  int length = 0;
  const char* text = ::el_gets(state_->editor.get(), &length);
  if (text == nullptr || length <= 0) return std::nullopt;
  if (state_->is_given_up) return "";
  std::string line(text, static_cast<std::size_t>(length));
  line.erase(line.find_last_not_of('\n') + 1);
  if (line.find_first_not_of(" \t") != std::string::npos) {
    state_->remember(line);
    state_->history.add(line);
  }
  return line;
}

bool can_edit_lines() {
  const char* terminal = std::getenv("TERM");
  const std::string_view name = terminal == nullptr ? "" : terminal;
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && !name.empty() &&
         name != "dumb";
}

}  // namespace vllama::tools
