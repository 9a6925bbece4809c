#include <catch2/catch.hpp>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/record/tensorboard.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
using namespace std::string_literals;

namespace {

template <class Integer>
Integer read_little_endian(std::string_view bytes, std::size_t offset) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value |= static_cast<Integer>(static_cast<unsigned char>(bytes.at(offset + i))) << (8 * i);
  return value;
}

// The payloads of a file of records, each checked against its framing.
std::vector<std::string> records_in(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::vector<std::string> payloads;
  for (std::size_t offset = 0; offset < content.size();) {
    const auto length = read_little_endian<std::uint64_t>(content, offset);
    REQUIRE(length < content.size());
    payloads.push_back(content.substr(offset + 12, length));
    const std::string record = tfrecord(payloads.back());
    REQUIRE(content.substr(offset, record.size()) == record);
    offset += record.size();
  }
  return payloads;
}

}  // namespace

TEST_CASE("crc32c equals the published vectors") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);  // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string ascending, descending;
  for (char i = 0; i < 32; ++i) {
    ascending.push_back(i);
    descending.insert(descending.begin(), i);
  }
  CHECK(crc32c(ascending) == 0x46dd794e);
  CHECK(crc32c(descending) == 0x113fdb5c);
}

TEST_CASE("a record equals one that TensorBoard's own writer made") {
  // tensorboard.summary.writer.record_writer.RecordWriter.write(b"vllama")
  CHECK(tfrecord("vllama") == "\x06\0\0\0\0\0\0\0\x73\x69\xd5\x37vllama\xd0\xa6\x84\xa8"s);
}

TEST_CASE("events carry the public field numbers") {
  const test::TemporaryFolder folder;
  TensorboardWriter writer(folder.path(), 0, [] { return 1.5; });
  writer.write(300, TensorboardWriter::Scalars{{"loss", 0.25}});
  const auto records = records_in(writer.path());
  REQUIRE(records.size() == 2);
  const std::string time = "\x09\0\0\0\0\0\0\xf8\x3f"s;  // field 1, double 1.5
  CHECK(records[0] == time + "\x1a\x0d"s + "brain.Event:2");
  CHECK(records[1] == time + "\x10\xac\x02"s       // field 2, varint 300
                          + "\x2a\x0d"s            // field 5, 13 bytes: the summary
                          + "\x0a\x0b"s            // field 1, 11 bytes: a value
                          + "\x0a\x04loss"s        // field 1: its tag
                          + "\x15\0\0\x80\x3e"s);  // field 2, float 0.25
}

TEST_CASE("a resumed run says from which step on older files are void") {
  const test::TemporaryFolder folder;
  const TensorboardWriter writer(folder.path(), 40, [] { return 1.5; });
  const auto records = records_in(writer.path());
  REQUIRE(records.size() == 2);
  CHECK(records[1] == "\x09\0\0\0\0\0\0\xf8\x3f\x10\x29\x3a\x02\x08\x01"s);
}

TEST_CASE("file names are found by TensorBoard and sort by time") {
  const test::TemporaryFolder folder;
  const TensorboardWriter first(folder.path(), 0, [] { return 999999999.5; });
  const TensorboardWriter second(folder.path(), 0, [] { return 1700000000.25; });
  CHECK_THAT(second.path().filename().string(),
             Catch::StartsWith("events.out.tfevents.1700000000."));
  CHECK(first.path() < second.path());
}

TEST_CASE("a step's metrics become one event; what is not known is absent") {
  const test::TemporaryFolder folder;
  TensorboardWriter writer(folder.path(), 0);
  StepMetrics metrics;
  metrics.step = 1;
  metrics.loss = 2.5;
  writer.write(metrics);
  const auto records = records_in(writer.path());
  REQUIRE(records.size() == 2);
  CHECK_THAT(records[1], Contains("train/loss") && Contains("train/learning_rate") &&
                             Contains("speed/tokens_per_second") &&
                             Contains("data/dropped_samples"));
  CHECK_THAT(records[1], !Contains("data_wait_share") && !Contains("memory") &&
                             !Contains("loss_z") && !Contains("communication") &&
                             !Contains("slowest_rank"));
  metrics.seconds = 2;
  metrics.loss_z = 7;
  metrics.communication_seconds = 0.5;
  metrics.straggler = {1, 1.5, "data"};
  writer.write(metrics);
  CHECK_THAT(records_in(writer.path()).back(),
             Contains("train/loss_z") && Contains("train/bad_steps") &&
                 Contains("speed/communication_share") && Contains("speed/slowest_rank_to_median"));
}

TEST_CASE("an event file that cannot be written stops the run") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_AS(TensorboardWriter(folder.path() / "none", 0), RunFailure);
}
