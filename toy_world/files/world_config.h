// How large a toy world is, and the number that names it.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vllama::toy {

struct WorldConfig {
  std::uint64_t seed = 1;
  std::int64_t num_videos = 3000;  // clips for training
  std::int64_t num_images = 1000;  // pictures for training
  std::int64_t num_test = 300;  // clips of each of the two tests, and sounds of the test of hearing
  std::int64_t num_sounds = 1000;  // sounds for training
  std::int64_t num_movers = 1000;  // clips of single shapes that move, for training
  std::int64_t num_long = 0;       // test clips of each length

  bool operator==(const WorldConfig&) const = default;
};

// Throws UserError naming the option (--videos, --test) that is not a sensible number.
void check_sizes(const WorldConfig& config);

// About how much the files of such a world take.
std::int64_t expected_bytes(const WorldConfig& config);

// Makes `folder` the world's: creates it and its world.json, or finds there that an earlier call
// did so with the same config. Throws UserError saying what to change: the folder cannot be
// created or written, holds something else, another world or one of another version; there is not
// enough space on its disk.
void claim_folder(const std::filesystem::path& folder, const WorldConfig& config);

}  // namespace vllama::toy
