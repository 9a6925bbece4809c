#include "checkpoint/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "weights/values/checksum.h"
#include "weights/values/readable.h"

namespace vllama::checkpoint {
namespace {

using Json = nlohmann::ordered_json;

// Far above the few hundred bytes that manifests have.
constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20;

[[noreturn]] void damaged() {
  throw UserError(fmt::format("{} is damaged", kManifestName));
}

std::string hexadecimal(std::uint32_t number) {
  return fmt::format("{:08x}", number);
}

std::optional<std::uint32_t> read_hexadecimal(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, 16);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

FileFacts read_facts(const std::string& name, const Json& entry) {
  const bool is_sound = is_file_of_a_step(name) && entry.is_object() && entry.contains("bytes") &&
                        entry.contains("crc32") && entry["bytes"].is_number_unsigned() &&
                        entry["crc32"].is_string();
  const auto checksum = is_sound ? read_hexadecimal(entry["crc32"]) : std::nullopt;
  if (!checksum)
    throw UserError(
        fmt::format("{} has a damaged entry '{}'", kManifestName, weights::readable(name)));
  return {entry["bytes"].get<std::uint64_t>(), *checksum};
}

}  // namespace

bool is_file_of_a_step(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos && weights::is_utf8(name) && name != kManifestName;
}

FileFacts facts_of(const MappedFile& file) {
  constexpr std::size_t kPieceBytes = std::size_t{8} << 20;
  FileFacts facts;
  const std::span<const std::byte> bytes = file.bytes();
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const std::size_t num_bytes = std::min(kPieceBytes, bytes.size() - at);
    facts.crc32 = weights::crc32(bytes.subspan(at, num_bytes), facts.crc32);
    file.release_pages(at, num_bytes);
  }
  facts.num_bytes = bytes.size();
  return facts;
}

std::string manifest_text(const Manifest& manifest) {
  Json json{{"step", manifest.step}, {"files", Json::object()}};
  for (const auto& [name, facts] : manifest.files) {
    VLLAMA_ASSERT(is_file_of_a_step(name), "a file of a step has a plain name of its own");
    json["files"][name] = {{"bytes", facts.num_bytes}, {"crc32", hexadecimal(facts.crc32)}};
  }
  constexpr std::string_view kEnd = "\n}";
  std::string text = json.dump(2);
  text.resize(text.size() - kEnd.size());
  text += ",\n";
  const std::uint32_t checksum = weights::crc32(std::as_bytes(std::span<const char>(text)));
  return text + fmt::format("  \"crc32\": \"{}\"\n}}\n", hexadecimal(checksum));
}

Manifest parse_manifest(std::string_view text) {
  if (text.size() > kMaxManifestBytes) damaged();
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool is_sound = json.is_object() && json.contains("step") && json.contains("files") &&
                        json["step"].is_number_unsigned() && json["files"].is_object();
  constexpr auto kMaxStep = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!is_sound || json["step"].get<std::uint64_t>() > kMaxStep) damaged();
  Manifest manifest{json["step"].get<std::int64_t>(), {}};
  for (const auto& [name, entry] : json["files"].items())
    manifest.files.emplace(name, read_facts(name, entry));
  if (text != manifest_text(manifest)) damaged();
  return manifest;
}

}  // namespace vllama::checkpoint
