#!/usr/bin/env bash
# Makes small clips, sounds and pictures with the ffmpeg program as seeds: tools/fuzz/media_seeds.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly folder="${1:?the folder of the seeds}"
mkdir -p "$folder/video" "$folder/sound" "$folder/image"

picture() { echo "-f lavfi -i testsrc2=size=48x32:rate=10:duration=$1"; }
readonly tone="-f lavfi -i sine=frequency=440:sample_rate=16000:duration=0.2"

# make FILE ARGUMENTS...: a file, unless this ffmpeg lacks what it takes.
make() {
  local file="$folder/$1"
  shift
  ffmpeg -nostdin -loglevel quiet -y "$@" -fflags +bitexact "$file" || { rm -f "$file"; echo "no $file"; }
}

# shellcheck disable=SC2046,SC2086
clips() {
  local both="$(picture 0.8) $tone -shortest"
  make video/h264.mp4 $both -c:v libx264 -bf 2 -pix_fmt yuv420p -c:a aac
  make video/fragments.mp4 $both -c:v libx264 -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov
  make video/h264.ts $both -c:v libx264 -pix_fmt yuv420p -c:a mp2 -f mpegts
  make video/interlaced.ts $both -c:v libx264 -flags +ildct+ilme -x264opts tff=1 -pix_fmt yuv420p -c:a mp2 -f mpegts
  make video/mpeg4.avi $both -c:v mpeg4 -bf 2 -c:a mp3
  make video/vp8.webm $both -c:v libvpx -c:a libopus
  make video/vp9.mkv $both -c:v libvpx-vp9 -c:a libvorbis
  make video/mpeg2.mpg $both -c:v mpeg2video -c:a mp2 -f mpeg
  make video/flv1.flv $both -c:v flv -c:a mp3 -ar 22050
  make video/hevc.mp4 -f lavfi -i testsrc2=size=64x64:rate=10:duration=0.4 -c:v libx265 -x265-params log-level=none -pix_fmt yuv420p
  make video/raw.h264 $(picture 0.5) -c:v libx264 -pix_fmt yuv420p
  make video/moving.gif $(picture 0.4)
  make video/wmv2.asf $both -c:v wmv2 -c:a wmav2 -f asf
  make video/mjpeg.mov $(picture 0.4) -c:v mjpeg -metadata:s:v rotate=90
}

# shellcheck disable=SC2086
sounds() {
  make sound/pcm.wav $tone
  make sound/float.wav $tone -c:a pcm_f32le -ac 2
  make sound/flac.flac $tone
  make sound/mp3.mp3 $tone -c:a libmp3lame
  make sound/vorbis.ogg $tone -c:a libvorbis
  make sound/opus.opus $tone -c:a libopus
  make sound/aac.m4a $tone -c:a aac
  make sound/adts.aac $tone -c:a aac
  make sound/caf.caf $tone
  make sound/aiff.aiff $tone
  make sound/au.au $tone
  make sound/ac3.ac3 $tone -c:a ac3 -ar 32000
  cp "$folder/video/h264.mp4" "$folder/video/vp8.webm" "$folder/sound/"
}

# shellcheck disable=SC2046
pictures() {
  local kind
  for kind in jpg bmp png gif webp; do make "image/picture.$kind" $(picture 0.1) -frames:v 1; done
  make image/progressive.jpg $(picture 0.1) -frames:v 1 -pix_fmt yuvj444p
  make image/grey.jpg $(picture 0.1) -frames:v 1 -pix_fmt gray
  make image/deep.png $(picture 0.1) -frames:v 1 -pix_fmt rgba64be
  make image/palette.png $(picture 0.1) -frames:v 1 -pix_fmt pal8
  make image/lossless.webp $(picture 0.1) -frames:v 1 -lossless 1
  # The same picture with an orientation in an Exif segment behind the two bytes that begin a JPEG.
  {
    head -c 2 "$folder/image/picture.jpg"
    printf '\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00'
    tail -c +3 "$folder/image/picture.jpg"
  } >"$folder/image/turned.jpg"
}

clips
sounds
pictures
