// Which encoder stands at a place of the model, with its sizes: `kind`, and the keys of that kind.
// A new encoder is its own files, with make_encoder and read_sizes beside it, and a name in one of
// the lists below.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <variant>

#include "config/fields.h"
#include "encoders/clip.h"
#include "encoders/eva.h"
#include "encoders/image_bind.h"
#include "encoders/shared_space.h"
#include "encoders/whisper.h"

namespace vllama::encoders {

// Each kind is a section of sizes with a name, kKind; the first one is the default.
template <class... Kinds>
class EncoderChoice {
 public:
  using Sizes = std::variant<Kinds...>;

  EncoderChoice() { kind_ = std::variant_alternative_t<0, Sizes>::kKind; }
  template <class Kind>
  requires(std::same_as<Kind, Kinds> || ...) EncoderChoice(Kind sizes)
      : kind_(Kind::kKind), sizes_(std::move(sizes)) {}

  template <class Visitor>
  void visit(Visitor&& field) {
    field("kind", kind_, "which encoder it is", config::OneOf{{Kinds::kKind...}});
    (hold<Kinds>(), ...);  // what was visited above says which keys follow
    std::visit([&field](auto& sizes) { sizes.visit(field); }, sizes_);
  }

  Sizes& sizes() { return sizes_; }
  const Sizes& sizes() const { return sizes_; }
  template <class Kind>
  bool is() const {
    return std::holds_alternative<Kind>(sizes_);
  }
  // The sizes of a kind that is known to stand here.
  template <class Kind>
  Kind& as() {
    return std::get<Kind>(sizes_);
  }
  template <class Kind>
  const Kind& as() const {
    return std::get<Kind>(sizes_);
  }

 private:
  template <class Kind>
  void hold() {
    if (kind_ == Kind::kKind && !std::holds_alternative<Kind>(sizes_))
      sizes_.template emplace<Kind>();
  }

  std::string kind_;
  Sizes sizes_;
};

// Of the vision branch.
using PictureEncoder = EncoderChoice<EvaVitConfig, SiglipConfig, ClipConfig>;
// Of the audio branch: what hears.
using SoundEncoder = EncoderChoice<ImageBindAudioConfig, WhisperConfig>;
// What sees in the same space as ImageBind hears, which its branch trains on.
using TwinEncoder = EncoderChoice<ImageBindVisionConfig>;

// The encoder of the sizes that were given.
template <class... Kinds>
std::unique_ptr<Encoder> make_encoder(const EncoderChoice<Kinds...>& choice,
                                      const SharedSpace& space) {
  return std::visit([&space](const auto& sizes) { return make_encoder(sizes, space); },
                    choice.sizes());
}

// Takes the sizes that the encoder's file tells; `section` begins their keys in messages.
template <class... Kinds>
void read_sizes(weights::FileSizes& file, EncoderChoice<Kinds...>& choice,
                const std::string& section) {
  std::visit([&](auto& sizes) { read_sizes(file, sizes, section); }, choice.sizes());
}

}  // namespace vllama::encoders
