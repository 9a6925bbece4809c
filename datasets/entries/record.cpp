#include "datasets/entries/record.h"

namespace vllama::datasets {

const tables::DoubtfulEntries& Dataset::doubtful() const {
  static const tables::DoubtfulEntries kNone;
  return kNone;
}

}  // namespace vllama::datasets
