// What is told from the bytes of compressed frames, on frames made by hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "media/packet_kind.h"

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
  CHECK(kind_of(classify, {0x11, 0, 0}).shows_picture);
  CHECK_FALSE(kind_of(classify, {0x01, 0, 0}).shows_picture);
  CHECK_FALSE(kind_of(classify, {}).shows_picture);
}
