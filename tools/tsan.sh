#!/usr/bin/env bash
# Runs what several threads of ours do at once, the loader, the writer of checkpoints, the thread of signals and the
# monitor of ranks, under the thread sanitizer. Options go to the test program: tools/tsan.sh "writer*"
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
tools/build.sh tsan test_threads >build/tsan_build.log 2>&1 || { tail -40 build/tsan_build.log >&2; exit 1; }
VLLAMA_REQUIRE_FIXTURES=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE \
  TSAN_OPTIONS="suppressions=$PWD/tests/threads/suppressions.txt halt_on_error=0 exitcode=66 second_deadlock_stack=1" \
  build/tsan/tests/threads/test_threads "$@"
