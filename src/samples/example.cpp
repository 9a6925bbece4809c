#include "samples/example.h"

namespace vllama::samples {

std::vector<MediaRun> media_runs(const Example& example) {
  if (!example.runs.empty()) return example.runs;
  std::vector<MediaRun> runs;
  for (const MediaInput& input : example.media) runs.push_back({runs.size(), input.num_tokens});
  return runs;
}

}  // namespace vllama::samples
