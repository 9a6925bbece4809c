#!/usr/bin/env bash
# Sets up, configures and builds one preset: tools/build.sh [release|debug|asan|tsan] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset="${1:-release}"
shift || true

tools/setup.sh
cuda="${VLLAMA_CUDA:-$(nvidia-smi -L >/dev/null 2>&1 && echo ON || echo OFF)}"
options=("-DVLLAMA_VENV=${VLLAMA_VENV:-$PWD/.venv}" "-DVLLAMA_CUDA=$cuda")
mkdir -p build
cmake --preset "$preset" "${options[@]}" >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
cmake --build --preset "$preset" ${*:+--target "$@"}
