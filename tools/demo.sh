#!/usr/bin/env bash
# Installs what is missing, builds, makes the toy world, trains all recipes in it, and measures what they have
# learned; in ten minutes of two cores, without the build. --quick does what fits into two minutes: a smaller world,
# the vision branch alone, and fewer steps. --seed N, behind it, is for another world and other draws.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
readonly root vllama=$root/build/release/vllama

usage() {
  echo "usage: tools/demo.sh [--quick] [--seed N]" >&2
  exit 2
}

is_quick=false seed=1
if [ "${1:-}" = --quick ]; then
  is_quick=true
  shift
fi
if [ "${1:-}" = --seed ]; then
  [[ "${2:-}" =~ ^[0-9]+$ ]] || usage
  seed=$2
  shift 2
fi
[ $# -eq 0 ] || usage
readonly is_quick seed

if $is_quick; then
  readonly folder=toy/quick_$seed batch_size=16
  readonly world_size=(--videos 600 --images 200 --test 60 --movers 400 --sounds 0)
else
  readonly folder=toy/demo_$seed batch_size=32 world_size=(--sounds 0)
fi

heading() { printf '\ndemo, %d:%02d: %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"; }

# trained RUN: what the newest checkpoint of a run holds.
trained() { ls -d "toy/runs/$1"/checkpoints/step_*/trainable.safetensors | tail -n 1; }

# train RECIPE STEPS [BRANCH EARLIER_RUN]: of a branch, from what another run trained.
train() {
  local -a changes=(--set "seed=$seed" --set "training.batch_size=$batch_size"
    --set "training.steps_per_epoch=$2" --set "checkpoints.every_steps=$2")
  if [ $# -gt 2 ]; then
    changes+=(--set "model.weights.$3_checkpoint=$(trained "$4")")
  fi
  heading "training, $1, $2 steps"
  "$vllama" train "configs/toy/$1.yaml" "${changes[@]}" >"toy/runs/$1.txt"
}

tools/build.sh release vllama
# The configurations name their files from the folder in which they are used.
mkdir -p "$folder"
cd "$folder"
ln -sfn "$root/configs" configs
ln -sfn "$root/toy_world" toy_world
rm -rf toy/runs
mkdir -p toy/runs
SECONDS=0

heading "the world: clips, pictures and sounds with captions and questions"
"$vllama" toy-world toy/world --seed "$seed" "${world_size[@]}"

if $is_quick; then
  train vision_motion 320
  train vision_stage1 200 vision vision_motion
  train vision_stage2 380 vision vision_stage1
else
  train vision_motion 500
  train vision_stage1 800 vision vision_motion
  train vision_stage2 1000 vision vision_stage1
  train audio_stage1 600
  train audio_stage2 400 audio audio_stage1
fi

heading "questions about clips that it has not seen"
"$vllama" eval configs/toy/eval_demo.yaml >/dev/null
if ! $is_quick; then
  heading "questions about the sound of clips, by a branch that has never heard any"
  "$vllama" eval configs/toy/eval_hearing.yaml >/dev/null
fi

heading "a chat about a clip that it has not seen"
questions=("describe the video." "how many shapes are there?" "what is the field like?")
printf '> %s\n' "${questions[@]}"
"$vllama" chat toy/runs/vision_stage2 --video toy/world/videos/test_unseen/test_unseen_000000.mp4 \
  --max-new-tokens 40 "${questions[@]/#/--prompt=}"

heading "what it has learned: share of right answers [95 % interval]"
score_table=$root/tools/toy_world/score_table.py
"$score_table" "new clips=toy/runs/eval_demo:seen" "new pairs of shape and colour=toy/runs/eval_demo:unseen" \
  "shown another clip=toy/runs/eval_demo:other_clip" "shown backwards=toy/runs/eval_demo:reversed"
if ! $is_quick; then
  echo
  "$score_table" "heard, never taught=toy/runs/eval_hearing:hearing" \
    "another sound=toy/runs/eval_hearing:other_sound" "no sound=toy/runs/eval_hearing:no_media"
fi

heading "done. Look at $folder/toy/runs/eval_demo/report.html"
