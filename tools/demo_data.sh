#!/usr/bin/env bash
# Makes the folder `demo` below the current one: five clips with sound, a picture of each, sounds, annotations
# in the published layouts, and small random weights. Usage: demo_data.sh [VLLAMA_PROGRAM]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
readonly root vllama=${1:-$root/build/release/vllama}
readonly fixtures=$root/../shared/fixtures/media

# Real clips where they are at hand, else patterns drawn by FFmpeg: one line `name|caption` each.
real_clips() {
  cat <<'CLIPS'
boat|a boat moves slowly on the calm blue sea
dog_barking|small dog barking at the camera close-up
skateboarding_dog|a bulldog rides a skateboard while people watch
applausing|people applaud in a large hall
h265_video|a plain blue picture
CLIPS
}
drawn_clips() {
  cat <<'CLIPS'
testsrc|a test pattern with a counter and moving colour bars
testsrc2|a second test pattern with moving shapes on a grey ground
mandelbrot|a slow flight into a fractal in many colours
life|small cells that live and die on a black field
smptebars|still colour bars of a television
CLIPS
}
clips() { if [ -d "$fixtures" ]; then real_clips; else drawn_clips; fi; }

make_clip() {  # NAME
  if [ -d "$fixtures" ]; then
    cp "$fixtures/$1.mp4" demo/videos/clips/
  else
    ffmpeg -nostdin -v error -y -f lavfi -i "$1=size=320x240:rate=25" -t 6 -pix_fmt yuv420p \
      "demo/videos/clips/$1.mp4"
  fi
}

# One element of each annotation file; the first has no comma in front.
annotate() {  # NUMBER NAME CAPTION
  local comma=, image
  [ "$1" = 1 ] && comma=
  image=$(printf '%012d' "$1")
  echo "$2,clips,\"$3\"" >>demo/annotations/webvid/clips.csv
  echo "$1,$2,0,\"a steady tone of $((220 * $1)) hertz\"" >>demo/annotations/audiocaps.csv
  echo "$comma{\"id\": \"$1\", \"image\": \"$1.jpg\", \"conversations\": [{\"from\": \"human\", \"value\":
\"Describe it.\\n<image>\"}, {\"from\": \"gpt\", \"value\": \"$3 .\"}]}" >>demo/annotations/chat.json
  echo "$comma{\"image_id\": \"$1\", \"caption\": \"The image shows $3.\"}" >>demo/annotations/filter_cap.json
  echo "$comma{\"id\": \"$image\", \"image\": \"$image.jpg\", \"conversations\": [{\"from\": \"human\", \"value\":
\"<image>\\nWhat does the picture show?\"}, {\"from\": \"gpt\", \"value\": \"It shows $3.\"}, {\"from\": \"human\",
\"value\": \"Is it a picture?\"}, {\"from\": \"gpt\", \"value\": \"Yes.\"}]}" | tr '\n' ' ' >>demo/annotations/llava_instruct.json
  echo "$comma{\"video\": \"clips/$2.mp4\", \"QA\": [{\"q\": \"What happens?\", \"a\": \"One sees $3.\"},
{\"q\": \"Say it again.\", \"a\": \"It is $3.\"}]}" >>demo/annotations/videochat_instruct.json
  echo "{\"id\": $1, \"video\": \"$2\", \"question\": \"What happens?\", \"answer\": \"One sees $3.\"}" \
    >>demo/annotations/questions.jsonl
}

rm -rf demo/videos demo/images demo/sounds demo/annotations
mkdir -p demo/videos/clips demo/images demo/sounds demo/annotations/webvid
echo "videoid,page_dir,name" >demo/annotations/webvid/clips.csv
echo "audiocap_id,youtube_id,start_time,caption" >demo/annotations/audiocaps.csv
echo "[" | tee demo/annotations/chat.json demo/annotations/llava_instruct.json \
  >demo/annotations/videochat_instruct.json
echo '{"annotations": [' >demo/annotations/filter_cap.json
number=0
while IFS='|' read -r name caption; do
  number=$((number + 1))
  make_clip "$name"
  ffmpeg -nostdin -v error -y -i "demo/videos/clips/$name.mp4" -frames:v 1 "demo/images/$number.jpg"
  cp "demo/images/$number.jpg" "demo/images/COCO_train2014_$(printf '%012d' "$number").jpg"
  ffmpeg -nostdin -v error -y -f lavfi -i "sine=frequency=$((220 * number)):sample_rate=44100" -t 4 \
    "demo/sounds/${name}_0.wav"
  annotate "$number" "$name" "$caption"
done < <(clips)
echo "]" | tee -a demo/annotations/chat.json demo/annotations/llava_instruct.json \
  >>demo/annotations/videochat_instruct.json
echo "]}" >>demo/annotations/filter_cap.json

"$vllama" make-weights "$root/configs/models/demo_sizes.yaml" demo/weights \
  --tokenizer "$root/tests/golden/text/llama_tokenizer.model"
