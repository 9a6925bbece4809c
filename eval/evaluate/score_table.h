// Scores as a table for a terminal.
#pragma once

#include <string>

#include "eval/evaluate/evaluate.h"

namespace vllama::eval {

// A line per score: task, metric, value, confidence interval, samples, how many of them have no
// answer; Wilson's intervals are marked. Parts are indented. Below, the notes on tasks.
std::string score_table(const EvalResult& result);

}  // namespace vllama::eval
