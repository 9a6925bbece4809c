#include "samples/encoder_input.h"

namespace vllama::samples {
namespace {

template <class Input>
std::optional<std::size_t> first_reader(const ModelInput& model) {
  for (std::size_t i = 0; i < model.encoders.size(); ++i)
    if (std::holds_alternative<Input>(model.encoders[i].reads)) return i;
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> ModelInput::picture_encoder() const {
  return first_reader<PictureInput>(*this);
}

std::optional<std::size_t> ModelInput::sound_encoder() const {
  return first_reader<SoundInput>(*this);
}

}  // namespace vllama::samples
