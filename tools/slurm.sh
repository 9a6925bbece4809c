#!/usr/bin/env bash
# An example for Slurm, one rank per GPU:  sbatch tools/slurm.sh RUN.yaml [--set key=value]...
#
# vllama reads srun's variables itself: nothing has to be exported. Change what is marked <- to what your
# cluster has. A job that is stopped by its time limit, preempted, or hit by a failure goes back into the
# queue and resumes from its last checkpoint; a mistake in the configuration (status 2) ends it.
#
#SBATCH --job-name=vllama
#SBATCH --nodes=2                  # <-
#SBATCH --ntasks-per-node=8        # <- ranks on a node: its GPUs
#SBATCH --gpus-per-node=8          # <-
#SBATCH --cpus-per-task=12         # <- cores of a node / ranks on it; they decode the videos
#SBATCH --time=24:00:00            # <-
#SBATCH --signal=USR1@300          # 300 s before the limit: time for one step and a checkpoint
#SBATCH --requeue
#SBATCH --open-mode=append         # a requeued job goes on in the same output file
#SBATCH --output=vllama-%j.out
set -uo pipefail

vllama=${VLLAMA:-build/release/vllama}
readonly vllama most_restarts=20

# 120 s after the first rank has ended, whatever still runs is killed. (--kill-on-bad-exit=1 would do that at
# once, before the others can say which rank was missing, and in what.)
# GPUs are left visible to all ranks of a node: each takes the one with its number on the node.
srun --kill-on-bad-exit=0 --wait=120 --label --gpu-bind=none \
  --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
  "$vllama" train "$@"
status=$?

# 128 + n: signal n ended the run after a checkpoint (10 USR1, 15 TERM); 137: a rank was killed.
case "$status" in
  0) echo "slurm.sh: done" ;;
  2) echo "slurm.sh: the configuration must be changed, see above" >&2 ;;
  130) echo "slurm.sh: stopped by SIGINT" >&2 ;;
  *)
    if [ "${SLURM_RESTART_COUNT:-0}" -lt "$most_restarts" ]; then
      echo "slurm.sh: ended with status $status; back into the queue" >&2
      exec scontrol requeue "$SLURM_JOB_ID"
    fi
    echo "slurm.sh: ended with status $status after $most_restarts restarts" >&2 ;;
esac
exit "$status"
