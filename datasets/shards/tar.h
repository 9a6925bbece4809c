// The members of a tar archive, found header by header: ustar, GNU and pax.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "datasets/shards/tar_header.h"
#include "media/file_range.h"

namespace vllama::datasets {

enum class TarKind {
  file,
  folder,
  link,     // hard or symbolic
  special,  // a device or pipe
  sparse,   // a file that is stored with holes
  unknown,
};

struct TarMember {
  std::string name;  // as it is written in the archive
  TarKind kind = TarKind::file;
  std::int64_t offset_bytes = 0;  // of its content in the archive
  std::int64_t num_bytes = 0;
};

// Reads the headers of an archive, and nothing of the members' content. Whatever an archive
// promises is checked against its size first, so that the time it takes is bounded by that.
class TarReader {
 public:
  // Throws UserError if the file cannot be opened.
  explicit TarReader(const std::filesystem::path& archive);

  // The next member, or nothing at the archive's end mark. Names and sizes of GNU and pax extension
  // headers are applied. Throws UserError naming archive and byte where the archive is cut, also if
  // only its end mark is missing, or where its bytes are no header.
  std::optional<TarMember> next();

 private:
  // What extension headers say of the member that follows them.
  struct Extension {
    std::optional<std::string> name;
    std::optional<std::int64_t> num_bytes;
    bool is_sparse = false;
    bool is_there = false;
  };

  // Fills `target` from the next bytes on and steps over them.
  void read(std::span<char> target);
  // Nothing at the end mark.
  std::optional<TarHeader> read_header();
  void read_extension(const TarHeader& header, Extension& extension);
  void read_pax_records(const std::string& records, Extension& extension);
  void skip_sparse_maps(const TarHeader& header);
  // Steps over content, as far as the next header.
  void skip_content(std::int64_t num_bytes);
  [[noreturn]] void fail(const std::string& problem) const;

  std::filesystem::path path_;
  std::optional<media::OpenRange> file_;
  std::int64_t position_ = 0;
  std::int64_t header_begin_ = 0;  // for messages
  // A piece of the file, so that small members take no read each.
  std::string buffer_;
  std::int64_t buffer_begin_ = 0;
};

}  // namespace vllama::datasets
