#!/usr/bin/env bash
# Asks clang-tidy for the mistakes that .clang-tidy lists, in all libraries that need no libtorch: a batch of them takes
# seconds, one that reads its headers a minute. What clang is to compile says the preset asan, which must be configured.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly libraries='core|config|output|tables|media|text|annotations|scores|tasks|report|record|lines|endurance|toy_scene|toy_files'
mapfile -t batches < <(grep -oE '"file": "[^"]+"' build/asan/compile_commands.json | cut -d'"' -f4 |
  grep -E "/vllama_($libraries)\.dir/Unity/")
[ ${#batches[@]} -gt 0 ] || { echo "tidy: configure first: tools/build.sh asan test_core" >&2; exit 2; }
# What clang itself warns of is for the compilers, file by file: here files stand together in batches.
printf '%s\0' "${batches[@]}" | xargs -0 -P "$(nproc)" -n 1 clang-tidy-16 --quiet -p build/asan --extra-arg=-w
echo "tidy: ${#batches[@]} batches of files, no mistake of the list"
