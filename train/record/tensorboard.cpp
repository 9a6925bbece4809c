#include "train/record/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>
#include <cmath>

#include "train/record/protobuf_message.h"

namespace vllama::train {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kReversedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

template <class Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(value); ++i)
    bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return bytes;
}

std::string masked_crc(std::string_view bytes) {
  return little_endian(std::uint32_t{std::rotr(crc32c(bytes), 15) + 0xa282ead8});
}

// Field numbers of TensorBoard's event.proto and summary.proto.
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr int kSummaryValue = 1;
constexpr int kTag = 1, kSimpleValue = 2, kTensor = 8, kMetadata = 9;
constexpr int kPluginData = 1, kPluginName = 1;
constexpr int kDataType = 1, kShape = 2, kStringValue = 8, kDimension = 2, kSize = 1;
constexpr int kStringType = 7;
constexpr int kSessionStatus = 1, kSessionStart = 1;

// Step 0 is left out, as every field of value zero is.
ProtobufMessage event(double wall_time, std::int64_t step) {
  ProtobufMessage message;
  message.fp64(kWallTime, wall_time);
  if (step != 0) message.integer(kStep, step);
  return message;
}

// Seconds lead the name and are padded, so that a later file also comes later in a listing.
std::filesystem::path new_file(const std::filesystem::path& folder, double wall_time) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return folder / fmt::format("events.out.tfevents.{:017.6f}.{}.{}", wall_time,
                              host[0] == '\0' ? "localhost" : host.data(), ::getpid());
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes)
    crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

std::string tfrecord(std::string_view bytes) {
  const std::string length = little_endian(std::uint64_t{bytes.size()});
  std::string record = length + masked_crc(length);
  record.append(bytes);
  return record + masked_crc(bytes);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TensorboardWriter::TensorboardWriter(const std::filesystem::path& folder,
                                     std::int64_t num_steps_done,
                                     std::function<double()> wall_clock)
    : wall_clock_(std::move(wall_clock)), path_(new_file(folder, wall_clock_())), file_(path_) {
  file_.append(tfrecord(event(wall_clock_(), 0).text(kFileVersion, "brain.Event:2").bytes()));
  if (num_steps_done == 0) return;
  const std::string start = ProtobufMessage().integer(kSessionStatus, kSessionStart).bytes();
  file_.append(tfrecord(event(wall_clock_(), num_steps_done + 1).text(kSessionLog, start).bytes()));
}

void TensorboardWriter::write(std::int64_t step, const Scalars& scalars) {
  ProtobufMessage summary;
  for (const auto& [tag, value] : scalars)
    summary.text(
        kSummaryValue,
        ProtobufMessage().text(kTag, tag).fp32(kSimpleValue, static_cast<float>(value)).bytes());
  file_.append(tfrecord(event(wall_clock_(), step).text(kSummary, summary.bytes()).bytes()));
}

void TensorboardWriter::write_texts(std::int64_t step, const Texts& texts) {
  const std::string plugin = ProtobufMessage().text(kPluginName, "text").bytes();
  const std::string metadata = ProtobufMessage().text(kPluginData, plugin).bytes();
  const std::string one = ProtobufMessage().integer(kSize, 1).bytes();
  const std::string shape = ProtobufMessage().text(kDimension, one).bytes();
  ProtobufMessage summary;
  for (const auto& [tag, text] : texts) {
    const std::string tensor = ProtobufMessage()
                                   .integer(kDataType, kStringType)
                                   .text(kShape, shape)
                                   .text(kStringValue, text)
                                   .bytes();
    summary.text(
        kSummaryValue,
        ProtobufMessage().text(kTag, tag).text(kTensor, tensor).text(kMetadata, metadata).bytes());
  }
  file_.append(tfrecord(event(wall_clock_(), step).text(kSummary, summary.bytes()).bytes()));
}

void TensorboardWriter::write(const StepMetrics& metrics) {
  Scalars scalars = {{"train/loss", metrics.loss},
                     {"train/learning_rate", metrics.learning_rate},
                     {"train/gradient_norm", metrics.gradient_norm},
                     {"speed/step_seconds", metrics.seconds},
                     {"speed/tokens_per_second", metrics.tokens_per_second()},
                     {"data/target_tokens", static_cast<double>(metrics.num_target_tokens)},
                     {"data/dropped_samples", static_cast<double>(metrics.num_dropped())}};
  if (metrics.seconds > 0)
    scalars.emplace_back("speed/data_wait_share", metrics.data_wait_seconds / metrics.seconds);
  if (metrics.peak_memory_bytes)
    scalars.emplace_back("speed/peak_memory_gigabytes",
                         static_cast<double>(*metrics.peak_memory_bytes) / 1e9);
  if (metrics.loss_z) scalars.emplace_back("train/loss_z", *metrics.loss_z);
  scalars.emplace_back("train/bad_steps", metrics.problem ? 1 : 0);
  if (metrics.communication_seconds && metrics.seconds > 0)
    scalars.emplace_back("speed/communication_share",
                         *metrics.communication_seconds / metrics.seconds);
  if (metrics.straggler)
    scalars.emplace_back("speed/slowest_rank_to_median", metrics.straggler->ratio);
  write(metrics.step, scalars);
}

}  // namespace vllama::train
