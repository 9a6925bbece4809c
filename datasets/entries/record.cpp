#include "datasets/entries/record.h"

namespace vllama::datasets {

const OddEntries& Dataset::odd() const {
  static const OddEntries kNone;
  return kNone;
}

}  // namespace vllama::datasets
