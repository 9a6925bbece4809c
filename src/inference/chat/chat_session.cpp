#include "inference/chat/chat_session.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "inference/chat/transcript.h"
#include "inference/generate/settings_without_effect.h"
#include "inference/open_model.h"
#include "text/tokenizers/unicode.h"

namespace vllama::inference {
namespace {

constexpr const char* kHelp =
    "Ask anything. Commands:\n"
    "  /open FILE          show a video, an image or a sound before the next question\n"
    "  /reset              forget all questions, answers and media\n"
    "  /params             how answers are made\n"
    "  /params NAME=VALUE  change it; several at a time\n"
    "  /save FILE          write the chat as JSON; /save! replaces a file\n"
    "  /help, /quit\n"
    "Ctrl-C stops an answer, or gives up a line; Ctrl-D ends the chat. In a terminal,\n"
    "arrow keys edit the line and bring back earlier ones, also of chats before;\n"
    "Ctrl-R searches them; Tab completes the name of a file.\n";

std::string stripped(const std::string& text) {
  return std::string(text::strip_right(text::strip_left(text)));
}

}  // namespace

std::string description(const ShownMedium& medium) {
  const std::string file = medium.file.string();
  switch (medium.kind) {
    case MediaKind::image:
      return "an image: " + file;
    case MediaKind::sound:
      return "a sound: " + file;
    default:
      return fmt::format("a video, {} frames, {}: {}", medium.frame_times_seconds.size(),
                         is_heard(medium) ? "with its sound" : "without sound", file);
  }
}

ChatSession::ChatSession(const OpenedModel& opened, ModelChat& conversation,
                         const ShowOptions& options, std::function<bool()> stop_requested)
    : opened_(opened),
      conversation_(conversation),
      options_(options),
      stop_requested_(std::move(stop_requested)) {}

LineSource lines_of(std::istream& input, std::ostream& output, const std::string& prompt) {
  return [&input, &output, prompt]() -> std::optional<std::string> {
    output << prompt << std::flush;
    std::string line;
    if (!std::getline(input, line)) return std::nullopt;
    return line;
  };
}

void ChatSession::run(const LineSource& next_line, std::ostream& output) {
  while (const std::optional<std::string> line = next_line()) {
    try {
      if (!take(stripped(*line), output)) return;
    } catch (const UserError& mistake) {
      output << mistake.what() << "\n";
    } catch (const RunFailure& failure) {
      output << failure.what() << "\n";
    }
  }
  output << "\n";
}

bool ChatSession::take(const std::string& line, std::ostream& output) {
  if (line.empty()) return true;
  if (line.front() != '/') {
    ask(line, output);
    return true;
  }
  const auto space = line.find_first_of(" \t");
  return command(line.substr(0, space),
                 space == std::string::npos ? "" : stripped(line.substr(space)), output);
}

bool ChatSession::command(const std::string& name, const std::string& argument,
                          std::ostream& output) {
  if (name == "/quit" || name == "/exit") return false;
  if (name == "/help") {
    output << kHelp;
  } else if (name == "/open") {
    open(argument, output);
  } else if (name == "/reset") {
    conversation_.reset();
    output << "Forgot everything.\n";
  } else if (name == "/params") {
    set_parameters(argument, output);
  } else if (name == "/save" || name == "/save!") {
    save(argument, name == "/save!", output);
  } else {
    throw UserError(fmt::format("no command {}; /help lists them", name));
  }
  return true;
}

void ChatSession::ask(const std::string& question, std::ostream& output) {
  stop_requested_();  // a Ctrl-C from before
  const Reply reply = conversation_.ask(question, [&](std::string_view text) {
    output << text << std::flush;
    return !stop_requested_();
  });
  output << (reply.answer.end == AnswerEnd::cancelled ? " [stopped]\n" : "\n");
  if (reply.answer.end == AnswerEnd::length)
    output << fmt::format("[cut off after max_new_tokens = {}]\n",
                          conversation_.config().max_new_tokens);
  if (reply.num_dropped_turns > 0)
    output << fmt::format(
        "[the context is full: the model no longer sees the {} oldest of its turns; media stay]\n",
        reply.num_dropped_turns);
}

void ChatSession::open(const std::string& file, std::ostream& output) {
  if (file.empty()) throw UserError("/open needs a file");
  const ShownMedium& shown =
      conversation_.show(show_medium(opened_, std::filesystem::path(file), std::nullopt, options_));
  output << "Shown " << description(shown) << "\n";
  if (!shown.warning.empty()) output << "Warning: " << shown.warning << "\n";
}

void ChatSession::save(const std::string& file, bool may_replace, std::ostream& output) const {
  if (file.empty()) throw UserError("/save needs a file");
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown))
    throw UserError(fmt::format("'{}' is a folder", file));
  const bool exists = std::filesystem::exists(file, unknown);
  if (exists && !may_replace)
    throw UserError(fmt::format("'{0}' exists; /save! {0} replaces it", file));
  write_file_atomically(file, transcript(conversation_, opened_).dump(2) + "\n");
  output << (exists ? "Replaced " : "Wrote ") << file << "\n";
}

void ChatSession::set_parameters(const std::string& assignments, std::ostream& output) {
  GenerationConfig config = conversation_.config();
  config::Tree tree = config::load_text(config::dump(config), "parameters");
  std::set<std::string> names;
  std::istringstream words(assignments);
  for (std::string word; words >> word;) {
    config::apply_override(tree, word);
    names.insert(word.substr(0, word.find('=')));
  }
  conversation_.set_config(config::read<GenerationConfig>(tree));
  output << config::dump(conversation_.config());
  for (const std::string& note : without_effect(conversation_.config(), names))
    output << "Note: " << note << "\n";
}

}  // namespace vllama::inference
