// What the program says in its log while a test looks.
#pragma once

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>

namespace vllama::test {

class LoggedText {
 public:
  LoggedText()
      : level_(spdlog::get_level()),
        sink_(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_)) {
    spdlog::set_level(spdlog::level::info);
    spdlog::default_logger()->sinks().push_back(sink_);
  }
  ~LoggedText() {
    std::erase(spdlog::default_logger()->sinks(), sink_);
    spdlog::set_level(level_);
  }
  LoggedText(const LoggedText&) = delete;
  LoggedText& operator=(const LoggedText&) = delete;

  std::string text() const { return stream_.str(); }

 private:
  spdlog::level::level_enum level_;
  std::ostringstream stream_;
  spdlog::sink_ptr sink_;
};

}  // namespace vllama::test
