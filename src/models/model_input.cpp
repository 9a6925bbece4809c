#include "models/model_input.h"

namespace vllama::models {

samples::ModelInput model_input(std::span<const Branch> branches) {
  samples::ModelInput input;
  for (const Branch& branch : branches) {
    const BranchNames& names = branch.names();
    for (const auto& encoder : branch.encoders())
      input.encoders.push_back({encoder->input(), input.branches.size()});
    input.branches.push_back({.name = names.branch,
                              .num_tokens = branch.connector().num_tokens(),
                              .max_positions = branch.most_units(),
                              .max_positions_key = names.section + "." + names.max_positions_key,
                              .positions_key = names.section + "." + names.positions_key});
  }
  return input;
}

samples::ModelInput model_input(const ModelConfig& config) {
  return model_input(make_branches(config, /*language_width=*/1));
}

}  // namespace vllama::models
