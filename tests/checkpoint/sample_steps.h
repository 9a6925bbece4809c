// Contents of steps that say everywhere which step they belong to.
#pragma once

#include <filesystem>

#include "checkpoint/step_directory.h"

namespace vllama::test {

checkpoint::StepContents contents_of(std::int64_t step);

// Checks every tensor and text.
void check_is(const checkpoint::StepContents& contents, std::int64_t step);

int num_entries(const std::filesystem::path& folder);

// Every step below `root` is whole and holds what contents_of() gives, and no other file.
void check_all_whole(const std::filesystem::path& root);

}  // namespace vllama::test
