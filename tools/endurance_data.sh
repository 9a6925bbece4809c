#!/usr/bin/env bash
# Makes the folder `endurance` below the current one, for configs/runs/endurance.yaml: videos, images and
# sounds of many sizes and lengths, one in five broken in some way, and small random weights. Videos of a
# folder of yours take the place of drawn ones.
# Usage: endurance_data.sh [--clips FOLDER] [--program VLLAMA_PROGRAM]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/build/release/vllama
clips=
while [ $# -gt 0 ]; do
  case $1 in
    --clips) clips=$2 ;;
    --program) program=$2 ;;
    *) echo "endurance_data.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
readonly root program clips

draw() { ffmpeg -nostdin -v error -y "$@"; }  # FFMPEG_ARGUMENTS...

annotate() {  # KIND FILE
  echo "{\"id\": \"$2\", \"caption\": \"A pattern that moves, as in $2.\", \"media\": [{\"$1\": \"$2\"}]}" \
    >>"endurance/$1s.jsonl"
}

# H.264 with B-frames, 1 to 12 seconds, every third with sound.
make_videos() {
  local -r sizes=(96x64 128x96 160x120 176x144 240x136 320x180 320x240 426x240) rates=(10 24 25 30)
  local number seconds sound
  for number in $(seq 0 23); do
    seconds=$((1 + number * 7 % 12))
    sound=(-an)
    [ $((number % 3)) -ne 0 ] || sound=(-c:a aac -ac $((1 + number % 2)) -shortest)
    draw -f lavfi -i "testsrc2=size=${sizes[number % 8]}:rate=${rates[number % 4]}:duration=$seconds" \
      -f lavfi -i "sine=frequency=$((220 + 40 * number)):duration=$seconds" -vf "hue=h=$((15 * number))" \
      -c:v libx264 -preset veryfast -g $((12 + 10 * number)) -bf 3 -pix_fmt yuv420p "${sound[@]}" \
      -movflags +faststart "endurance/media/video_$number.mp4"
  done
}

make_images() {
  local -r sizes=(64x48 200x150 320x320 640x480)
  local number
  for number in $(seq 0 11); do
    draw -f lavfi -i "mandelbrot=size=${sizes[number % 4]}" -frames:v 1 \
      "endurance/media/image_$number.$([ $((number % 3)) -ne 0 ] && echo jpg || echo png)"
  done
}

make_sounds() {
  local -r kinds=(wav mp3 m4a flac) rates=(16000 22050 44100 48000)
  local number
  for number in $(seq 0 11); do
    draw -f lavfi -i "anoisesrc=seed=$number:amplitude=0.3:sample_rate=${rates[number % 4]}" \
      -t $((1 + number)) "endurance/media/sound_$number.${kinds[number * 5 % 4]}"
  done
}

# Files that open and do not decode, that do not open, that are not there.
break_media() {  # VIDEO IMAGE SOUND
  local -r folder=endurance/media
  local kind
  for kind in mp4 jpg wav; do
    : >$folder/empty.$kind
    head -c 20000 /dev/urandom >$folder/noise.$kind
    echo "This is no picture and no sound." >$folder/text.$kind
  done
  head -c $(($(stat -c %s "$1") / 2)) "$1" >$folder/cut.mp4
  cp "$1" $folder/damaged.mp4
  dd if=/dev/urandom of=$folder/damaged.mp4 bs=1 seek=$(($(stat -c %s "$1") / 2)) \
    count=$(($(stat -c %s "$1") / 4)) conv=notrunc status=none
  cp "$3" $folder/no_picture.mp4
  head -c 3000 "$2" >$folder/cut.jpg
  draw -i "$1" -an -c copy $folder/no_sound.mp4
}

rm -rf endurance/media endurance/*.jsonl
mkdir -p endurance/media
make_videos
make_images
make_sounds
if [ -n "$clips" ]; then
  rm endurance/media/video_*
  for file in "$clips"/*; do
    case $file in *.mp4 | *.mkv | *.webm | *.mov | *.avi) cp "$file" endurance/media/ ;; esac
  done
  for file in endurance/media/*.{mp4,mkv,webm,mov,avi}; do [ ! -e "$file" ] || annotate video "${file##*/}"; done
else
  for file in endurance/media/video_*; do annotate video "${file##*/}"; done
fi
for kind in image sound; do
  for file in endurance/media/${kind}_*; do annotate "${kind/sound/audio}" "${file##*/}"; done
done
draw -f lavfi -i testsrc2=size=320x240:rate=25:duration=6 -f lavfi -i sine=duration=6 -c:v libx264 \
  -preset veryfast -pix_fmt yuv420p -c:a aac -movflags +faststart endurance/media/whole.mp4
break_media endurance/media/whole.mp4 endurance/media/image_1.jpg endurance/media/sound_2.m4a
for file in empty noise text cut damaged no_picture missing; do annotate video $file.mp4; done
for file in empty noise text cut missing; do annotate image $file.jpg; done
for file in empty noise text missing; do annotate audio $file.wav; done
annotate audio no_sound.mp4
annotate audio whole.mp4

"$program" make-weights "$root/configs/models/demo_sizes.yaml" endurance/weights \
  --tokenizer "$root/tests/golden/text/llama_tokenizer.model"
