// The loops of a generation step for AVX-512.
namespace {
constexpr int kLanes = 16, kTileRows = 4;
}

#include "nn/step_lanes_loops.h"

namespace vllama::nn {

const StepLanes kAvx512StepLanes = kLoops;

}  // namespace vllama::nn
