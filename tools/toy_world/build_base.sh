#!/usr/bin/env bash
# Makes the base models of the toy world again, in a new folder (toy/weights, or the one given), and prints their
# gates. The exit status is 1 if a gate fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly folder=${1:-toy/weights} vllama=build/release/vllama

tools/build.sh release vllama
mkdir -p "$folder"
"$vllama" toy-base language "$folder" --seed 2 >"$folder/language.log" 2>&1 &
language=$!
trap 'kill "$language" 2>/dev/null || true' EXIT
"$vllama" toy-base vision "$folder" --seed 1
"$vllama" toy-base image-bind "$folder" --seed 1
wait "$language" || tail -n 70 "$folder/language.log"
rm -f "$folder/language.log"
"$vllama" toy-base gates "$folder" --seed 1
