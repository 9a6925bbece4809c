// Yes/no questions about objects, made from any annotation that lists what is in a medium.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eval/scores/prediction.h"

namespace vllama::eval {

struct MediumObjects {
  std::string id;     // unique
  std::string video;  // name of the medium
  std::vector<std::string> objects;
};

inline constexpr std::size_t kMaxObjects = 1000;  // of a medium: they are counted in pairs

struct ProbeOptions {
  std::int64_t num_per_medium = 3;  // questions of each answer, per kind
  std::uint64_t seed = 0;
  // {} is replaced by the object, with a or an before it.
  std::string question = "Is there {} in the video?";
};

// Probes as POPE builds them: for each medium and each kind, objects that are there (yes) and as
// many that are not (no), by turns. Kinds, which are the types of the questions, choose those that
// are not:
//   random       any object of the annotation
//   popular      the ones found in the most media
//   adversarial  the ones found most often together with the objects of this medium
// Ties go by name. The yes questions are the same for all kinds. A medium with fewer objects, or
// fewer other objects, gets fewer questions. A pure function of the annotation and the seed; the
// draws for a medium depend on its id, not on its place. Ids are "<id>/<kind>/<number>". Throws
// UserError for ids that occur twice, empty object names, a medium with more than kMaxObjects, and
// a question without {}.
std::vector<Prediction> object_probes(const std::vector<MediumObjects>& media,
                                      const ProbeOptions& options = {});

}  // namespace vllama::eval
