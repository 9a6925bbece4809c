// Clips for tests: made on the spot by the ffmpeg program, and compared frame by frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "media/image.h"
#include "tests/support/fixtures.h"

namespace vllama::test {

// Runs `ffmpeg -y ARGUMENTS FOLDER/NAME` and returns the file. Nothing when the program or one of
// the `needed` encoders is missing: the reason is printed, and the test fails instead if
// VLLAMA_REQUIRE_FIXTURES=1.
std::optional<std::filesystem::path> make_clip(const TemporaryFolder& folder,
                                               const std::string& name,
                                               const std::string& arguments,
                                               const std::string& needed_encoder = "");

// A moving test picture as input for make_clip.
std::string moving_picture(const std::string& size, int frames_per_second, int num_frames);

// Fingerprints of all pictures of a clip as the program ffmpeg gives them, at 56x56: those that it
// decodes, in their order.
std::vector<std::uint64_t> program_fingerprints(const TemporaryFolder& folder,
                                                const std::filesystem::path& clip);

struct Difference {
  int max = 0;
  double mean = 0;
};

Difference difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b);

// A number that stands for all pixels of a picture and its size.
std::uint64_t fingerprint(const media::Image& image);

// Fingerprints of all frames of a clip as plain sequential decoding gives them; 0 where it gives
// none.
std::vector<std::uint64_t> plain_fingerprints(const std::filesystem::path& clip,
                                              std::int64_t num_frames);

}  // namespace vllama::test
