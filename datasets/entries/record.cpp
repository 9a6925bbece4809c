#include "datasets/entries/record.h"

namespace vllama::datasets {

const tables::OddEntries& Dataset::odd() const {
  static const tables::OddEntries kNone;
  return kNone;
}

}  // namespace vllama::datasets
