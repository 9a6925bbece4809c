// No change of a saved step goes unnoticed, and a damaged one is never loaded.
#include <fmt/format.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "checkpoint/manifest.h"
#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/checkpoint/sample_steps.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/values/checksum.h"

using namespace vllama;
using namespace vllama::checkpoint;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> files_of(const fs::path& step) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(step)) files.push_back(entry.path());
  return files;
}

// Overwrites bytes in place, without the cost of a new file.
void overwrite(const fs::path& file, std::size_t offset, char byte) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(offset)).put(byte);
}

// The bits that go unnoticed when they are turned over.
std::vector<std::string> unnoticed_bits(const fs::path& step, const fs::path& file,
                                        const std::vector<std::size_t>& bits) {
  const std::string saved = read_file(file);
  std::vector<std::string> unnoticed;
  for (const std::size_t bit : bits) {
    const std::size_t byte = bit / 8;
    overwrite(file, byte, static_cast<char>(saved[byte] ^ (1 << (bit % 8))));
    if (!step_damage(step))
      unnoticed.push_back(fmt::format("bit {} of {}", bit, file.filename().string()));
    overwrite(file, byte, saved[byte]);
  }
  return unnoticed;
}

std::vector<std::size_t> all_bits_below(std::size_t num_bytes) {
  std::vector<std::size_t> bits(8 * num_bytes);
  for (std::size_t bit = 0; bit < bits.size(); ++bit) bits[bit] = bit;
  return bits;
}

// A manifest that has the right checksum of itself, whatever it says.
std::string signed_manifest(const std::string& files, const std::string& step = "2") {
  const std::string text = "{\n  \"step\": " + step + ",\n  \"files\": " + files + ",\n";
  const auto checksum = weights::crc32(std::as_bytes(std::span<const char>(text)));
  return text + fmt::format("  \"crc32\": \"{:08x}\"\n}}\n", checksum);
}

std::string listing(const std::string& name) {
  return "{\n    \"" + name +
         "\": {\n      \"bytes\": 1,\n      \"crc32\": \"00000000\"\n    }\n  }";
}

}  // namespace

TEST_CASE("damage: every single bit of every file is noticed when it turns over") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 1, contents_of(1)).path;
  constexpr std::size_t kWholeBytes = 700;  // headers, texts, and the manifest entirely
  constexpr std::size_t kNumDrawn = 300;
  std::mt19937 random(5);
  for (const fs::path& file : files_of(step)) {
    const std::size_t size = fs::file_size(file);
    std::vector<std::size_t> bits = all_bits_below(std::min(size, kWholeBytes));
    for (std::size_t i = 0; size > kWholeBytes && i < kNumDrawn; ++i)
      bits.push_back(std::uniform_int_distribution<std::size_t>(0, 8 * size - 1)(random));
    if (file.filename() == kManifestName) REQUIRE(size <= kWholeBytes);
    CHECK(unnoticed_bits(step, file, bits) == std::vector<std::string>());
  }
  CHECK_FALSE(step_damage(step));
}

TEST_CASE("damage: a file of another length is noticed, whatever the length") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 1, contents_of(1)).path;
  for (const fs::path& file : files_of(step)) {
    const std::string saved = read_file(file);
    INFO(file);
    for (std::size_t size = 0; size < saved.size(); size += 1 + saved.size() / 97) {
      fs::resize_file(file, size);
      CHECK(step_damage(step));
      write_bytes(file, saved);
    }
    for (const char* more : {"\n", " ", "}", "{}"}) {
      write_bytes(file, saved + more);
      CHECK(step_damage(step));
    }
    write_bytes(file, saved);
  }
  CHECK_FALSE(step_damage(step));
}

TEST_CASE("damage: what is no file stands in for none") {
  const TemporaryFolder folder;
  const fs::path step = save_step(folder.path(), 1, contents_of(1)).path;
  for (const fs::path& file : files_of(step)) {
    const std::string saved = read_file(file);
    const std::string message = file.filename().string() + " is missing";
    INFO(file);
    fs::remove(file);
    CHECK(step_damage(step) == message);
    fs::create_directory(file);
    CHECK(step_damage(step) == message);
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(step_damage(step) == message);
    fs::remove(file);
    fs::create_symlink("/dev/zero", file);
    CHECK(step_damage(step) == message);
    fs::remove(file);
    fs::create_symlink(file.filename(), file);
    CHECK(step_damage(step) == message);
    write_bytes(file, saved);
  }
  CHECK_FALSE(step_damage(step));
}

TEST_CASE("damage: files of another step are noticed") {
  const TemporaryFolder folder;
  const fs::path before = save_step(folder.path(), 1, contents_of(1)).path;
  const fs::path step = save_step(folder.path(), 2, contents_of(2)).path;
  for (const char* name : {"trainable.safetensors", "optimizer.safetensors", "state.json"}) {
    const std::string saved = read_file(step / name);
    write_bytes(step / name, read_file(before / name));
    CHECK_THAT(step_damage(step).value_or(""), Contains(name) && Contains("checksum"));
    write_bytes(step / name, saved);
  }
  write_bytes(step / "manifest.json", read_file(before / "manifest.json"));
  CHECK(step_damage(step) == "manifest.json is of step 1");
}

TEST_CASE("damage: a manifest says what its writer says, or it is refused") {
  const Manifest manifest{7, {{"a.json", {3, 0xdeadbeef}}, {"b.safetensors", {0, 1}}}};
  const std::string text = manifest_text(manifest);
  CHECK_THAT(text, Contains("\"crc32\": \"deadbeef\"") && Contains("\"crc32\": \"00000001\""));
  CHECK(parse_manifest(text).step == 7);
  CHECK(parse_manifest(text).files == manifest.files);
  CHECK(parse_manifest(manifest_text({0, {}})).files.empty());
  CHECK(parse_manifest(signed_manifest("{}")).step == 2);

  CHECK(parse_manifest(signed_manifest(listing("a"))).files.size() == 1);
  for (const char* name : {"manifest.json", "../a", "/etc/passwd", "a/b", "..", ".", ".a", "", "a/",
                           "a\\u0000b", "\\ud800"}) {
    INFO(name);
    CHECK_THROWS_AS(parse_manifest(signed_manifest(listing(name))), UserError);
  }
  CHECK_THROWS_WITH(parse_manifest(signed_manifest(listing("manifest.json"))),
                    Contains("damaged entry 'manifest.json'"));
  CHECK_THROWS_WITH(parse_manifest(signed_manifest(listing("../a"))),
                    Contains("damaged entry '../a'"));

  const std::vector<std::string> hostile = {"",
                                            "{",
                                            "{}",
                                            "[]",
                                            "null",
                                            "\"step\"",
                                            "{\"step\": 2, \"files\": {}}",
                                            signed_manifest("[]"),
                                            signed_manifest("{\n    \"a\": 1\n  }"),
                                            signed_manifest("{}", "-1"),
                                            signed_manifest("{}", "2.0"),
                                            signed_manifest("{}", "9223372036854775808"),
                                            signed_manifest("{}", "1e3"),
                                            signed_manifest("{}", "2,\n  \"step\": 2"),
                                            std::string(100'000, '['),
                                            std::string(std::size_t{2} << 20, ' '),
                                            text + " ",
                                            text + std::string(1, '\0')};
  for (const std::string& damaged : hostile) {
    INFO(damaged.substr(0, 200));
    CHECK_THROWS_AS(parse_manifest(damaged), UserError);
  }
}

TEST_CASE("damage: the newest whole step is taken, and refusals say what is wrong") {
  const TemporaryFolder folder;
  for (int step = 1; step <= 3; ++step) save_step(folder.path(), step, contents_of(step));
  overwrite(folder.path() / "step_000003" / "config.yaml", 0, 'S');
  fs::remove(folder.path() / "step_000002" / "manifest.json");
  const auto newest = load_newest_step(folder.path());
  REQUIRE(newest);
  CHECK(newest->directory.step == 1);
  check_is(newest->contents, 1);
  CHECK_THROWS_WITH(
      load_step(folder.path() / "step_000003"),
      Contains("step_000003") && Contains("config.yaml does not have the checksum it was saved"));
  CHECK_THROWS_WITH(load_step(folder.path() / "step_000002"),
                    Contains("step_000002") && Contains("manifest.json is missing"));
  CHECK_THROWS_WITH(load_step(folder.path() / "nowhere"), Contains("manifest.json is missing"));
  fs::resize_file(folder.path() / "step_000001" / "optimizer.safetensors", 10);
  CHECK_THROWS_WITH(load_step(folder.path() / "step_000001"),
                    Contains("optimizer.safetensors has 10 bytes instead of 2"));
  CHECK_FALSE(load_newest_step(folder.path()));
}
