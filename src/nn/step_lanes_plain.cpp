// The loops of a generation step for any processor.
namespace {
constexpr int kLanes = 4, kTileRows = 2;
}

#include "nn/step_lanes_loops.h"

namespace vllama::nn {

const StepLanes kPlainStepLanes = kLoops;

}  // namespace vllama::nn
