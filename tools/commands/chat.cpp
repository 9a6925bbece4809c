// vllama chat: talk to a trained model about videos, images and sounds.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/signal_thread.h"
#include "distributed/device.h"
#include "inference/chat/chat_session.h"
#include "inference/chat/transcript.h"
#include "inference/generate/settings_without_effect.h"
#include "tools/command_line/config_options.h"
#include "tools/command_line/enum_option.h"
#include "tools/commands/commands.h"
#include "tools/terminal/line_editor.h"
#include "train/saved/open_saved.h"

namespace vllama::tools {
namespace {

struct ChatArguments {
  std::string model, system;
  std::optional<text::LayoutKind> layout;
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  std::vector<std::string> overrides, prompts;
  std::vector<std::pair<MediaKind, std::string>> media;
  std::int64_t num_frames = 0, num_threads = 0;
  bool no_sound = false, json = false;
  std::vector<std::string> generation;  // assignments to GenerationConfig
};

std::atomic<bool> interrupted = false;

// While it lives, Ctrl-C is only remembered. A SignalThread takes it.
class RememberedInterrupts {
 public:
  RememberedInterrupts() {
    ::signal(SIGINT, [](int) { interrupted = true; });
  }
  ~RememberedInterrupts() { ::signal(SIGINT, SIG_DFL); }
  RememberedInterrupts(const RememberedInterrupts&) = delete;
  RememberedInterrupts& operator=(const RememberedInterrupts&) = delete;
};

inference::ChatSettings settings_of(const ChatArguments& arguments,
                                    const inference::OpenedModel& opened) {
  inference::ChatSettings settings = opened.chat;
  settings.layout = arguments.layout.value_or(settings.layout);
  if (!arguments.system.empty()) settings.system = arguments.system;
  if (arguments.num_frames > 0) settings.num_frames = arguments.num_frames;
  return settings;
}

// With the answers as they are made, or all of it as JSON.
void answer_prompts(const ChatArguments& arguments, const inference::OpenedModel& opened,
                    inference::ModelChat& conversation) {
  for (const std::string& prompt : arguments.prompts) {
    const inference::Reply reply = conversation.ask(prompt, [&](std::string_view text) {
      if (!arguments.json) std::cout << text << std::flush;
      return true;
    });
    if (!arguments.json) std::cout << "\n";
    if (reply.num_dropped_turns > 0)
      log::warn("the context is full: the model no longer sees the {} oldest of its turns",
                reply.num_dropped_turns);
  }
  if (arguments.json) std::cout << inference::transcript(conversation, opened).dump(2) << "\n";
}

void warn_of_useless(const std::vector<std::string>& assignments,
                     const inference::GenerationConfig& config) {
  std::set<std::string> names;
  for (const std::string& assignment : assignments)
    names.insert(assignment.substr(0, assignment.find('=')));
  for (const std::string& note : inference::without_effect(config, names)) log::warn("{}", note);
}

// From a terminal with editing and history; from anything else as they come.
inference::LineSource lines_from_user() {
  const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
  if (is_terminal) std::cout << "Ask, or /open FILE; /help lists the commands.\n" << std::flush;
  if (!can_edit_lines()) return inference::lines_of(std::cin, std::cout, is_terminal ? "> " : "");
  const auto editor = std::make_shared<LineEditor>("> ", LineHistory(chat_history_file()));
  return [editor] { return editor->next(); };
}

void chat(const ChatArguments& arguments) {
  if (arguments.json && arguments.prompts.empty())
    throw UserError("--json prints what --prompt asked: give at least one --prompt");
  const auto config = config_from<inference::GenerationConfig>(arguments.generation);
  warn_of_useless(arguments.generation, config);
  const bool is_interactive = arguments.prompts.empty();
  std::optional<SignalThread> signals;  // before any other thread
  if (is_interactive) signals.emplace();
  distributed::set_num_threads(arguments.num_threads);
  const inference::OpenedModel opened =
      train::open_saved(arguments.model, distributed::chosen_device(arguments.device),
                        {.overrides = arguments.overrides});
  const inference::ChatSettings settings = settings_of(arguments, opened);
  inference::ModelChat conversation(opened, settings, config);
  const inference::ShowOptions options{.num_frames = settings.num_frames,
                                       .time_message = settings.time_message,
                                       .sound = !arguments.no_sound};
  for (const auto& [as, file] : arguments.media) {
    const auto& shown = conversation.show(inference::show_medium(opened, file, as, options));
    if (!shown.warning.empty()) log::warn("{}", shown.warning);
    if (is_interactive) std::cout << "Shown " << inference::description(shown) << "\n";
  }
  if (!is_interactive) return answer_prompts(arguments, opened, conversation);
  const RememberedInterrupts interrupts;  // until here Ctrl-C ends the program
  inference::ChatSession(opened, conversation, options, [] {
    return interrupted.exchange(false);
  }).run(lines_from_user(), std::cout);
}

void add_media_option(CLI::App& command, const char* name, MediaKind as, const char* help,
                      const std::shared_ptr<ChatArguments>& arguments) {
  command
      .add_option_function<std::vector<std::string>>(
          name,
          [arguments, as](const std::vector<std::string>& files) {
            for (const std::string& file : files) arguments->media.emplace_back(as, file);
          },
          help)
      ->allow_extra_args(false);
}

}  // namespace

void add_chat(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("chat", "Talk to a trained model about videos, images and sounds.");
  command->footer(
      "Example:\n  vllama chat demo_model --video clip.mp4\n"
      "  vllama chat runs/demo_vision_stage2 --image cat.jpg --prompt 'What is this?' --json\n\n"
      "Without --prompt it is interactive: answers appear as they are made, /help lists the "
      "commands, Ctrl-C stops an answer. Media are shown in the order video, image, audio.");
  const auto arguments = std::make_shared<ChatArguments>();
  command
      ->add_option("model", arguments->model,
                   "a bundle; a step's folder; a run's folder: its newest step; RUN/best; a "
                   "RUN.yaml: the weights that it names")
      ->required();
  add_media_option(*command, "--video", MediaKind::video, "a video; may be repeated", arguments);
  add_media_option(*command, "--image", MediaKind::image, "an image; may be repeated", arguments);
  add_media_option(*command, "--audio", MediaKind::sound,
                   "a sound, for a model with an audio branch; may be repeated", arguments);
  command->add_flag("--no-sound", arguments->no_sound, "show videos without their sound");
  command->add_option("--prompt", arguments->prompts, "a question; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--json", arguments->json, "print the whole chat as one JSON object");
  add_enum_option(*command, "--template", arguments->layout,
                  "layout of the prompts: that of the released checkpoints, or that of training; "
                  "default: what the model was trained with");
  command->add_option("--system", arguments->system, "system text of the reference template");
  command->add_option("--frames", arguments->num_frames, "frames taken from a video")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{4096}));
  add_enum_option(*command, "--device", arguments->device, "auto takes a GPU when there is one");
  command->add_option("--threads", arguments->num_threads, "threads of CPU mathematics")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1024}));
  command
      ->add_option("--set", arguments->overrides,
                   "key=value, over the model's configuration; may be repeated")
      ->allow_extra_args(false);
  add_config_options<inference::GenerationConfig>(*command, "Answers", arguments->generation);
  command->callback([arguments] { chat(*arguments); });
}

}  // namespace vllama::tools
