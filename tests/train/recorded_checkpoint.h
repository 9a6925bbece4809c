// Checkpoints of the original, and exported ones held against them.
#pragma once

#include "checkpoint/step_directory.h"
#include "train/run/run_config.h"
#include "weights/values/value.h"

namespace vllama::test {

const weights::Map& map_at(const weights::Value& value, const char* key);
std::vector<std::string> keys_of(const weights::Map& map);

// Names in order, shapes and types; the values of what does not train.
void check_same_model(const weights::Map& actual, const weights::Map& expected);

enum class Agreement { exact, of_a_run };  // of weights and moments

// The whole structure of an exported file against that of a recorded one, and all its values.
void check_like_recorded(const std::filesystem::path& exported,
                         const std::filesystem::path& recorded, Agreement agreement);

// A recorded checkpoint (20 steps in 2 epochs) as a step of ours.
checkpoint::StepContents step_of_recorded(const weights::Value& recorded,
                                          const train::RunConfig& config);

}  // namespace vllama::test
