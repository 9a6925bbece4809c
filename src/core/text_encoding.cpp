#include "core/text_encoding.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/utf8.h"

namespace vllama {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

struct BinaryKind {
  std::size_t offset;
  std::string_view magic;
  std::string_view what;        // behind "it is "
  std::string_view compressor;  // empty: it is none that holds another file
  std::string_view what_to_do;  // {} is the file's name
};

constexpr std::string_view kGitPointer = "version https://git-lfs.github.com/spec/";
constexpr std::array kBinaryKinds = {
    BinaryKind{0, "\x1F\x8B"sv, "a file", "gzip", "unpack it with gunzip -k '{}'"},
    BinaryKind{0, "\x28\xB5\x2F\xFD"sv, "a file", "zstd", "unpack it with unzstd '{}'"},
    BinaryKind{0, "\xFD\x37zXZ\0"sv, "a file", "xz", "unpack it with unxz -k '{}'"},
    BinaryKind{0, "BZh"sv, "a file", "bzip2", "unpack it with bunzip2 -k '{}'"},
    BinaryKind{0, "PK\x03\x04"sv, "a .zip archive", "", "unpack it with unzip '{}'"},
    BinaryKind{0, "7z\xBC\xAF\x27\x1C"sv, "a .7z archive", "", "unpack it with 7z x '{}'"},
    BinaryKind{0, "Rar!\x1A\x07"sv, "a .rar archive", "", "unpack it with unrar x '{}'"},
    BinaryKind{257, "ustar"sv, "a tar archive", "", "unpack it with tar -xf '{}'"},
    BinaryKind{0, "PAR1"sv, "a Parquet file", "",
               "write its rows as JSON lines, as pandas does: "
               "read_parquet('{}').to_json('rows.jsonl', orient='records', lines=True)"},
    BinaryKind{0, "ARROW1"sv, "an Arrow file", "",
               "write its rows as JSON lines, as pandas does: "
               "read_feather('{}').to_json('rows.jsonl', orient='records', lines=True)"},
    BinaryKind{0, "SQLite format 3\0"sv, "an SQLite data base", "",
               "write its rows as CSV or JSON lines"},
    BinaryKind{0, "\x89HDF"sv, "an HDF5 file", "", "write its rows as CSV or JSON lines"},
    BinaryKind{0, "%PDF-"sv, "a PDF document", "", "give the annotation file"},
    BinaryKind{0, kGitPointer, "a pointer of Git LFS, not the file itself", "",
               "fetch the file with git lfs pull"},
};

bool has_at(std::string_view bytes, std::size_t offset, std::string_view part) {
  return bytes.size() >= offset && bytes.substr(offset).starts_with(part);
}

const BinaryKind* kind_of(std::string_view first_bytes) {
  for (const BinaryKind& kind : kBinaryKinds)
    if (has_at(first_bytes, kind.offset, kind.magic)) return &kind;
  return nullptr;
}

std::string lower_case(std::string text) {
  for (char& byte : text)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  return text;
}

// ".tar.gz" of "a.tar.gz", ".tgz" of "a.tgz"; empty for what does not say that it holds a tar.
std::string tar_extension(const fs::path& name) {
  const std::string text = lower_case(name.filename().string());
  const std::size_t tar = text.rfind(".tar.");
  if (tar != std::string::npos) return text.substr(tar);
  for (const std::string_view ending : {".tgz", ".tbz2", ".txz", ".tzst"})
    if (text.ends_with(ending)) return std::string(ending);
  return {};
}

bool is_web_page(std::string_view first_bytes) {
  if (first_bytes.starts_with(kByteOrderMark)) first_bytes.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = first_bytes.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  const std::string start = lower_case(std::string(first_bytes.substr(begin, 15)));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

std::string described(const BinaryKind& kind, const fs::path& name) {
  if (kind.compressor.empty()) return std::string(kind.what);
  const std::string tar = tar_extension(name);
  return tar.empty() ? fmt::format("{} compressed with {}", kind.what, kind.compressor)
                     : fmt::format("a {} (a tar archive compressed with {})", tar, kind.compressor);
}

// The width of the units is told by where zeros stand beside two ASCII characters.
bool has_zeros(std::string_view bytes, std::string_view pattern) {
  if (bytes.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if ((bytes[i] == '\0') != (pattern[i] == '0')) return false;
  return true;
}

bool is_utf32(std::string_view bytes) {
  return bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv) ||
         has_zeros(bytes, "x000x000") || has_zeros(bytes, "000x000x");
}

enum class Units { little, big };

std::optional<Units> utf16_units(std::string_view bytes) {
  if (is_utf32(bytes)) return std::nullopt;
  if (bytes.starts_with("\xFF\xFE"sv) || has_zeros(bytes, "x0x0")) return Units::little;
  if (bytes.starts_with("\xFE\xFF"sv) || has_zeros(bytes, "0x0x")) return Units::big;
  return std::nullopt;
}

std::string from_utf16(std::string_view bytes, Units units) {
  constexpr std::uint32_t kMark = 0xFEFF;
  const auto unit_at = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(units == Units::little ? first | second << 8
                                                             : first << 8 | second);
  };
  std::string text;
  text.reserve(bytes.size());
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) {
    std::uint32_t character = unit_at(i);
    const bool is_high = character >= 0xD800 && character < 0xDC00;
    const std::uint32_t low = is_high && i + 3 < bytes.size() ? unit_at(i + 2) : 0;
    // Two units of a pair make one character beyond the first 65,536; one without its other half
    // goes on as it is, and is refused as bad UTF-8 where the entry is read.
    if (low >= 0xDC00 && low < 0xE000) {
      character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
      i += 2;
    }
    if (i > 0 || character != kMark) append_utf8(text, character);
  }
  // Half a unit at the end: a byte that is no UTF-8 keeps it from being taken for whole.
  if (i < bytes.size()) text += '\xFF';
  return text;
}

}  // namespace

std::string binary_kind(std::string_view first_bytes, const fs::path& name) {
  const BinaryKind* kind = kind_of(first_bytes);
  return kind == nullptr ? "" : described(*kind, name);
}

std::string text_refusal(std::string_view first_bytes, const fs::path& name) {
  if (const BinaryKind* kind = kind_of(first_bytes))
    return fmt::format("it is {}: {}", described(*kind, name),
                       fmt::format(fmt::runtime(kind->what_to_do), name.string()));
  if (is_utf32(first_bytes))
    return fmt::format("it is UTF-32: write it as UTF-8 with iconv -f UTF-32 -t UTF-8 '{}'",
                       name.string());
  if (is_web_page(first_bytes))
    return "it is a web page (HTML), as servers send in place of a file: download it anew";
  return {};
}

bool is_utf16(std::string_view first_bytes) {
  return utf16_units(first_bytes).has_value();
}

std::string utf8_text(std::string bytes) {
  if (const auto units = utf16_units(bytes)) return from_utf16(bytes, *units);
  if (bytes.starts_with(kByteOrderMark)) bytes.erase(0, kByteOrderMark.size());
  return bytes;
}

std::string read_text_file(const fs::path& path) {
  std::string bytes = read_file(path);
  const std::string refusal = text_refusal(std::string_view(bytes).substr(0, kFirstBytes), path);
  if (!refusal.empty())
    throw UserError(fmt::format("cannot read '{}': {}", path.string(), refusal));
  return utf8_text(std::move(bytes));
}

}  // namespace vllama
