// The magic numbers behind file_format.h.
#include "checkpoint/file_format.h"

#include "checkpoint/byte_order.h"
#include "checkpoint/legacy_reader.h"

namespace vllama::checkpoint {

FileFormat file_format(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.empty()) return FileFormat::empty;
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06"))
    return FileFormat::pytorch_zip;
  if (is_legacy_container(bytes)) return FileFormat::pytorch_legacy;
  constexpr std::size_t kTarMagicOffset = 257;
  if (text.size() > kTarMagicOffset && text.substr(kTarMagicOffset).starts_with("ustar"))
    return FileFormat::tar;
  if (text.starts_with("\x1f\x8b")) return FileFormat::gzip;
  if (text.starts_with("version https://git-lfs")) return FileFormat::git_lfs_pointer;
  if (text.starts_with("<!DOCTYPE") || text.starts_with("<!doctype") || text.starts_with("<html"))
    return FileFormat::html;
  if (text.size() > 8 && text[8] == '{') return FileFormat::safetensors;
  return FileFormat::unknown;
}

std::string_view description_of(FileFormat format) {
  switch (format) {
    case FileFormat::pytorch_zip:
      return "it is a PyTorch file in the zip container";
    case FileFormat::pytorch_legacy:
      return "it is a PyTorch file in the stream container used before 1.6";
    case FileFormat::safetensors:
      return "it is a safetensors file";
    case FileFormat::tar:
      return "it is a tar archive, the form of PyTorch before 0.1.10, or an archive to unpack "
             "first: load it with an old PyTorch and save it again with torch.save";
    case FileFormat::gzip:
      return "it is a gzip archive: unpack it first";
    case FileFormat::git_lfs_pointer:
      return "it is a Git LFS pointer, not the file itself: run 'git lfs pull' or download it "
             "again";
    case FileFormat::html:
      return "it is a web page, probably saved in place of the download: download it again";
    case FileFormat::empty:
      return "it is empty";
    case FileFormat::unknown:
      break;
  }
  return "its format is not known (.pth, .bin and .safetensors are read)";
}

std::uint64_t max_tensor_bytes(std::uint64_t file_bytes) {
  constexpr std::uint64_t kMaxSharing = 16;
  return kMaxSharing * file_bytes;
}

}  // namespace vllama::checkpoint
