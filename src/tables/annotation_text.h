// The text of an annotation file, whatever encoding it comes in.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/files.h"

namespace vllama::tables {

// UTF-8 is mapped and read where it lies, a byte order mark left out of account. UTF-16 is held in
// memory as UTF-8, and positions are those of that text.
class AnnotationText {
 public:
  // Throws UserError naming the path if it cannot be read, or is no text: an archive, a Parquet
  // file, UTF-32 and others are named as what they are.
  explicit AnnotationText(const std::filesystem::path& path);

  std::string_view text() const { return converted_ ? *converted_ : file_->text(); }
  // Where the text begins behind its byte order mark.
  std::size_t begin() const { return begin_; }
  const std::filesystem::path& path() const { return file_->path(); }
  // As MappedFile::release_pages(); nothing for a text in memory.
  void release_pages(std::size_t offset, std::size_t length) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::optional<std::string> converted_;  // nothing: the file's own text
  std::size_t begin_ = 0;
};

}  // namespace vllama::tables
