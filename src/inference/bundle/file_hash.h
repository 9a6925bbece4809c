// How a weight file is recognised again: its size, a quick hash of samples, and SHA-256 of all of
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace vllama::inference {

// Up to this size a quick hash is one of all bytes.
inline constexpr std::size_t kWholeBytes = std::size_t{128} << 20;
inline constexpr std::size_t kNumPieces = 256;

// SHA-256 of a file's size and of `num_pieces` pieces of 64 KiB spread evenly over it, which must
// be larger than that. Throws UserError if the file cannot be read.
std::string piece_hash(const std::filesystem::path& file, std::size_t num_pieces = kNumPieces);

// SHA-256 of a file's size and of pieces spread evenly over it; of all of it up to 128 MiB. It
// reads at most 16 MiB of a larger file: another file is noticed, a changed byte may not be. Throws
// UserError if the file cannot be read.
std::string sample_hash(const std::filesystem::path& file);

// SHA-256 of whole files. Those of large files are kept in a file of the user's
// ($XDG_CACHE_HOME/vllama/hashes.json, by default below ~/.cache), with the size, time and inode
// that they belong to, so that no file is read twice without having changed.
class FileHasher {
 public:
  FileHasher();
  // Keeps hashes in `cache`; nowhere if that is empty.
  explicit FileHasher(std::filesystem::path cache) : cache_(std::move(cache)) {}

  // Says in the log what takes long. Throws UserError if the file cannot be read.
  std::string sha256(const std::filesystem::path& file) const;

 private:
  std::filesystem::path cache_;
};

}  // namespace vllama::inference
