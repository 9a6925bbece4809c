// Protocol Buffers' wire format, as far as TensorBoard's events need it. The library itself stays
// out of the program: Debian's SentencePiece carries an older copy whose symbols would be mixed up
// with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vllama::train {

// One message; each call appends a field. Text also stands for bytes and nested messages.
class ProtobufMessage {
 public:
  ProtobufMessage& integer(int field, std::int64_t value);
  ProtobufMessage& fp64(int field, double value);
  ProtobufMessage& fp32(int field, float value);
  ProtobufMessage& text(int field, std::string_view value);

  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type);
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace vllama::train
