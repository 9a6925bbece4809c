#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. Options go to ctest: tools/test.sh -R media
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh release
status=0
ctest --preset release "$@" || status=$?
grep -a '^SKIPPED' build/release/Testing/Temporary/LastTest.log || true
exit "$status"
