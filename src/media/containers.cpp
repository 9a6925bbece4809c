#include "media/containers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "media/ffmpeg.h"

namespace vllama::media {
namespace {

using namespace std::string_view_literals;

// A list of what may be opened rather than of what may not: a later FFmpeg brings demuxers that
// nobody has looked at. Absent on purpose are those that make one file read others (play lists,
// image sequences, concat, SDP, split recordings), devices and network protocols, pictures (see
// image.h), subtitles, text art, module music, and sound or pictures without any header, which are
// recognised by the name alone and take any bytes for media.
constexpr const char* kReadable =
    // Video, with or without sound.
    "mov,matroska,avi,mpegts,mpeg,flv,kux,asf,asf_o,ogg,nut,mxf,gxf,lxf,rm,ivr,dv,wtv,nsv,nuv,pva,"
    "pmp,ty,dhav,vivo,vividas,mtv,ivf,ifv,iv8,yuv4mpegpipe,smjpeg,moflex,mods,luodat,lmlm4,"
    "msnwctcp,"
    "cine,ser,r3d,swf,gif,apng,flic,rpl,cdxl,avs,"
    // One stream of a video codec.
    "mpegvideo,m4v,h261,h263,h264,hevc,mjpeg,vc1,vc1test,cavsvideo,avs2,avs3,dirac,dnxhd,obu,av1,"
    // Sound.
    "mp3,aac,loas,ac3,eac3,dts,dtshd,mlp,truehd,spdif,s337m,flac,tta,wv,ape,tak,shn,mpc,mpc8,vqf,"
    "codec2,ilbc,gsm,g723_1,amr,amrnb,amrwb,wav,w64,aiff,caf,au,voc,iff,dsf,wsd,avr,ircam,"
    "nistsphere,pvf,qcp,sox,sds,sdx,sol,wve,xwma,oma,aea,dss,act,acm,rso,mmf,hcom,epaf,"
    // Videos and sounds of games.
    "film_cpk,bink,binka,smk,roq,4xm,ea,ea_cdata,idcin,wc3movie,wsvqa,wsaud,vmd,bfi,bethsoftvid,"
    "c93,"
    "dsicin,dxa,hnm,ipmovie,iss,jv,mm,psxstr,tiertexseq,siff,smush,thp,paf,xmv,yop,gdv,mgsts,rl2,"
    "bmv,adx,ast,brstm,bfstm,hca,msf,mtaf,musx,vag,genh,fsb,rsd,svag,xvag,vpk,ads,afc,aix,apc,aax,"
    "xa,kvag,argo_asf,argo_brp,argo_cvg,alp,apm,pp_bnk,svs,scd,derf,boa,dcstr,fwse";

struct Mark {
  std::string_view bytes;
  std::size_t place;
  std::string_view kind;
};
constexpr std::array kMarks = {
    Mark{"PK\3\4"sv, 0, "a ZIP archive"sv},
    Mark{"\x1f\x8b"sv, 0, "compressed by gzip"sv},
    Mark{"BZh"sv, 0, "compressed by bzip2"sv},
    Mark{"\xfd"
         "7zXZ"sv,
         0, "compressed by xz"sv},
    Mark{"\x28\xb5\x2f\xfd"sv, 0, "compressed by zstd"sv},
    Mark{"7z\xbc\xaf\x27\x1c"sv, 0, "a 7z archive"sv},
    Mark{"Rar!\x1a\x07"sv, 0, "a RAR archive"sv},
    Mark{"ustar"sv, 257, "a tar archive"sv},
    Mark{"%PDF-"sv, 0, "a PDF document"sv},
    Mark{"\x93NUMPY"sv, 0, "an array of NumPy"sv},
    Mark{"\x89HDF\r\n"sv, 0, "an HDF5 file"sv},
    Mark{"\x7f"
         "ELF"sv,
         0, "a program"sv},
    Mark{"version https://git-lfs"sv, 0, "a pointer of Git LFS, not the file (see git lfs pull)"sv},
    Mark{"#EXTM3U"sv, 0, "a play list that names other files"sv},
    Mark{"ffconcat version"sv, 0, "a play list that names other files"sv},
    Mark{"WEBPVP8"sv, 8, "a WebP picture"sv},
    Mark{"II*\0"sv, 0, "a TIFF picture"sv},
    Mark{"MM\0*"sv, 0, "a TIFF picture"sv},
    Mark{"ftypavif"sv, 4, "an AVIF picture"sv},
    Mark{"ftypheic"sv, 4, "a HEIC picture"sv},
    Mark{"\0\0\0\x0cjP  "sv, 0, "a JPEG 2000 picture"sv},
};

constexpr std::int64_t kProbedBytes = 64 * 1024;

bool is_space(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

// The text in lower case, without a byte order mark and white space in front.
std::string start_of_text(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf"sv)) bytes.remove_prefix(3);
  while (!bytes.empty() && is_space(bytes.front())) bytes.remove_prefix(1);
  std::string start(bytes.substr(0, 32));
  for (char& byte : start)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  return start;
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) {
    return is_space(byte) || byte == '\f' ||
           (static_cast<std::uint8_t>(byte) >= ' ' && byte != 127);
  });
}

struct Probed {
  const AVInputFormat* format = nullptr;
  int score = 0;
};

Probed probe(std::string bytes, const std::string& name) {
  AVProbeData data{};
  data.filename = name.c_str();
  data.buf_size = static_cast<int>(bytes.size());
  bytes.resize(bytes.size() + AVPROBE_PADDING_SIZE);
  data.buf = reinterpret_cast<unsigned char*>(bytes.data());
  Probed found;
  found.format = av_probe_input_format3(&data, 1, &found.score);
  return found;
}

bool is_readable(const AVInputFormat* format) {
  return av_match_list(format->name, kReadable, ',') > 0;
}

}  // namespace

const char* readable_containers() {
  return kReadable;
}

std::string_view kind_of_other_file(std::string_view first_bytes) {
  for (const Mark& mark : kMarks)
    if (first_bytes.size() > mark.place && first_bytes.substr(mark.place).starts_with(mark.bytes))
      return mark.kind;
  const std::string start = start_of_text(first_bytes);
  for (const std::string_view tag : {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv})
    if (start.starts_with(tag)) return "a web page (HTML)";
  return start.starts_with("<?xml") || start.starts_with("<error") ? "XML"sv : ""sv;
}

std::string reason_not_opened(const OpenRange& file, const std::string& name) {
  const std::string bytes = file.read_first(kProbedBytes);
  const Probed by_bytes = probe(bytes, "");
  if (by_bytes.format != nullptr && is_readable(by_bytes.format)) return {};
  std::string_view kind = kind_of_other_file(bytes);
  if (kind.empty() && is_text(bytes)) kind = "text";
  if (!kind.empty()) return fmt::format("is {}, neither a video nor a sound file", kind);
  const std::string format_name = by_bytes.format == nullptr ? "" : by_bytes.format->name;
  if (const std::size_t end = format_name.find("_pipe"); end != std::string::npos)
    return fmt::format("is a picture ({}), neither a video nor a sound file",
                       format_name.substr(0, end));
  const Probed by_name = probe(bytes, name);
  for (const Probed& found : {by_bytes, by_name})
    if (found.format != nullptr && found.score > AVPROBE_SCORE_RETRY && !is_readable(found.format))
      return fmt::format("a container that is not read: {} ({})", found.format->long_name,
                         found.format->name);
  return "is neither a video nor a sound file";
}

}  // namespace vllama::media
