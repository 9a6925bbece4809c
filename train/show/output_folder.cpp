#include "train/show/output_folder.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "media/write_png.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    throw UserError(fmt::format("--output: the folder '{}' cannot be created: {}", folder.string(),
                                problem.message()));
}

}  // namespace

void write_output(const fs::path& folder, const char* name, std::string_view content) {
  make_folder(folder);
  try {
    write_file_atomically(folder / name, content);
  } catch (const RunFailure& failure) {
    throw UserError(fmt::format("--output: {}", failure.what()));
  }
}

bool write_output(const fs::path& folder, const char* name, const media::Image& picture) {
  if (!picture.rgb.empty()) {
    write_output(folder, name, media::encode_png(picture));
    return true;
  }
  std::error_code problem;
  fs::remove(folder / name, problem);
  if (problem && problem != std::errc::not_a_directory)
    throw UserError(fmt::format("--output: '{}' cannot be removed: {}", (folder / name).string(),
                                problem.message()));
  return false;
}

}  // namespace vllama::train
