#include "models/model_input.h"

namespace vllama::models {
namespace {

// The connector is shared: what a model expects may be asked when the model is gone.
std::function<samples::MediaRoom(const samples::MediaExtent&)> room_in(const Branch& branch) {
  return [connector = branch.shared_connector(),
          states_per_unit = branch.tokens_per_unit()](const samples::MediaExtent& medium) {
    const MediumShape shape = shape_of(medium, states_per_unit);
    return samples::MediaRoom{.num_tokens = connector->num_tokens(shape),
                              .num_places = std::ssize(connector->places(shape))};
  };
}

}  // namespace

samples::ModelInput model_input(std::span<const Branch> branches) {
  samples::ModelInput input;
  for (const Branch& branch : branches) {
    const BranchNames& names = branch.names();
    for (const auto& encoder : branch.encoders())
      input.encoders.push_back({encoder->input(), input.branches.size()});
    input.branches.push_back({.name = names.branch,
                              .room = room_in(branch),
                              .max_positions = branch.most_places(),
                              .max_positions_key = names.section + "." + names.max_positions_key,
                              .positions_key = names.section + "." + names.positions_key,
                              .keeps_places = branch.connector().keeps_places(),
                              .window_seconds = branch.window_seconds()});
  }
  return input;
}

samples::ModelInput model_input(const ModelConfig& config) {
  return model_input(make_branches(config, /*language_width=*/1));
}

}  // namespace vllama::models
