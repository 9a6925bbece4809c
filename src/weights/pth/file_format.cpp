// The magic numbers behind file_format.h.
#include "weights/pth/file_format.h"

#include "weights/pth/legacy_reader.h"
#include "weights/values/byte_order.h"

namespace vllama::weights {
namespace {

// "GGUF", and the names of the forms before it, which are numbers in little-endian order.
bool is_gguf(std::string_view text) {
  for (const std::string_view magic : {"GGUF", "lmgg", "fmgg", "tjgg", "algg"})
    if (text.starts_with(magic)) return true;
  return false;
}

// A protocol buffer that begins with a small version (field 1) and the producer's name (field 2).
bool is_onnx(std::string_view text) {
  constexpr unsigned char kMaxVersion = 30;
  return text.size() > 3 && text[0] == 0x08 && static_cast<unsigned char>(text[1]) <= kMaxVersion &&
         text[2] == 0x12;
}

// MessagePack: a map whose first key is a short text.
bool is_flax(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  return text.size() > 2 && byte(0) >= 0x81 && byte(0) <= 0x8f && byte(1) > 0xa0 && byte(1) <= 0xbf;
}

// Protocols 2 to 5. Those of torch.save have a magic number behind it.
bool is_pickle(std::string_view text) {
  return text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
}

}  // namespace

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
  if (is_gguf(text)) return FileFormat::gguf;
  if (text.starts_with("\x89HDF\r\n")) return FileFormat::hdf5;
  if (text.size() > 8 && text[8] == '{') return FileFormat::safetensors;
  if (is_onnx(text)) return FileFormat::onnx;
  if (is_flax(text)) return FileFormat::flax;
  if (is_pickle(text)) return FileFormat::pickle;
  if (text.starts_with("{")) return FileFormat::json;
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
    case FileFormat::gguf:
      return "it is a file for llama.cpp (GGUF), mostly in fewer bits: use the original weights, "
             "as "
             ".safetensors, .bin or .pth";
    case FileFormat::hdf5:
      return "it is an HDF5 file, as TensorFlow writes them: use the PyTorch weights";
    case FileFormat::onnx:
      return "it is an ONNX graph: use the PyTorch weights that it was made from";
    case FileFormat::flax:
      return "it is a file of Flax (MessagePack): use the PyTorch weights, or load it with "
             "transformers (from_flax) and save it with save_pretrained()";
    case FileFormat::pickle:
      return "it is a Python pickle that torch.save did not write, and is not opened: load it "
             "where "
             "you trust it, and save its tensors with torch.save";
    case FileFormat::json:
      return "it is a JSON file: name the folder that it lies in, or the weights themselves";
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

}  // namespace vllama::weights
