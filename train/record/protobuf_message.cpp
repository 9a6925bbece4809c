#include "train/record/protobuf_message.h"

#include <bit>

namespace vllama::train {
namespace {

constexpr int kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;

template <class Bits>
void append_fixed(std::string& bytes, Bits bits) {
  for (std::size_t i = 0; i < sizeof(bits); ++i)
    bytes.push_back(static_cast<char>(bits >> (8 * i) & 0xff));
}

}  // namespace

ProtobufMessage& ProtobufMessage::integer(int field, std::int64_t value) {
  key(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::fp64(int field, double value) {
  key(field, kFixed64);
  append_fixed(bytes_, std::bit_cast<std::uint64_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::fp32(int field, float value) {
  key(field, kFixed32);
  append_fixed(bytes_, std::bit_cast<std::uint32_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::text(int field, std::string_view value) {
  key(field, kLengthDelimited);
  varint(value.size());
  bytes_.append(value);
  return *this;
}

void ProtobufMessage::key(int field, int wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire_type));
}

void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7f) | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

}  // namespace vllama::train
