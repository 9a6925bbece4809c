// The configuration as a run records it, and read again from wherever the run lies now.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/run/run_config.h"

namespace vllama::train {

// Where a run was when it recorded its paths, and where it is. Empty folders: not known.
struct RunMove {
  std::filesystem::path from, to;
};

// Every path made absolute, by this process's working folder.
RunConfig with_absolute_paths(RunConfig config);

// The places in which what was recorded as `path` is looked for, the first one first. What lay in
// the run's folder moved with it. All else is looked for where it was, and then where it would be
// if everything around the run had moved with it.
std::vector<std::filesystem::path> places_of(const std::filesystem::path& path,
                                             const RunMove& move);

// The recorded configuration with each path that leads to something now. Those that lead nowhere
// stay as they were recorded.
RunConfig settled(RunConfig recorded, const RunMove& move);

// Reads a RUN.yaml with `overrides` ("key=value") over it. `path` is the file; or the folder of a
// run, a step's folder or RUN/best, for the configuration that was recorded there. Prompts that are
// left to the language model's folder are looked up there. Throws UserError naming the place of the
// mistake.
RunConfig read_run_config(const std::filesystem::path& path,
                          const std::vector<std::string>& overrides = {});

// The same of a text that was read from `file`, with the paths settled by `move`.
RunConfig read_recorded_config(const std::string& text, const std::filesystem::path& file,
                               const RunMove& move, const std::vector<std::string>& overrides = {});

}  // namespace vllama::train
