// The loops of a generation step for AVX2 and FMA.
namespace {
constexpr int kLanes = 8, kTileRows = 2;
}

#include "nn/step_lanes_loops.h"

namespace vllama::nn {

const StepLanes kAvx2StepLanes = kLoops;

}  // namespace vllama::nn
