#include "datasets/shards/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "datasets/shards/tar_header.h"

namespace vllama::datasets {

std::int64_t TarWriter::member_bytes(std::int64_t content_bytes) {
  return kTarBlockBytes + (content_bytes + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
}

void TarWriter::begin(const std::string& name, std::int64_t num_bytes) {
  const TarHeader header = file_header(name, num_bytes);
  file_.append(std::as_bytes(std::span(&header, 1)));
}

void TarWriter::pad() {
  const auto block = static_cast<std::size_t>(kTarBlockBytes);
  file_.append(std::string((block - file_.num_bytes() % block) % block, '\0'));
}

void TarWriter::add(const std::string& name, std::string_view content) {
  begin(name, std::ssize(content));
  file_.append(content);
  pad();
}

void TarWriter::add(const std::string& name, const media::OpenRange& content) {
  constexpr std::int64_t kBufferBytes = std::int64_t{1} << 20;
  begin(name, content.size());
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(kBufferBytes, content.size())));
  for (std::int64_t position = 0; position < content.size();) {
    const std::int64_t num_read = content.read_at(position, buffer);
    if (num_read <= 0)
      throw RunFailure(fmt::format("the file for '{}' changed while it was read", name));
    file_.append(std::span<const std::byte>(buffer).first(static_cast<std::size_t>(num_read)));
    position += num_read;
  }
  pad();
}

void TarWriter::commit() {
  file_.append(std::string(2 * kTarBlockBytes, '\0'));
  file_.commit();
}

}  // namespace vllama::datasets
