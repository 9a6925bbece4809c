#include "core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include "core/error.h"
#include "core/terminal_text.h"

namespace vllama::log {

namespace {

// Messages name files and quote what stands in them: none of it may steer a terminal, or look like
// a line of the log's own.
class CleanFormatter : public spdlog::formatter {
 public:
  explicit CleanFormatter(std::string pattern)
      : pattern_(std::move(pattern)), formatter_(pattern_) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    std::string text = printable({message.payload.data(), message.payload.size()});
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', end + 1))
      text.insert(end + 1, "    ");
    spdlog::details::log_msg clean = message;
    clean.payload = text;
    formatter_.format(clean, line);
    message.color_range_start = clean.color_range_start;
    message.color_range_end = clean.color_range_end;
  }

  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<CleanFormatter>(pattern_);
  }

 private:
  std::string pattern_;
  spdlog::pattern_formatter formatter_;
};

std::string terminal_pattern(const std::string& mark) {
  // On a terminal a line takes the place of a progress bar, whatever is left of it.
  const std::string erase = ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";
  return erase + "%H:%M:%S %^%l%$ " + mark + "%v";
}

}  // namespace

void start() {
  auto logger = std::make_shared<spdlog::logger>(
      "vllama", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_formatter(std::make_unique<CleanFormatter>(terminal_pattern("")));
  spdlog::set_default_logger(logger);
}

void mark_rank(std::int64_t rank) {
  const auto& terminal = spdlog::default_logger()->sinks().front();
  terminal->set_formatter(
      std::make_unique<CleanFormatter>(terminal_pattern("rank " + std::to_string(rank) + ": ")));
  terminal->set_level(spdlog::level::warn);
}

void quiet() {
  spdlog::set_level(spdlog::level::err);
}

void to_files(spdlog::level::level_enum level, const std::string& text) {
  const auto& sinks = spdlog::default_logger()->sinks();
  for (std::size_t i = 1; i < sinks.size(); ++i) {
    sinks[i]->log({spdlog::default_logger()->name(), level, text});
    sinks[i]->flush();
  }
}

void also_to_file(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    sink->set_formatter(std::make_unique<CleanFormatter>("%Y-%m-%d %H:%M:%S.%e %l %v"));
    spdlog::default_logger()->sinks().push_back(sink);
    spdlog::flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& failure) {
    throw RunFailure(std::string("cannot open the log file: ") + failure.what());
  }
}

}  // namespace vllama::log
