#!/usr/bin/env bash
# Installs what is missing, builds, and trains all recipes with small weights on a CPU. Stage 1 of the vision
# branch runs twice, the second time with a stop in the middle, and both must end with the same weights.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly vllama=build/release/vllama
readonly first=configs/runs/demo_vision_stage1.yaml

# Starts the first run in another folder, stops it half way, and lets it go on.
train_with_a_stop() {
  local -r elsewhere=(--set output_dir=demo/stopped_run --set checkpoints.every_steps=1000)
  "$vllama" train "$first" "${elsewhere[@]}" &
  local process=$! status=0
  until [ "$(wc -l <demo/stopped_run/metrics.jsonl 2>/dev/null || echo 0)" -ge 100 ]; do
    kill -0 "$process" || break
    sleep 0.2
  done
  kill -TERM "$process"
  wait "$process" || status=$?
  echo "demo: stopped with exit status $status (128 + 15: saved, then ended by SIGTERM)"
  "$vllama" train "$first" "${elsewhere[@]}"
}

tools/build.sh release vllama
rm -rf demo
tools/demo_data.sh "$vllama"

echo "demo: stage 1 of the vision branch, 200 steps without a stop"
SECONDS=0
"$vllama" train "$first"
echo "demo: that took $SECONDS s; the loss curve is demo/vision_stage1/loss.svg"

echo "demo: the same with a stop"
train_with_a_stop
if cmp demo/vision_stage1/checkpoints/step_000200/trainable.safetensors \
  demo/stopped_run/checkpoints/step_000200/trainable.safetensors; then
  echo "demo: the weights of both runs are equal, byte for byte"
else
  echo "demo: the weights differ" >&2
  exit 1
fi

for recipe in vision_stage2 audio_stage1 audio_stage2 audio_on_sound; do
  echo "demo: $recipe, 100 steps"
  "$vllama" train "configs/runs/demo_$recipe.yaml"
done

echo "demo: export, one answer, and an evaluation of the vision branch"
"$vllama" export demo/vision_stage2 --bundle demo/bundle --force
"$vllama" chat demo/bundle --video demo/videos/clips/"$(ls demo/videos/clips | head -n 1)" --prompt "What happens?"
"$vllama" eval configs/eval/demo.yaml --set model=demo/bundle
