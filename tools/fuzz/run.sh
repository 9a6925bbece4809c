#!/usr/bin/env bash
# Fuzzes everything that reads bytes from outside: builds, runs every target, prints a table, and fails with the path of
# the input when one of them finds something.
#   tools/fuzz/run.sh [--seconds N] [--runs N] [--jobs N] [--seed N] [TARGET...]
# Each target stops after N seconds or N executions, whichever is first; 10 seconds unless one is given. The inputs that
# reach new code are kept in build/asan/corpus and are where the next run goes on from. With a seed, and no corpus yet,
# every run tries the same inputs in the same order.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly build="build/asan"
seconds='' runs='' seed='' jobs="$(nproc)" targets=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seconds) seconds="$2"; shift 2 ;;
    --runs) runs="$2"; shift 2 ;;
    --jobs) jobs="$2"; shift 2 ;;
    --seed) seed="$2"; shift 2 ;;
    -*) echo "tools/fuzz/run.sh [--seconds N] [--runs N] [--jobs N] [--seed N] [TARGET...]" >&2; exit 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done
[ -n "$seconds$runs" ] || seconds=10

tools/build.sh asan fuzz_all >"build/fuzz_build.log" 2>&1 || { tail -40 build/fuzz_build.log >&2; exit 1; }
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(basename -a "$build"/tools/fuzz/fuzz_* | sed 's/^fuzz_//')
fi
for target in "${targets[@]}"; do
  [ -x "$build/tools/fuzz/fuzz_$target" ] || { echo "there is no target $target" >&2; exit 2; }
done

make_seeds() {
  [ "$build/seeds/.made" -nt "$build/tools/fuzz/write_seeds" ] && return
  rm -rf "$build/seeds"
  "$build/tools/fuzz/write_seeds" "$build/seeds"
  tools/fuzz/media_seeds.sh "$build/seeds"
  touch "$build/seeds/.made"
}
make_seeds

# Files of the executions lie in memory.
memory=/dev/shm
[ -w "$memory" ] || memory="${TMPDIR:-/tmp}"
scratch="$(mktemp -d "$memory/vllama-fuzz-run-XXXXXX")"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$build/logs"

# A small stack shows what goes down as deep as its input is nested.
fuzz() {
  local target="$1"
  mkdir -p "$build/corpus/$target" "$build/findings/$target"
  ulimit -s 2048
  TMPDIR="$scratch" OMP_NUM_THREADS=1 ASAN_OPTIONS=allocator_may_return_null=1:detect_odr_violation=0 \
    UBSAN_OPTIONS=print_stacktrace=1 ASAN_SYMBOLIZER_PATH="$(command -v llvm-symbolizer-16)" \
    "$build/tools/fuzz/fuzz_$target" "$build/corpus/$target" "$build/seeds/$target" \
    -artifact_prefix="$build/findings/$target/" -print_final_stats=1 -timeout=20 -report_slow_units=20 -rss_limit_mb=3000 \
    ${seconds:+-max_total_time="$seconds"} ${runs:+-runs="$runs"} ${seed:+-seed="$seed"} >"$build/logs/$target.txt" 2>&1
}

# Name, executions, executions per second, edges and features that were reached, and what was found.
line_of() {
  local target="$1" log="$build/logs/$1.txt" finding
  finding="$(grep -ao 'Test unit written to .*' "$log" | sed 's/Test unit written to //' || true)"
  grep -q '^stat::number_of_executed_units' "$log" || finding="${finding:-did not run: $log}"
  awk -v name="$target" -v finding="${finding:-none}" '
    /^stat::number_of_executed_units/ { runs = $2 }
    /^stat::average_exec_per_sec/ { rate = $2 }
    / cov: [0-9]+ ft: / { for (i = 1; i < NF; ++i) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
    END { printf "%-14s %12s %8s %8s %9s  %s\n", name, runs, rate, edges, features, finding }' "$log"
}

export -f fuzz
export build scratch seconds runs seed
status=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}' || status=1
printf '%-14s %12s %8s %8s %9s  %s\n' target executions per_sec edges features finding
for target in "${targets[@]}"; do line_of "$target"; done
exit "$status"
