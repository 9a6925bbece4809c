// An interactive chat: lines from the user, questions or commands, answers as they are made.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "inference/chat/model_chat.h"

namespace vllama::inference {

// The next line of the user's, without its end; nothing when there are no more.
using LineSource = std::function<std::optional<std::string>()>;

// Lines of a stream; `prompt` is written to `output` in front of each.
LineSource lines_of(std::istream& input, std::ostream& output, const std::string& prompt);

class ChatSession {
 public:
  // All references outlive the session. `stop_requested` is asked after every token and resets
  // itself.
  ChatSession(const OpenedModel& opened, ModelChat& conversation, const ShowOptions& options,
              std::function<bool()> stop_requested);

  // Takes lines until their end or /quit. Mistakes of the user's are told and do not end the chat.
  void run(const LineSource& next_line, std::ostream& output);

 private:
  bool take(const std::string& line, std::ostream& output);
  bool command(const std::string& name, const std::string& argument, std::ostream& output);
  void ask(const std::string& question, std::ostream& output);
  void open(const std::string& file, std::ostream& output);
  void save(const std::string& file, bool may_replace, std::ostream& output) const;
  void set_parameters(const std::string& assignments, std::ostream& output);

  const OpenedModel& opened_;
  ModelChat& conversation_;
  ShowOptions options_;
  std::function<bool()> stop_requested_;
};

// "a video, 8 frames, with its sound: clip.mp4"
std::string description(const ShownMedium& medium);

}  // namespace vllama::inference
