// Reading the headers of tar archives: what real programs write, and whatever else there may be.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "datasets/shards/tar.h"
#include "media/file_range.h"
#include "tests/datasets/tar_file.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

// As a new file: some file systems wait for the disk where an old one is emptied.
void write_anew(const fs::path& path, const std::string& content) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << content;
}

std::vector<TarMember> members_of(const fs::path& archive) {
  TarReader reader(archive);
  std::vector<TarMember> members;
  while (auto member = reader.next()) members.push_back(*std::move(member));
  return members;
}

std::string content_of(const fs::path& archive, const TarMember& member) {
  if (member.num_bytes == 0) return {};
  return media::OpenRange(
             media::FileRange(archive, member.name, member.offset_bytes, member.num_bytes))
      .read_first(member.num_bytes);
}

// An archive with these bytes.
class Archive {
 public:
  explicit Archive(const std::string& bytes) { replace(bytes); }
  void replace(const std::string& bytes) { write_anew(path(), bytes); }
  fs::path path() const { return folder_.path() / "shard.tar"; }
  std::vector<TarMember> members() const { return members_of(path()); }

 private:
  test::TemporaryFolder folder_;
};

std::string problem_with(const std::string& bytes) {
  const Archive archive(bytes);
  try {
    archive.members();
  } catch (const UserError& error) {
    CHECK_THAT(error.what(), Contains("shard.tar"));
    return error.what();
  }
  return "none";
}

std::string pax_record(const std::string& key, const std::string& value) {
  std::size_t length = key.size() + value.size() + 3;
  length += std::to_string(length + std::to_string(length).size()).size();
  std::string record = std::to_string(length);
  record.append(" ").append(key).append("=").append(value).append("\n");
  return record;
}

// Runs the system's tar. False, with a word, if it is not there.
bool run_tar(const std::string& arguments) {
  if (std::system("tar --version > /dev/null 2>&1") != 0) {
    std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName() << ": no tar\n";
    return false;
  }
  REQUIRE(std::system(("tar " + arguments).c_str()) == 0);
  return true;
}

}  // namespace

TEST_CASE("tar: archives of the system's program in its formats are read as it wrote them") {
  const test::TemporaryFolder work;
  const fs::path source = work.path() / "source";
  fs::create_directories(source / "sub/empty");
  const std::string long_folder(90, 'd'), long_name(95, 'n'), very_long_name(240, 'v');
  std::map<std::string, std::string> files = {{"./a.txt", "alpha"},
                                              {"./none.bin", ""},
                                              {"./block.bin", std::string(512, 'b')},
                                              {"./sub/caf\xC3\xA9 1.txt", std::string(513, 'c')}};
  for (const std::string format : {"gnu", "oldgnu", "ustar", "pax", "v7"}) {
    if (format != "v7") files["./" + long_folder + "/" + long_name] = "in the prefix";
    if (format == "gnu" || format == "pax") files["./" + very_long_name] = "beyond ustar";
    for (const auto& [name, content] : files) {
      fs::create_directories((source / name).parent_path());
      write_anew(source / name, content);
    }
    if (format == "v7" || format == "ustar" || format == "oldgnu") {
      if (format != "oldgnu") fs::remove(source / very_long_name);
      if (format == "v7") fs::remove_all(source / long_folder);
    }
    auto expected = files;
    std::erase_if(expected, [&](const auto& file) { return !fs::exists(source / file.first); });
    INFO(format);
    const fs::path archive = work.path() / (format + ".tar");
    if (!run_tar("--format=" + format + " -C " + source.string() + " -cf " + archive.string() +
                 " ."))
      return;
    std::map<std::string, std::string> found;
    int num_folders = 0;
    for (const TarMember& member : members_of(archive)) {
      num_folders += member.kind == TarKind::folder;
      if (member.kind == TarKind::file) found[member.name] = content_of(archive, member);
    }
    CHECK(found == expected);
    CHECK(num_folders >= 3);
  }
}

TEST_CASE("tar: links, pipes and sparse files of the system's program are told apart") {
  const test::TemporaryFolder work;
  const fs::path source = work.path() / "source";
  fs::create_directory(source);
  write_anew(source / "a", "alpha");
  fs::create_hard_link(source / "a", source / "hard");
  fs::create_symlink("a", source / "soft");
  mkfifo((source / "pipe").c_str(), 0600);
  {
    std::ofstream holes(source / "holes", std::ios::binary);
    // More pieces than one header describes.
    for (int i = 1; i <= 40; ++i) {
      holes.seekp(i << 20);
      holes << "x";
    }
  }
  write_anew(source / "z", "omega");
  for (const std::string format : {"gnu", "pax --sparse-version=1.0", "pax --sparse-version=0.1",
                                   "pax --sparse-version=0.0"}) {
    INFO(format);
    const fs::path archive = work.path() / "links.tar";
    if (!run_tar("--format=" + format + " --sparse --sort=name -C " + source.string() + " -cf " +
                 archive.string() + " a hard soft pipe holes z"))
      return;
    const auto members = members_of(archive);
    REQUIRE(members.size() == 6);
    CHECK(members[0].kind == TarKind::file);
    CHECK(members[1].kind == TarKind::link);
    CHECK(members[2].kind == TarKind::link);
    CHECK(members[3].kind == TarKind::special);
    CHECK(members[4].kind == TarKind::sparse);
    CHECK(members[5].kind == TarKind::file);
    CHECK(members[5].name == "z");
    CHECK(content_of(archive, members[5]) == "omega");
  }
}

TEST_CASE("tar: extension headers of GNU and pax give names and sizes") {
  const std::string name = std::string(300, 'n') + ".mp4";
  const Archive gnu(tar_member("././@LongLink", name + std::string(1, '\0'), 'L') +
                    tar_member("short", "content") + kTarEnd);
  REQUIRE(gnu.members().size() == 1);
  CHECK(gnu.members()[0].name == name);
  CHECK(content_of(gnu.path(), gnu.members()[0]) == "content");

  // The header says 3 bytes, the record 700.
  const std::string content(700, 'c');
  TarHeader header = file_header("short", 3);
  const Archive pax(
      tar_member("all", pax_record("path", "not for members"), 'g') +
      tar_member("pax",
                 pax_record("mtime", "1.5") + pax_record("path", name) + pax_record("size", "700"),
                 'x') +
      header_bytes(header) + with_padding(content) + tar_member("next", "n") + kTarEnd);
  REQUIRE(pax.members().size() == 2);
  CHECK(pax.members()[0].name == name);
  CHECK(content_of(pax.path(), pax.members()[0]) == content);
  CHECK(pax.members()[1].name == "next");
  CHECK(content_of(pax.path(), pax.members()[1]) == "n");
}

TEST_CASE("tar: sizes are octal or binary") {
  const auto with_size = [](const std::string& field) {
    TarHeader header = file_header("a", 0);
    header.size.fill('\0');
    std::ranges::copy(field, header.size.begin());
    return header_bytes(header) + with_padding("12345") + kTarEnd;
  };
  using namespace std::string_literals;
  for (const std::string& field : {"00000000005"s, "          5"s, "5"s, "000000000005"s,
                                   "5          "s, "\x80\0\0\0\0\0\0\0\0\0\0\5"s}) {
    const Archive archive(with_size(field));
    REQUIRE(archive.members().size() == 1);
    CHECK(archive.members()[0].num_bytes == 5);
  }
  // Huge, not numbers, negative.
  for (const std::string& field :
       {"77777777777"s, "777777777777"s, "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"s,
        "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"s, "\x80\0\0\1\0\0\0\0\0\0\0\5"s,
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, "\x81\0\0\0\0\0\0\0\0\0\0\5"s, "-1"s,
        "5x"s, "0x5"s, "9"s})
    CHECK_THAT(problem_with(with_size(field)), Contains("at byte 0"));
}

TEST_CASE("tar: an archive that is cut anywhere in front of its end mark says where") {
  const std::string name(150, 'n');
  const std::string bytes =
      tar_member("a.mp4", std::string(1000, 'a')) + tar_member("b.txt", "caption") +
      tar_member("././@LongLink", name + std::string(1, '\0'), 'L') + tar_member("short", "c") +
      tar_member("pax", pax_record("path", name), 'x') + tar_member("short", "d") + kTarEnd;
  CHECK(Archive(bytes).members().size() == 4);
  CHECK(Archive(bytes.substr(0, bytes.size() - 512)).members().size() == 4);
  CHECK(Archive(bytes + std::string(10240, '\0') + "anything").members().size() == 4);
  const std::size_t end = bytes.size() - kTarEnd.size();
  for (std::size_t length = 0; length <= end + 511; length += length % 512 == 1 ? 510 : 1) {
    INFO(length);
    const std::string problem = problem_with(bytes.substr(0, length));
    // A file without a byte is nothing at all.
    CHECK_THAT(problem, Contains(length == 0 ? "has no bytes" : "is cut or damaged"));
    if (length >= 1536 && length < 2048) CHECK_THAT(problem, Contains("at byte 1536"));
    if (length == end) CHECK_THAT(problem, Contains("no end mark"));
  }
  CHECK_THROWS_WITH(TarReader("/nonexistent.tar"), Contains("/nonexistent.tar"));
}

TEST_CASE("tar: extension headers that say nonsense are refused") {
  const std::string file = tar_member("a", "b") + kTarEnd;
  const auto pax = [&](const std::string& records) {
    return problem_with(tar_member("pax", records, 'x') + file);
  };
  CHECK(pax(pax_record("path", "")) == "none");
  CHECK(pax("") == "none");
  for (const std::string& records :
       {std::string("5 a=b\n"), std::string("99 a=b\n"), std::string("6 a=bc"),
        std::string("x a=b\n"), std::string("-6 a=b\n"), std::string("7 abcd\n"),
        std::string("6a=bc\n"), std::string("2 "), std::string("3 \n"),
        std::string("18446744073709551616 a=b\n"), std::string("18446744073709551615 a=b\n"),
        pax_record("size", "-1"), pax_record("size", ""), pax_record("size", "1 "),
        pax_record("size", "99999999999999999999"), pax_record("size", "9223372036854775807"),
        pax_record("size", "9223372036854775300"), pax_record("size", "100000")})
    CHECK_THAT(pax(records), Contains("is cut or damaged"));
  CHECK_THAT(problem_with(tar_member("pax", std::string(2 << 20, 'x'), 'x') + file),
             Contains("absurdly long"));
  CHECK_THAT(problem_with(tar_member("L", std::string(2 << 20, 'x'), 'L') + file),
             Contains("absurdly long"));
  CHECK_THAT(problem_with(tar_member("a", "b") + tar_member("L", "name", 'L') + kTarEnd),
             Contains("without its member"));
  CHECK_THAT(problem_with(tar_member("a", "b") + std::string(512, '\0') + file),
             Contains("half an end mark"));
  CHECK_THAT(problem_with("<html>" + std::string(5000, ' ')), Contains("no header at byte 0"));
}

TEST_CASE("tar: random damage is an error or other members inside the file, never more") {
  const std::string name(150, 'n');
  const std::string bytes =
      tar_member("a.mp4", std::string(1000, 'a')) + tar_member("dir", "", '5') +
      tar_member("././@LongLink", name + std::string(1, '\0'), 'L') + tar_member("short", "c") +
      tar_member("pax", pax_record("path", name) + pax_record("size", "1"), 'x') +
      tar_member("short", "d") + tar_member("S", std::string(600, 's'), 'S') + kTarEnd;
  Archive archive(bytes);
  constexpr int kRounds = 3000;
  int num_errors = 0;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    RandomStream random(random_key({11, round}));
    std::string damaged = bytes;
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      const std::size_t place = random.below(damaged.size());
      damaged[place] ^= static_cast<char>(1u << random.below(8));
      // Half of the time the header's checksum is put right again, so that the damage is believed.
      const std::size_t block = place / 512 * 512;
      if (random.below(2) == 0 && block + 512 <= damaged.size()) {
        TarHeader header;
        std::memcpy(&header, damaged.data() + block, 512);
        damaged.replace(block, 512, header_bytes(header));
      }
    }
    archive.replace(damaged);
    try {
      for (const TarMember& member : archive.members()) {
        REQUIRE(member.offset_bytes >= 0);
        REQUIRE(member.num_bytes >= 0);
        REQUIRE(member.num_bytes <= std::ssize(damaged) - member.offset_bytes);
      }
    } catch (const UserError&) {
      ++num_errors;
    }
  }
  CHECK(num_errors > kRounds / 4);
  CHECK(num_errors < kRounds);
}

TEST_CASE("tar: our headers are those of the system's program, and it reads them") {
  const test::TemporaryFolder work;
  const fs::path archive = work.path() / "ours.tar";
  write_tar(archive, {{"a.txt", "alpha"}, {"sub/b.bin", std::string(512, 'b')}});
  fs::create_directory(work.path() / "out");
  if (!run_tar("-C " + (work.path() / "out").string() + " -xf " + archive.string())) return;
  CHECK(read_file(work.path() / "out/a.txt") == "alpha");
  CHECK(read_file(work.path() / "out/sub/b.bin") == std::string(512, 'b'));
  if (!run_tar("--format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 -C " +
               (work.path() / "out").string() + " -cf " + (work.path() / "its.tar").string() +
               " a.txt"))
    return;
  CHECK(read_file(work.path() / "its.tar").substr(0, 512) == read_file(archive).substr(0, 512));
}

TEST_CASE("tar: a member of more than eight gigabytes") {
  const test::TemporaryFolder work;
  const fs::path path = work.path() / "large.tar";
  constexpr std::int64_t kBytes = (std::int64_t{9} << 30) + 1;
  {
    std::ofstream file(path, std::ios::binary);
    file << header_bytes(file_header("large.mp4", kBytes));
    file.seekp(512 + (kBytes + 511) / 512 * 512);
    file << tar_member("next.txt", "n") << kTarEnd;
  }
  const auto members = members_of(path);
  REQUIRE(members.size() == 2);
  CHECK(members[0].num_bytes == kBytes);
  CHECK(content_of(path, members[1]) == "n");
}

}  // namespace vllama::datasets
