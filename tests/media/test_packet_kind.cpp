// What is told from the bytes of compressed frames, on frames made by hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "media/packet_kind.h"
#include "tests/media/field_streams.h"

using namespace vllama::media;

namespace {

using Parameters = std::unique_ptr<AVCodecParameters, Free<avcodec_parameters_free>>;

Parameters parameters(AVCodecID codec) {
  Parameters made(avcodec_parameters_alloc());
  made->codec_type = AVMEDIA_TYPE_VIDEO;
  made->codec_id = codec;
  return made;
}

PacketKind kind_of(PacketClassifier& classify, const std::vector<std::uint8_t>& bytes,
                   bool is_key = false) {
  const Packet packet = make_packet();
  check(av_new_packet(packet.get(), static_cast<int>(bytes.size())), "packet");
  std::copy(bytes.begin(), bytes.end(), packet->data);
  packet->flags = is_key ? AV_PKT_FLAG_KEY : 0;
  return classify(*packet);
}

}  // namespace

TEST_CASE("H.264: entries are IDR pictures, unreferenced ones say so in every slice") {
  const auto made = parameters(AV_CODEC_ID_H264);
  PacketClassifier classify(*made);  // no header: units follow start codes
  CHECK(kind_of(classify, {0, 0, 1, 0x65, 0x88}).is_entry);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x65, 0x88}).is_unreferenced);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x61, 0x88}, true).is_entry);  // a flag is not enough
  CHECK(kind_of(classify, {0, 0, 1, 0x01, 0x88, 0, 0, 1, 0x01, 0x77}).is_unreferenced);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x01, 0x88, 0, 0, 1, 0x21, 0x77}).is_unreferenced);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x06, 5, 1}).is_unreferenced);  // no picture in it
}

TEST_CASE("H.264: an entry must bring every parameter set that was sent among the frames") {
  const auto made = parameters(AV_CODEC_ID_H264);
  PacketClassifier classify(*made);
  const std::vector<std::uint8_t> sets_and_idr{0,    0, 1, 0x67, 1, 0,    0, 1,
                                               0x68, 2, 0, 0,    1, 0x65, 3};
  CHECK(kind_of(classify, sets_and_idr).is_entry);
  CHECK(kind_of(classify, sets_and_idr).is_entry);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x65, 3}).is_entry);
  CHECK_FALSE(kind_of(classify, {0, 0, 1, 0x68, 9, 0, 0, 1, 0x01, 3}).is_unreferenced);
  CHECK_FALSE(kind_of(classify, sets_and_idr).is_entry);  // lacks the second picture set
}

TEST_CASE("HEVC: random access points are entries, even types below 16 unreferenced") {
  const auto made = parameters(AV_CODEC_ID_HEVC);
  PacketClassifier classify(*made);
  const auto nal = [](int type, int layer) {
    return std::vector<std::uint8_t>{
        0, 0, 1, static_cast<std::uint8_t>(type << 1), static_cast<std::uint8_t>(layer + 1), 0x80};
  };
  CHECK(kind_of(classify, nal(19, 0)).is_entry);
  CHECK(kind_of(classify, nal(21, 0)).is_entry);
  CHECK_FALSE(kind_of(classify, nal(1, 0)).is_entry);
  CHECK_FALSE(kind_of(classify, nal(1, 0)).is_unreferenced);
  CHECK(kind_of(classify, nal(8, 0)).is_unreferenced);
  CHECK(kind_of(classify, nal(0, 2)).temporal_layer == 2);
}

TEST_CASE("units whose lengths lie are neither entries nor unreferenced") {
  const auto made = parameters(AV_CODEC_ID_H264);
  const std::vector<std::uint8_t> header{1, 100, 0, 30, 0xff, 0xe0, 0};
  made->extradata = static_cast<std::uint8_t*>(av_mallocz(64));
  made->extradata_size = static_cast<int>(header.size());
  std::memcpy(made->extradata, header.data(), header.size());
  PacketClassifier classify(*made);
  CHECK(kind_of(classify, {0, 0, 0, 2, 0x65, 0x88}).is_entry);
  CHECK_FALSE(kind_of(classify, {0, 0, 0, 9, 0x65, 0x88}).is_entry);
  CHECK_FALSE(kind_of(classify, {0xff, 0xff, 0xff, 0xff, 0x65}).is_entry);
  CHECK_FALSE(kind_of(classify, {0, 0, 0}).is_entry);
}

TEST_CASE("hidden frames of VP8 and empty packets show nothing") {
  const auto made = parameters(AV_CODEC_ID_VP8);
  PacketClassifier classify(*made);
  CHECK(kind_of(classify, {0x11, 0, 0}).num_pictures == 1);
  CHECK(kind_of(classify, {0x01, 0, 0}).num_pictures == 0);
  CHECK(kind_of(classify, {0x01, 0, 0}).is_never_shown);
  CHECK(kind_of(classify, {}).num_pictures == 0);
  CHECK_FALSE(kind_of(classify, {}).is_never_shown);
}

TEST_CASE("hidden frames of VP9 and AV1") {
  const auto vp9 = parameters(AV_CODEC_ID_VP9), av1 = parameters(AV_CODEC_ID_AV1);
  PictureCounter count_vp9(*vp9), count_av1(*av1);
  const auto count = [](PictureCounter& counter, const std::vector<std::uint8_t>& bytes) {
    return counter(bytes);
  };
  CHECK(count(count_vp9, {0b10000110, 0}) == 1);        // a shown frame of profile 0
  CHECK(count(count_vp9, {0b10000100, 0}) == 0);        // a hidden one
  CHECK(count(count_vp9, {0b10001000, 0}) == 1);        // an earlier one, shown now
  CHECK(count(count_vp9, {0b10110010, 0}) == 0);        // profile 3 has a bit more
  CHECK(count(count_vp9, {0b10000100, 0, 0xc0}) == 1);  // a superframe
  CHECK(count(count_vp9, {0b00000100, 0}) == 1);        // no VP9 at all

  constexpr std::uint8_t kDelimiter = 0x12, kFrame = 0x32, kHeader = 0x1a;
  CHECK(count(count_av1, {kDelimiter, 0, kFrame, 2, 0b00010000, 0}) == 1);
  CHECK(count(count_av1, {kDelimiter, 0, kFrame, 2, 0b00100000, 0}) == 0);
  CHECK(count(count_av1, {kFrame, 1, 0b00100000, kHeader, 1, 0b10000000}) == 1);
  CHECK(count(count_av1, {kDelimiter, 0}) == 1);                      // no frame: in doubt
  CHECK(count(count_av1, {kFrame, 200, 0b00100000}) == 1);            // its size lies
  CHECK(count(count_av1, {0x0a, 1, 0b00011000, kFrame, 1, 0}) == 1);  // a still picture
}

TEST_CASE("MPEG-4: pictures that are not coded, and two in a packet") {
  const auto made = parameters(AV_CODEC_ID_MPEG4);
  PictureCounter counter(*made);
  const auto count = [&](const std::vector<std::uint8_t>& bytes) { return counter(bytes); };
  const std::vector<std::uint8_t> not_coded{0, 0, 1, 0xb6, 0b01010001, 0b00111111};
  CHECK(count(not_coded) == 1);  // without a header nobody knows where to look
  // A layer of rectangular shape with 10 steps of time a second: 4 bits.
  const std::vector<std::uint8_t> header{0,          0,          1,          0x20,      0b00000000,
                                         0b00000100, 0b01000000, 0b00000010, 0b10100000};
  CHECK(count(header) == 1);
  CHECK(count({0, 0, 1, 0xb6, 0b01'0'1'0001, 0b1'0'1'11111}) == 0);
  CHECK(count({0, 0, 1, 0xb6, 0b01'0'1'0001, 0b1'1'111111}) == 1);
  CHECK(count({0, 0, 1, 0xb6, 0b01'0'1'0001, 0b1'1'111111, 0, 0, 1, 0xb6, 0b10'0'1'0010,
               0b1'1'111111}) == 2);
  CHECK(count({0x7f}) == 0);
  CHECK(count({0, 0, 1}) == 1);
}

TEST_CASE("H.264: a packet with one field of a picture") {
  const auto made = parameters(AV_CODEC_ID_H264);
  PacketClassifier classify(*made);
  const std::string stream = vllama::test::h264_fields({50});
  const std::size_t second = stream.rfind(std::string("\0\0\0\1", 4));
  const auto kind = [&](const std::string& bytes) {
    return kind_of(classify, {bytes.begin(), bytes.end()});
  };
  const std::string first_field = stream.substr(0, second), second_field = stream.substr(second);
  CHECK(kind(first_field).field == Field::first);
  CHECK(kind(second_field).field == Field::second);
  CHECK(kind(first_field).field != Field::none);
  CHECK(kind(first_field).field == Field::first);  // its second field is lost
  CHECK(kind(stream).field == Field::none);        // both are here
}
