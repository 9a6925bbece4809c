#!/usr/bin/env bash
# Starts the ranks of a run on this machine:
#
#   tools/launch.sh [OPTIONS] N COMMAND [ARGUMENT...]
#   tools/launch.sh 8 build/release/vllama train RUN.yaml
#
# Every line of a rank is marked "[rank] ". When a rank ends with an error, the others have time to report it
# and to end by themselves; what still runs then is killed. The exit status is that of the first rank that
# failed, 128 + n if signal n killed it. SIGINT, SIGTERM (also for SIGHUP) and SIGUSR1 are passed on to all
# ranks: vllama saves, and ends with 128 + n.
#
#   --restarts K      start all ranks again after a failure, at most K times; not after a mistake in the
#                     configuration (status 2), nor after SIGINT, SIGTERM or SIGUSR1
#   --grace SECONDS   how long the others may run on after a rank failed (120)
#   --nodes M         N ranks on each of M machines. Start this on all of them, each with
#   --node I          its number, 0 to M-1, and with MASTER_ADDR (machine 0) and MASTER_PORT (free there) in
#                     the environment. To restart a run on several machines use torchrun or Slurm.
set -uo pipefail

restarts=0 grace=120 nodes=1 node=0
explain() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; }
refuse() { echo "launch.sh: $1; see launch.sh --help" >&2; exit 2; }
whole_number() { [[ $2 =~ ^[0-9]{1,6}$ ]] || refuse "$1 must be a whole number, not '$2'"; }

while [ $# -gt 0 ]; do
  case "$1" in
    --help) explain; exit 0 ;;
    --restarts | --grace | --nodes | --node)
      [ $# -ge 2 ] || refuse "$1 needs a value"
      whole_number "$1" "$2"
      printf -v "${1#--}" %d "$((10#$2))"
      shift 2 ;;
    -*) refuse "unknown option $1" ;;
    *) break ;;
  esac
done
[ $# -ge 2 ] || refuse "the number of ranks and a command are missing"
whole_number "the number of ranks" "$1"
num_local=$((10#$1))
shift
if [ "$num_local" -lt 1 ] || [ "$nodes" -lt 1 ]; then refuse "there is nothing to start"; fi
[ "$node" -lt "$nodes" ] || refuse "--node is $node of $nodes; they are numbered from 0"
if [ "$nodes" -gt 1 ]; then
  if [ -z "${MASTER_ADDR:-}" ] || [ -z "${MASTER_PORT:-}" ]; then
    refuse "several machines need MASTER_ADDR and MASTER_PORT in the environment"
  fi
  [ "$restarts" -eq 0 ] || refuse "--restarts is for one machine"
fi
readonly restarts grace nodes node num_local

# Every job in a process group of its own: Ctrl-C in a terminal reaches the ranks through this script alone,
# and once.
set -m
declare -A running=()  # process -> rank, in this attempt
markers=() stop_signal=
signal_ranks() {  # SIGNAL PROCESS...: and all that these have started
  local -r signal=$1
  shift
  kill -s "$signal" -- "${@/#/-}" 2>/dev/null
}
# shellcheck disable=SC2317  # called by the traps
pass_on() {
  stop_signal=$1
  [ ${#running[@]} -eq 0 ] || signal_ranks "$1" "${!running[@]}"
}
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM HUP
trap 'pass_on USR1' USR1
pipes=$(mktemp -d)
readonly pipes
trap 'rm -rf "$pipes"' EXIT

# On which nobody listens; with luck nobody else takes it before rank 0 does.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

start_ranks() {  # COMMAND...
  local local_rank rank port
  port=${MASTER_PORT:-$(free_port)}
  for ((local_rank = 0; local_rank < num_local; ++local_rank)); do
    rank=$((node * num_local + local_rank))
    rm -f "$pipes/$rank"
    mkfifo "$pipes/$rank"
    sed -u "s/^/[$rank] /" <"$pipes/$rank" &
    markers+=($!)
    RANK=$rank LOCAL_RANK=$local_rank WORLD_SIZE=$((nodes * num_local)) LOCAL_WORLD_SIZE=$num_local \
      MASTER_ADDR=${MASTER_ADDR:-127.0.0.1} MASTER_PORT=$port "$@" </dev/null >"$pipes/$rank" 2>&1 &
    running[$!]=$rank
  done
}

kill_after_grace() {  # PROCESS...
  sleep "$grace"
  echo "launch.sh: killing what still runs $grace s after the failure" >&2
  signal_ranks KILL "$@"
}

# A rank that is no process any more. The shell may have taken note of its end while it waited for another; `wait -n` then
# knows it no longer, and plain `wait` still remembers its status.
gone_rank() {
  local process
  for process in "${!running[@]}"; do
    kill -0 "$process" 2>/dev/null || { echo "$process" && return; }
  done
}

# Waits for all ranks. Returns the status of the first that failed, or 0.
wait_for_ranks() {
  local first_failure=0 killer='' ended status
  while [ ${#running[@]} -gt 0 ]; do
    { wait -n -p ended "${!running[@]}"; } 2>/dev/null  # without the shell's own notice of a kill
    status=$?
    if [ -z "${ended:-}" ]; then
      ended=$(gone_rank)
      [ -n "$ended" ] || continue  # a signal came
      { wait "$ended"; } 2>/dev/null
      status=$?
    fi
    [ "$status" -eq 0 ] || echo "launch.sh: rank ${running[$ended]} ended with status $status" >&2
    unset "running[$ended]"
    if [ "$status" -ne 0 ] && [ "$first_failure" -eq 0 ]; then
      first_failure=$status
      if [ ${#running[@]} -gt 0 ]; then
        kill_after_grace "${!running[@]}" &
        killer=$!
        disown "$killer"
      fi
    fi
  done
  [ -z "$killer" ] || signal_ranks KILL "$killer"
  return "$first_failure"
}

for ((attempt = 0; ; ++attempt)); do
  start_ranks "$@"
  wait_for_ranks
  status=$?
  wait "${markers[@]}"
  markers=()
  case "$status" in 0 | 2 | 130 | 138 | 143) break ;; esac
  if [ "$attempt" -ge "$restarts" ] || [ -n "$stop_signal" ]; then break; fi
  echo "launch.sh: restart $((attempt + 1)) of $restarts" >&2
done
exit "$status"
