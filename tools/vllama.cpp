// The command line: one subcommand per job.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "core/error.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "core/version.h"
#include "tools/command_line/command_line.h"
#include "tools/command_line/help_format.h"
#include "tools/commands/commands.h"

namespace {

constexpr int kFailedRun = 1;
constexpr int kUserMistake = 2;

void add_commands(CLI::App& program, int& exit_status) {
  vllama::tools::add_train(program, exit_status);
  vllama::tools::add_check(program, exit_status);
  vllama::tools::add_import_config(program);
  vllama::tools::add_show(program);
  vllama::tools::add_export(program);
  vllama::tools::add_chat(program);
  vllama::tools::add_inspect(program);
  vllama::tools::add_tokenize(program);
  vllama::tools::add_make_weights(program);
  vllama::tools::add_convert(program);
  vllama::tools::add_toy_world(program);
  vllama::tools::add_eval(program);
  vllama::tools::add_compare(program);
  vllama::tools::add_read_judge(program);
  vllama::tools::add_bench(program);
  vllama::tools::add_toy_base(program, exit_status);
}

// A name that a user gave and that nothing had looked at before; else the machine is at fault.
bool is_about_name(const std::error_code& code) {
  constexpr std::array kOfNames = {std::errc::filename_too_long,
                                   std::errc::permission_denied,
                                   std::errc::no_such_file_or_directory,
                                   std::errc::not_a_directory,
                                   std::errc::is_a_directory,
                                   std::errc::file_exists,
                                   std::errc::too_many_symbolic_link_levels};
  return std::ranges::any_of(kOfNames, [&](std::errc name) { return code == name; });
}

}  // namespace

int main(int argc, char** argv) {
  const vllama::PrintableStreams clean_streams;
  vllama::log::start();
  int exit_status = 0;
  CLI::App program("Train, and look into, Video-LLaMA: language models that see video.", "vllama");
  program.require_subcommand(1);
  program.set_version_flag("--version", "vllama " + vllama::program_version(),
                           "print the version and exit");
  vllama::tools::use_help_format(program);
  add_commands(program, exit_status);
  try {
    vllama::tools::require_known_commands(program, argc, argv);
    program.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    std::cerr << "vllama: " << vllama::tools::explain_extras(program) << "\n";
    return kUserMistake;
  } catch (const CLI::ParseError& mistake) {
    return program.exit(mistake) == 0 ? 0 : kUserMistake;
  } catch (const vllama::UserError& mistake) {
    std::cerr << "vllama: " << mistake.what() << "\n";
    return kUserMistake;
  } catch (const std::filesystem::filesystem_error& failure) {
    std::cerr << "vllama: cannot use '" << failure.path1().string()
              << "': " << failure.code().message() << "\n";
    return is_about_name(failure.code()) ? kUserMistake : kFailedRun;
  } catch (const std::exception& failure) {
    std::cerr << "vllama: " << failure.what() << "\n";
    return kFailedRun;
  }
  return exit_status;
}
