// Small pictures of media, for reports.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "eval/tasks/question.h"
#include "media/video.h"

namespace vllama::eval {

// Three frames of every video, or the picture itself, 128 pixels wide, as JPEG files; by the name
// in reports, of the first `max_media` media that have pictures. Media that cannot be
// decoded have none.
std::map<std::string, std::vector<std::string>> thumbnails(const std::vector<Question>& questions,
                                                           std::int64_t max_media,
                                                           std::int64_t num_workers,
                                                           const media::VideoOptions& options);

}  // namespace vllama::eval
