// A weight file and what a model takes from it: to be read, or only to be compared.
#pragma once

#include <functional>
#include <string>

#include "nn/parameter.h"
#include "weights/load.h"

namespace vllama::models {

struct WeightReading {
  std::string key;  // below model.weights, for messages; empty: not from there
  std::string file;
  nn::ParameterList parameters;
  weights::LoadRules rules;
  // Why the file as a whole is the wrong one; empty if it is not.
  std::function<std::string(const weights::TensorSource&)> obstacle = nullptr;
  // May give parameters the names and shapes that this file has for them.
  std::function<void(nn::ParameterList&, const weights::TensorSource&)> adapt = nullptr;
  // Called when all is read.
  std::function<void(const weights::TensorSource&)> finish = nullptr;
};

// Throws UserError naming key and file, and what they are if they are weights of another kind
// (weights/folder_kind.h), else every tensor that is missing, unexpected, misshapen or not
// finite.
void load(const WeightReading& reading);

// What load() would throw, or an empty text; no tensor is read.
std::string problem_of(WeightReading reading);

}  // namespace vllama::models
