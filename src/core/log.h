// The log: one line per event on standard error, and in a file once a run has an output folder.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace vllama::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// Routes the log to standard error, with the time and level of each line.
void start();

// Marks every line as that of a rank, and leaves what is not at least a warning to the file.
void mark_rank(std::int64_t rank);

// What the terminal shows in another way: a line for the files alone.
void to_files(spdlog::level::level_enum level, const std::string& text);

// Shows only what went wrong, for tests.
void quiet();

// Also appends every line to `path`. Throws RunFailure if it cannot be opened.
void also_to_file(const std::filesystem::path& path);

}  // namespace vllama::log
