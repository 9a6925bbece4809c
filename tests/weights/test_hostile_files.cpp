// Damaged and hostile files end in an error or parse; they never crash, hang or read outside.
#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "tests/weights/sample_files.h"
#include "weights/pth/pickle_machine.h"
#include "weights/pth/pth_reader.h"
#include "weights/pth/zip_reader.h"
#include "weights/safetensors_reader.h"
#include "weights/values/byte_order.h"
#include "weights/weight_table.h"

using namespace vllama;
using namespace vllama::weights;
using namespace vllama::test;
using Catch::Contains;
using namespace std::string_literals;

namespace {

// Reads a file's tensors if it can be read at all. Anything but a UserError escapes and fails.
bool reads(const std::filesystem::path& path) {
  try {
    std::uint64_t sum = 0;
    const auto file = MappedFile::open(path);
    if (path.extension() == ".safetensors") {
      for (const auto& [name, view] : read_safetensors(file).tensors) sum += touch(Value(view));
    } else {
      sum += touch(read_pth(file));
    }
    return sum < ~std::uint64_t{0};
  } catch (const UserError&) {
    return false;
  }
}

struct Sample {
  std::string name, bytes;
};

std::vector<Sample> samples() {
  std::vector<Sample> result;
  for (const char* name : {"samples.pth", "samples_legacy.pth"})
    result.push_back({name, read_file(golden_file(std::string("checkpoint/") + name))});
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  std::string length;
  append_number<std::uint64_t>(length, header.size());
  result.push_back({"sample.safetensors", length + header + "12345678abc"});
  return result;
}

// Bytes in memory of their exact size, so that the address sanitizer sees a read past the end.
std::vector<std::byte> exact(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Offset of a number in the end record, which has no comment in our files.
std::string with_end_field(std::string bytes, std::size_t field, std::uint32_t value) {
  bytes.replace(bytes.size() - 22 + field, 4, u32(value));
  return bytes;
}

}  // namespace

TEST_CASE("a file cut off anywhere is an error") {
  const TemporaryFolder folder;
  for (const Sample& sample : samples()) {
    const auto path = folder.path() / sample.name;
    for (std::size_t length = 0; length < sample.bytes.size(); ++length) {
      write_bytes(path, sample.bytes.substr(0, length));
      INFO(sample.name << " cut off at " << length);
      CHECK_FALSE(reads(path));
    }
  }
}

TEST_CASE("a changed byte anywhere is an error or another value") {
  const TemporaryFolder folder;
  for (const Sample& sample : samples()) {
    const auto path = folder.path() / sample.name;
    int num_refused = 0;
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xFF}) {
        std::string bytes = sample.bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        write_bytes(path, bytes);
        num_refused += reads(path) ? 0 : 1;
      }
    }
    INFO(sample.name);
    CHECK(num_refused > 100);
  }
}

TEST_CASE("the parsers read nothing outside of their bytes") {
  const std::string file = samples()[0].bytes;
  std::string pickle;
  for (const ZipMember& member : read_zip_directory(std::as_bytes(std::span(file)), "x"))
    if (member.name == "samples/data.pkl") pickle = file.substr(member.offset, member.num_bytes);
  REQUIRE(!pickle.empty());
  for (std::size_t length = 0; length < file.size(); ++length)
    CHECK_THROWS_AS(read_zip_directory(exact(file.substr(0, length)), "x"), UserError);
  for (std::size_t length = 0; length < pickle.size(); ++length)
    CHECK_THROWS_AS(read_pickle(exact(pickle.substr(0, length)), 0, "x"), UserError);
  for (std::size_t at = 0; at < pickle.size(); ++at) {
    for (int value = 0; value < 256; value += 5) {
      std::vector<std::byte> bytes = exact(pickle);
      bytes[at] = static_cast<std::byte>(value);
      try {
        read_pickle(bytes, 0, "x");
      } catch (const UserError&) {
      }
    }
  }
}

TEST_CASE("a compressed, encrypted or split zip file is refused with the reason") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  write_container(path, "N.");
  const std::string good = read_file(path);
  const std::size_t entry = good.find("PK\x01\x02");
  REQUIRE(entry != std::string::npos);
  const auto check = [&](std::string bytes, const std::string& message) {
    write_bytes(path, bytes);
    CHECK_THROWS_WITH(read_pth(path), Contains("a.pth") && Contains(message));
  };
  std::string deflated = good;
  deflated[entry + 10] = 8;
  check(deflated, "'x/data.pkl' is compressed (method 8)");
  std::string encrypted = good;
  encrypted[entry + 8] = 1;
  check(encrypted, "encrypted");
  std::string sizes = good;
  sizes[entry + 20] = 99;
  check(sizes, "two different sizes");
  check(with_end_field(good, 4, 1), "disks");
  check(with_end_field(good, 16, 0xFFFFFFF0), "past its end record");
  check(with_end_field(good, 12, 0x7FFFFFFF), "past its end record");
  check(good.substr(0, good.size() - 22), "end record");
}

TEST_CASE("members that overlap, repeat or leave the file are refused") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  write_zip(path, {{"x/data.pkl", "\x80\x02N."}, {"x/other", std::string(100, 'y')}});
  const std::string good = read_file(path);
  const std::size_t first = good.find("PK\x01\x02"), second = good.find("PK\x01\x02", first + 4);
  const auto check = [&](std::string bytes, const std::string& message) {
    write_bytes(path, bytes);
    CHECK_THROWS_WITH(read_pth(path), Contains(message));
  };
  std::string overlapping = good;  // the second entry points at the header of the first
  overlapping.replace(second + 42, 4, good.substr(first + 42, 4));
  check(overlapping, "overlap");
  std::string outside = good;
  outside.replace(second + 42, 4, u32(0x00FFFFFF));
  check(outside, "not where the directory says");
  std::string long_member = good;
  long_member.replace(second + 20, 8, u32(0x10000) + u32(0x10000));
  check(long_member, "past the end");
  write_zip(path, {{"x/data.pkl", "\x80\x02N."}, {"x/data.pkl", "\x80\x02N."}});
  CHECK_THROWS_WITH(read_pth(path), Contains("occurs twice"));
  write_zip(path, {{"x/data.pkl", "\x80\x02N."}, {"y/data.pkl", "\x80\x02N."}});
  CHECK_THROWS_WITH(read_pth(path), Contains("more than one data.pkl"));
  write_zip(path, {{"x/other", ""}});
  CHECK_THROWS_WITH(read_pth(path), Contains("no data.pkl"));
}

TEST_CASE("zip64 records are followed, and only where they are needed") {
  // One stored member whose directory entry leaves size and offset to the zip64 extra field.
  const std::string name = "x/data.pkl", content = "\x80\x02K\x05.";
  const auto u16 = [](unsigned value) { return u32(value).substr(0, 2); };
  const auto u64 = [](std::uint64_t value) {
    return u32(static_cast<std::uint32_t>(value)) + u32(static_cast<std::uint32_t>(value >> 32));
  };
  const std::string saturated = u32(0xFFFFFFFF);
  const auto file_with = [&](std::uint64_t size, std::uint64_t directory_offset) {
    const std::string local = "PK\x03\x04"s + std::string(22, '\0') + u16(10) + u16(0) + name;
    const std::string extra = u16(1) + u16(24) + u64(size) + u64(size) + u64(0);
    const std::string entry = "PK\x01\x02"s + std::string(16, '\0') + saturated + saturated +
                              u16(10) + u16(28) + std::string(10, '\0') + saturated + name + extra;
    const std::size_t end64 = local.size() + content.size() + entry.size();
    return local + content + entry + "PK\x06\x06"s + u64(44) + std::string(12, '\0') + u64(1) +
           u64(1) + u64(entry.size()) + u64(directory_offset) + "PK\x06\x07"s + u32(0) +
           u64(end64) + u32(1) + "PK\x05\x06"s + u32(0) + u16(0xFFFF) + u16(0xFFFF) + saturated +
           saturated + u16(0);
  };
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  const std::uint64_t directory = 30 + name.size() + content.size();
  write_bytes(path, file_with(content.size(), directory));
  CHECK(*read_pth(path).get_if<std::int64_t>() == 5);
  for (const std::uint64_t wrong : {std::uint64_t{1} << 40, ~std::uint64_t{0}, directory + 100}) {
    write_bytes(path, file_with(wrong, directory));
    CHECK_THROWS_AS(read_pth(path), UserError);
    write_bytes(path, file_with(content.size(), wrong));
    CHECK_THROWS_AS(read_pth(path), UserError);
  }
}

TEST_CASE("more members than the short end record can count are written and read") {
  constexpr int kNumMembers = 66'000;
  const TemporaryFolder folder;
  std::vector<std::pair<std::string, std::string>> members;
  for (int i = 0; i < kNumMembers; ++i) members.emplace_back("x/" + std::to_string(i), "");
  write_zip(folder.path() / "a.zip", members);
  const auto file = MappedFile::open(folder.path() / "a.zip");
  CHECK(read_zip_directory(file->bytes(), "a.zip").size() == kNumMembers);
}

TEST_CASE("big-endian files are refused") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  write_zip(path, {{"x/data.pkl", "\x80\x02N."}, {"x/byteorder", "big"}});
  CHECK_THROWS_WITH(read_pth(path), Contains("'big'"));
}

TEST_CASE("files of other formats are named") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  const auto check = [&](const std::string& bytes, const std::string& message) {
    write_bytes(path, bytes);
    CHECK_THROWS_WITH(read_pth(path), Contains(message) && Contains("a.pth"));
    CHECK_THROWS_WITH(read_weight_table(path), Contains(message));
  };
  check(std::string(257, 'x') + "ustar", "tar archive");
  check("version https://git-lfs.github.com/spec/v1\n", "Git LFS");
  check("<!DOCTYPE html>", "web page");
  check("\x1f\x8b garbage", "gzip");
  check("", "empty");
  check("hello", "not known");
  check(std::string("GGUF\x03\0\0\0", 8) + "more of it", "llama.cpp");
  check("tjgg more of it", "llama.cpp");
  check("\x89HDF\r\n\x1a\n and more", "HDF5");
  check("\x08\x07\x12\x07pytorch", "ONNX");
  check("\x82\xa6params\x81", "Flax");
  check("\x80\x04\x95 and more", "Python pickle");
  check("{\"weight_map\": {}}", "JSON");
  CHECK_THROWS_AS(read_weight_table(folder.path() / "none.pth"), UserError);
}

TEST_CASE("a file without tensors says what it holds") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.pth";
  write_container(path, "}"s + pickled_text("state_dict_ema") + "}s.");
  CHECK_THROWS_WITH(read_weight_table(path), Contains("'state_dict_ema'"));
  write_container(path, "K\x01.");
  CHECK_THROWS_WITH(read_weight_table(path), Contains("holds a int"));
}
