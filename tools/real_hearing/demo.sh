#!/usr/bin/env bash
# Two real pretrained models learn to speak with each other: a frozen Whisper tiny.en and a frozen SmolLM2, between
# which a Q-Former and a projection train to answer which digits are spoken, for people they have never heard.
#
#   tools/real_hearing/demo.sh [--seed N] [--models FOLDER] [--digits spoken_digits.tar]
#
# FOLDER holds smollm2-135m-instruct and whisper-tiny.en in Hugging Face's layout, and the archive 1,500 recordings of the
# Free Spoken Digit Dataset. Both are looked for in ../shared where they are not named; there the models are made, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
readonly root vllama=$root/build/release/vllama

usage() {
  sed -n '5p' "$0" | cut -c3- >&2
  exit 2
}

seed=1 models="" digits=../shared/data/spoken_digits.tar
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || usage
  case "$1" in
    --seed) seed=$2 ;;
    --models) models=$(realpath "$2") ;;
    --digits) digits=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[[ "$seed" =~ ^[0-9]+$ ]] || usage
readonly seed
digits=$(realpath "$digits")

heading() { printf '\nhearing, %d:%02d: %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"; }

# The models, by the maker that lies beside the checkout, in an environment of its own.
make_models() {
  local -r maker=../shared/real_models/make.py environment=hearing/environment
  if [ ! -f "$maker" ]; then
    echo "hearing: name the folder with the two models: --models FOLDER" >&2
    exit 2
  fi
  if [ ! -f hearing/models/whisper-tiny.en/model.safetensors ]; then
    heading "making the two models"
    python3 -m venv "$environment"
    "$environment/bin/pip" install -q --disable-pip-version-check torch==2.11.0 transformers==4.57.6 \
      accelerate gguf safetensors numpy sentencepiece
    "$environment/bin/python" "$maker" hearing/models
  fi
}

# learn TASK: trains it and asks people that it has not heard, with another recording and with none.
learn() {
  heading "training, $1"
  "$vllama" train "configs/real_hearing/$1.yaml" --set "seed=$seed" --set "output_dir=$folder/runs/$1" >"$folder/$1.txt"
  heading "questions, $1"
  "$vllama" eval "configs/real_hearing/eval_$1.yaml" --set "model=$folder/runs/$1" \
    --set "output_dir=$folder/results/$1" >/dev/null
}

tools/build.sh release vllama
mkdir -p hearing
if [ -n "$models" ]; then
  ln -sfn "$models" hearing/models
else
  make_models
fi
readonly folder=hearing/seed_$seed
rm -rf "$folder"
mkdir -p "$folder"
SECONDS=0

heading "recordings and questions"
python3 tools/real_hearing/make_data.py "$digits" hearing/data "$seed"
learn digits
learn sequences

heading "a chat about a recording of a person that it has never heard"
"$vllama" chat "$folder/runs/digits" --audio hearing/data/digits/7_theo_3.wav --prompt "Which digit is spoken?" \
  --max-new-tokens 16

heading "what it has learned"
python3 tools/real_hearing/scores.py "$folder/results"
