#include "tables/annotation_text.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text_encoding.h"

namespace vllama::tables {

AnnotationText::AnnotationText(const std::filesystem::path& path) : file_(MappedFile::open(path)) {
  const std::string_view first_bytes = file_->text().substr(0, kFirstBytes);
  const std::string refusal = text_refusal(first_bytes, path);
  if (!refusal.empty())
    throw UserError(fmt::format("cannot read '{}': {}", path.string(), refusal));
  if (is_utf16(first_bytes))
    converted_ = utf8_text(std::string(file_->text()));
  else if (first_bytes.starts_with(kByteOrderMark))
    begin_ = kByteOrderMark.size();
}

void AnnotationText::release_pages(std::size_t offset, std::size_t length) const {
  if (!converted_) file_->release_pages(offset, length);
}

}  // namespace vllama::tables
