#!/usr/bin/env bash
# Installs what is missing, builds, and trains: 200 steps of stage 1 with small weights on a CPU. Then does
# the same again with a stop in the middle, and shows that both end with the same weights.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly vllama=build/release/vllama
readonly run=configs/runs/demo.yaml
readonly fixtures=../shared/fixtures/media

# Real clips where they are at hand, else patterns drawn by FFmpeg: one line `file|caption` each.
prepare_clips() {
  rm -rf demo/videos demo/annotations
  mkdir -p demo/videos/clips demo/annotations
  local table=demo/annotations/clips.csv name caption
  echo "videoid,page_dir,name" >"$table"
  if [ -d "$fixtures" ]; then
    while IFS='|' read -r name caption; do
      cp "$fixtures/$name.mp4" demo/videos/clips/
      echo "$name,clips,\"$caption\"" >>"$table"
    done <<'CLIPS'
boat|a boat moves slowly on the calm blue sea
dog_barking|small dog barking at the camera close-up
skateboarding_dog|a bulldog rides a skateboard while people watch
applausing|people applaud in a large hall
h265_video|a plain blue picture
CLIPS
  else
    while IFS='|' read -r name caption; do
      ffmpeg -nostdin -v error -y -f lavfi -i "$name=size=320x240:rate=25" -t 6 \
        -pix_fmt yuv420p "demo/videos/clips/$name.mp4"
      echo "$name,clips,\"$caption\"" >>"$table"
    done <<'CLIPS'
testsrc|a test pattern with a counter and moving colour bars
testsrc2|a second test pattern with moving shapes on a grey ground
mandelbrot|a slow flight into a fractal in many colours
life|small cells that live and die on a black field
smptebars|still colour bars of a television
CLIPS
  fi
}

# Starts the run of the demo in another folder, stops it half way, and lets it go on.
train_with_a_stop() {
  "$vllama" train "$run" --set output_dir=demo/stopped_run --set training.checkpoint_every_steps=1000 &
  local process=$! status=0
  until [ "$(wc -l <demo/stopped_run/metrics.jsonl 2>/dev/null || echo 0)" -ge 100 ]; do
    kill -0 "$process" || break
    sleep 0.2
  done
  kill -TERM "$process"
  wait "$process" || status=$?
  echo "demo: stopped with exit status $status (128 + 15: saved, then ended by SIGTERM)"
  "$vllama" train "$run" --set output_dir=demo/stopped_run --set training.checkpoint_every_steps=1000
}

tools/build.sh release vllama
rm -rf demo
prepare_clips
"$vllama" make-weights configs/models/demo_sizes.yaml demo/weights \
  --tokenizer tests/golden/text/llama_tokenizer.model

echo "demo: 200 steps without a stop"
SECONDS=0
"$vllama" train "$run"
echo "demo: that took $SECONDS s; the loss curve is demo/run/loss.svg"

echo "demo: the same with a stop"
train_with_a_stop
if cmp demo/run/checkpoints/step_000200/trainable.safetensors \
  demo/stopped_run/checkpoints/step_000200/trainable.safetensors; then
  echo "demo: the weights of both runs are equal, byte for byte"
else
  echo "demo: the weights differ" >&2
  exit 1
fi
