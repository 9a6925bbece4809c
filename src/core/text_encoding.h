// Text files as people have them: UTF-8 or UTF-16, with or without a byte order mark, or no text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace vllama {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// How many bytes of a file the functions below want to see.
inline constexpr std::size_t kFirstBytes = 1024;

// What a file is if its first bytes are known not to be text: "a .tar.gz (a tar archive compressed
// with gzip)", "a Parquet file"; empty for all else. The name tells archives inside of archives.
std::string binary_kind(std::string_view first_bytes, const std::filesystem::path& name);

// Why a file cannot be read as text, and what to do: it is of a binary kind, or UTF-32. Empty if it
// can be.
std::string text_refusal(std::string_view first_bytes, const std::filesystem::path& name);

// True if the bytes have to go through utf8_text() to be read: they are UTF-16, which a byte order
// mark tells, or zeros beside the first two characters.
bool is_utf16(std::string_view first_bytes);

// The text as UTF-8 without its byte order mark. Of UTF-16, half of a surrogate pair and half of a
// character at the end become bytes that are not UTF-8, so that what holds them can be told.
std::string utf8_text(std::string bytes);

// The whole of a text file as UTF-8. Throws UserError naming the path, also for what text_refusal()
// says.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace vllama
