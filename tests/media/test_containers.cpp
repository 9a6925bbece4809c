// Which files are read, whatever they are called, and what is said of the others.
#include <catch2/catch.hpp>
#include <cstring>
#include <numeric>

#include "core/files.h"
#include "media/audio.h"
#include "media/error.h"
#include "media/image.h"
#include "media/video.h"
#include "tests/media/clips.h"

namespace vllama::test {
namespace {

namespace fs = std::filesystem;
using media::MediaError;

const std::string kTone = "-f lavfi -i sine=frequency=400:sample_rate=48000:duration=2 ";

std::string pixels_of(const fs::path& path) {
  media::VideoReader reader(path);
  std::vector<std::int64_t> indices(static_cast<std::size_t>(reader.facts().num_frames));
  std::iota(indices.begin(), indices.end(), 0);
  std::string pixels;
  for (const media::Image& image : reader.frames(indices).images)
    pixels.append(image.rgb.begin(), image.rgb.end());
  return pixels;
}

std::string samples_of(const fs::path& path) {
  const media::Waveform sound = media::read_audio(path);
  std::string bytes;
  for (std::int64_t i = 0; i < sound.num_samples(); ++i)
    for (const auto& channel : sound.channels)
      bytes.append(reinterpret_cast<const char*>(&channel[static_cast<std::size_t>(i)]),
                   sizeof(float));
  return bytes;
}

std::string by_ffmpeg(const TemporaryFolder& folder, const fs::path& path,
                      const std::string& arguments) {
  const auto raw = make_clip(folder, "raw", "-i '" + path.string() + "' " + arguments);
  return read_file(raw.value());
}

// What is said of a file, by the first that refuses it.
std::string said_of(const fs::path& path) {
  try {
    media::VideoReader reader(path);
  } catch (const MediaError& error) {
    return std::string(failure_name(error.reason)) + ": " + error.what();
  }
  return "read";
}

std::string said_of_picture(const fs::path& path) {
  try {
    media::read_image(path);
  } catch (const MediaError& error) {
    return error.what();
  }
  return "read";
}

}  // namespace

TEST_CASE("videos of every container that FFmpeg writes are read as FFmpeg reads them") {
  struct Kind {
    std::string name, size, codecs, encoder;
  };
  for (const Kind& kind :
       {Kind{"a.mxf", "64x48", "-c:v mpeg2video -c:a pcm_s16le", ""},
        Kind{"a.nut", "64x48", "-c:v mpeg4 -c:a pcm_s16le", ""},
        Kind{"a.dv", "720x576", "-pix_fmt yuv420p -ac 2", ""},
        Kind{"a.rm", "176x144", "-c:v rv20 -c:a ac3", ""},
        Kind{"a.vob", "64x48", "-c:v mpeg2video -c:a mp2", ""},
        Kind{"a.f4v", "64x48", "-c:v libx264 -bf 0 -c:a aac", "libx264"},
        Kind{"a.flv", "64x48", "-c:v flv -c:a mp3 -ar 44100", "libmp3lame"},
        Kind{"a.swf", "64x48", "-c:v flv -c:a mp3 -ar 44100", "libmp3lame"},
        Kind{"a.wmv", "64x48", "-c:v wmv2 -c:a wmav2", ""},
        Kind{"a.wtv", "64x48", "-c:v mpeg2video -c:a mp2", ""},
        Kind{"a.M2TS", "64x48", "-f mpegts -c:v mpeg2video -c:a mp2", ""},
        Kind{"a.DIVX", "64x48", "-f avi -c:v mpeg4 -c:a pcm_s16le", ""},
        Kind{"a.m4v", "64x48", "-f mp4 -c:v mpeg4 -c:a aac", ""},
        Kind{"a.cpk", "64x48", "-f film_cpk -c:v cinepak -c:a pcm_s16be_planar", ""},
        Kind{"a.gif", "64x48", "-an", ""},
        Kind{"a.apng", "64x48", "-an -plays 0", ""},
        Kind{"a.y4m", "64x48", "-an -pix_fmt yuv420p", ""},
        Kind{"a.ivf", "64x48", "-an -c:v libvpx", "libvpx"},
        Kind{"a.mjpeg", "64x48", "-an -c:v mjpeg", ""},
        Kind{"a.m2v", "64x48", "-an -c:v mpeg2video", ""}}) {
    const TemporaryFolder folder;
    const auto path = make_clip(
        folder, kind.name, moving_picture(kind.size, 25, 50) + kTone + kind.codecs, kind.encoder);
    if (!path) return;
    INFO(kind.name);
    const std::string pixels = by_ffmpeg(
        folder, *path,
        "-map 0:v:0 -vf scale=flags=bilinear,format=rgb24 -vsync passthrough -f rawvideo");
    CHECK(pixels_of(*path) == pixels);
    // Names say nothing.
    const fs::path nameless = folder.path() / "clip";
    fs::copy_file(*path, nameless);
    CHECK(pixels_of(nameless) == pixels);
    if (kind.codecs.starts_with("-an")) continue;
    // Silence may stand before and behind the samples.
    const std::string samples = by_ffmpeg(
        folder, *path,
        "-map 0:v -f null /dev/null -map 0:a:0 -af aresample=async=1:first_pts=0 -f f32le");
    CHECK(samples_of(*path).substr(0, samples.size()) == samples);
  }
}

TEST_CASE("sounds of every container that FFmpeg writes are read as FFmpeg reads them") {
  struct Kind {
    std::string name, codec, encoder;
  };
  for (const Kind& kind : {Kind{"a.wv", "", ""},
                           Kind{"a.tta", "", ""},
                           Kind{"a.dts", "-strict -2", ""},
                           Kind{"a.VOC", "", ""},
                           Kind{"a.ac3", "", ""},
                           Kind{"a.eac3", "", ""},
                           Kind{"a.mp2", "", ""},
                           Kind{"a.caf", "", ""},
                           Kind{"a.AIFF", "", ""},
                           Kind{"a.au", "", ""},
                           Kind{"a.w64", "", ""},
                           Kind{"a.wma", "", ""},
                           Kind{"a.thd", "-strict -2 -c:a truehd", ""},
                           Kind{"a.mlp", "-strict -2 -c:a mlp", ""},
                           Kind{"a.loas", "-c:a aac -f latm", ""},
                           Kind{"a.sf", "-f ircam", ""},
                           Kind{"a.sox", "-f sox", ""},
                           Kind{"a.wav", "-c:a adpcm_ima_wav", ""},
                           Kind{"a.mmf", "-ar 44100 -c:a adpcm_yamaha", ""},
                           Kind{"a.spdif", "-c:a ac3", ""},
                           Kind{"a.rso", "-c:a pcm_u8 -ar 8000", ""},
                           Kind{"a.aud", "-f wsaud -c:a adpcm_ima_ws", ""},
                           Kind{"a.ast", "-c:a pcm_s16be_planar", ""},
                           Kind{"a.adx", "-c:a adpcm_adx", ""},
                           Kind{"a.gsm", "-ar 8000 -c:a libgsm", "libgsm"}}) {
    const TemporaryFolder folder;
    const auto path = make_clip(folder, kind.name, kTone + kind.codec, kind.encoder);
    if (!path) continue;
    INFO(kind.name);
    CHECK(samples_of(*path) == by_ffmpeg(folder, *path, "-f f32le"));
    CHECK_THAT(said_of(*path), Catch::StartsWith("no_video_stream"));
  }
}

TEST_CASE("a container that is not read is named, and so is what is none") {
  const TemporaryFolder folder;
  struct Case {
    std::string name, bytes, words;
  };
  for (const auto& [name, bytes, words] :
       {Case{"a.mp4", "<!DOCTYPE html><html>404</html>", "a web page (HTML)"},
        Case{"b.mp3", "\n <HTML><body>404</body></html>", "a web page (HTML)"},
        Case{"c.ac3", "<?xml version=\"1.0\"?><Error/>", "XML"},
        Case{"d.mp4", "Access denied\n", "text"}, Case{"e.h264", "Access denied\n", "text"},
        Case{"f.mp4", "{\"error\": 404}", "text"},
        Case{"g.mp4", "1\n00:00:01,000 --> 00:00:02,000\nHello\n", "text"},
        Case{"h.mp4", std::string("PK\3\4\0\0\0\0", 8), "a ZIP archive"},
        Case{"i.mp4", std::string("\x1f\x8b\x08\0", 4), "compressed by gzip"},
        Case{"j.mp4", "%PDF-1.7\n", "a PDF document"},
        Case{"k.mp4", "version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
        Case{"l.mp4", "#EXTM3U\nhttp://localhost/a.ts\n", "a play list"},
        Case{"m.mp4", "ffconcat version 1.0\nfile /etc/hostname\n", "a play list"},
        Case{"n.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 5004 RTP/AVP 96\n",
             "text"},
        Case{"o.mp4", std::string(3000, '\0'), "neither a video nor a sound file"},
        Case{"p.sw", std::string(3000, '\1'), "a container that is not read: PCM"},
        Case{"q.g722", std::string(3000, '\1'), "a container that is not read: raw G.722"}}) {
    const fs::path path = folder.path() / name;
    write_file_atomically(path, bytes);
    INFO(name);
    CHECK_THAT(said_of(path),
               Catch::StartsWith("not_media") && Catch::Contains(name) && Catch::Contains(words));
  }
  for (const std::string name : {"a.png", "a.jpg", "a.tiff", "a.jp2"}) {
    const auto picture = make_clip(folder, name, moving_picture("64x48", 1, 1) + "-frames:v 1");
    if (!picture) return;
    CHECK_THAT(said_of(*picture), Catch::Contains("picture") && Catch::StartsWith("not_media"));
  }
  CHECK_THAT(said_of_picture(folder.path() / "a.tiff"),
             Catch::Contains("is a TIFF picture, not a"));
  CHECK_THAT(said_of_picture(folder.path() / "a.mp4"), Catch::Contains("a web page (HTML), not a"));
}

}  // namespace vllama::test
