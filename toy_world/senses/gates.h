// Gates: what base models must be able to do before anything is built on them, measured on scenes
// that were never trained on, with the weights as they are in the files.
//
// Vision: linear probes (closed-form least squares), fitted by us on the image Q-Former's outputs
// for a picture, all queries in a row, with everything of the model frozen.
//   kind     is a shape of kind k to be seen? The mean over the kinds of the mean of the shares of
//            right answers where there is one and where there is none (chance .5).
//   colour   of the shape of kind k, given that there is one; a probe for each kind (chance 1/6).
//   size     likewise (chance 1/2).
//   place    likewise, x and y; explained variance.
//   field, number   of the background, and of visible shapes 0 to 3.
// `..., from clips` are the same probes on pictures that come from the file of a clip (H.264).
//
// ImageBind: `... -> kind` are the shares of scenes with one shape whose embedding is nearest (by
// cosine) to the prototype of its own kind among the six; the prototype of a kind is the mean
// embedding of pictures of other scenes with it (chance 1/6). For sounds, as they are and as they
// come from the file of a clip, this is matching across modalities: no sound goes into a prototype.
// `kinds seen` and `kinds heard` read every kind out of scenes with one to three shapes, by probes
// fitted on embeddings of pictures alone, measured as `kind` above, on pictures and on the sound of
// clips.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/branch.h"
#include "toy_world/senses/image_bind.h"
#include "toy_world/senses/text_trunk.h"

namespace vllama::toy {

struct Gate {
  std::string name;
  double value;
  std::optional<double> threshold;  // none: for information

  bool passed() const { return !threshold || value >= *threshold; }
};

struct GateSizes {
  std::int64_t num_fitted = 8000, num_tested = 2000;     // pictures for probes
  std::int64_t num_prototypes = 300, num_matched = 600;  // scenes for each, of all kinds
};

std::vector<Gate> vision_gates(const models::Branch& vision, std::uint64_t seed,
                               const GateSizes& sizes = {});
std::vector<Gate> image_bind_gates(const ImageBind& image_bind, std::uint64_t seed,
                                   const GateSizes& sizes = {});

// The share of scenes with one shape whose picture is nearest to the caption "a KIND" of its own
// kind among the six; only while the text trunk is there.
Gate caption_gate(const ImageBind& image_bind, const TextTrunk& text, std::uint64_t seed,
                  const GateSizes& sizes = {});

// A line for each gate: name, value, threshold, whether it passed.
std::string table(const std::vector<Gate>& gates);
bool all_passed(const std::vector<Gate>& gates);

}  // namespace vllama::toy
