// Writes a toy world: a folder of media and annotations (docs/toy_world.md).
#pragma once

#include <filesystem>

#include "toy_world/files/run_jobs.h"
#include "toy_world/files/world_config.h"

namespace vllama::toy {

struct WrittenFiles {
  std::size_t num_written, num_found;
};

// Every file is a function of the config and its own name: the same bytes on any number of workers
// (with the same FFmpeg). Files that are there stay, so that a call that was interrupted is
// continued by the next. `report` counts the media that
// were not there. Throws UserError as claim_folder() and
// media::require_video_encoders(), and RunFailure naming the file that could not be written.
WrittenFiles write_world(const std::filesystem::path& folder, const WorldConfig& config,
                         int num_workers, const ReportProgress& report);

}  // namespace vllama::toy
