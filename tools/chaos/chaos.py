#!/usr/bin/env python3
"""Kills ranks of a small run with SIGKILL, again and again, and checks that nothing is lost.

    tools/chaos/chaos.py [--kills 100] [--seed 1] [--ranks 2] [--program build/release/vllama] [--folder DIR]

A run of a few ranks is started, one rank (sometimes all) is killed at a random moment, the others must end by
themselves and name it, and the run is started again, until the wanted number of kills is reached and the run
is done. At every kill all checkpoints must be whole: the files of their manifest with its sizes and
checksums, and nothing else. At the end trained weights, optimizer, state and losses must equal those of an
undisturbed run, bit for bit. Prints in which phases the kills fell. Exit status 1 if a check failed.
"""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib

import process_phase
import world

STEPS_PER_KILL = 30  # at most, so that the run cannot end before its last kill
SEARCH_SECONDS = 5  # for a wanted phase, before the kill comes where it comes
END_SECONDS = 90  # in which the others must end after a kill

# Where kills are wanted, in turn: what must hold of (training thread, other threads, checkpoint). Short phases
# come up as often as long ones.
TARGETS = {
    "all-reduce": lambda main, others, saving: main == "all-reduce",
    "before the rename": lambda main, others, saving: saving == "complete, before the rename",
    "decode": lambda main, others, saving: "decode" in others,
    "writing": lambda main, others, saving: saving == "writing the files",
    "backward": lambda main, others, saving: main == "backward",
    "any moment": lambda main, others, saving: True,
    "forward": lambda main, others, saving: main == "forward",
    "start-up": None,
    "after the rename": lambda main, others, saving: saving in ("renamed, not yet done", "removing old ones"),
    "update": lambda main, others, saving: main == "update",
}
OF_RANK_0 = ("writing", "before the rename", "after the rename")


class Failure(Exception):
    pass


def hold_port():
    """A bound socket whose port the system gives to nobody else; one program may listen on it."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held


class Run:
    """The ranks of one start."""

    def __init__(self, program, config, num_ranks, folder, output_dir):
        self.logs = [os.path.join(folder, f"rank{rank}.log") for rank in range(num_ranks)]
        self.port = hold_port()
        port = self.port.getsockname()[1]
        self.start = time.time()
        self.ranks = []
        for rank in range(num_ranks):
            variables = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": num_ranks,
                         "LOCAL_WORLD_SIZE": num_ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                         "OMP_WAIT_POLICY": "PASSIVE"}
            with open(self.logs[rank], "w") as log:
                self.ranks.append(subprocess.Popen(
                    [program, "train", config, "--set", f"output_dir={output_dir}"], stdout=log, stderr=log,
                    env=os.environ | {name: str(value) for name, value in variables.items()}))

    def has_ended(self):
        return all(rank.poll() is not None for rank in self.ranks)

    def kill(self):
        for rank in self.ranks:
            if rank.poll() is None:
                rank.kill()
                rank.wait()
        self.port.close()

    def wait(self, limit_seconds):
        """The statuses of all ranks; fails if one does not end."""
        end = time.monotonic() + limit_seconds
        while not self.has_ended():
            if time.monotonic() > end:
                raise Failure(f"ranks did not end within {limit_seconds} s:\n{self.output()}")
            time.sleep(0.02)
        return [rank.returncode for rank in self.ranks]

    def output(self, rank=None):
        texts = []
        for number in range(len(self.logs)) if rank is None else [rank]:
            with open(self.logs[number], errors="replace") as log:
                texts.append(f"--- rank {number}\n" + log.read()[-3000:])
        return "\n".join(texts)


def damage_of(step):
    """What is wrong with a checkpoint, or None; a third party's reading of its manifest."""
    try:
        with open(os.path.join(step, "manifest.json")) as file:
            files = json.load(file)["files"]
        extra = set(os.listdir(step)) - set(files) - {"manifest.json"}
        if extra:
            return f"{step} holds files that its manifest does not name: {sorted(extra)}"
        for name, facts in files.items():
            with open(os.path.join(step, name), "rb") as file:
                content = file.read()
            if len(content) != facts["bytes"] or f"{zlib.crc32(content):08x}" != facts["crc32"]:
                return f"{step}/{name} is not what its manifest says"
    except (OSError, ValueError, KeyError) as problem:
        # A living rank may have moved it out of sight meanwhile.
        return f"{step}: {problem}" if os.path.isdir(step) else None
    return None


def check_checkpoints(folder):
    """The newest step, 0 if there is none. Fails unless every visible checkpoint is whole."""
    steps = sorted(name for name in os.listdir(folder) if not name.startswith(".")) if os.path.isdir(folder) else []
    for name in steps:
        damage = damage_of(os.path.join(folder, name))
        if damage:
            raise Failure(damage)
    return max((int(name.removeprefix("step_")) for name in steps), default=0)


class Chaos:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.random = random.Random(arguments.seed)
        self.num_steps = STEPS_PER_KILL * (arguments.kills + 1)
        self.limit_seconds = 60 + self.num_steps  # of whatever else is waited for
        self.config = world.make(folder, arguments.program, self.num_steps)
        self.phases = process_phase.Phases(arguments.program)
        self.checkpoints = os.path.join(folder, "run", "checkpoints")
        self.newest_step = 0
        self.counts = collections.Counter()
        self.end_seconds = []

    def start(self, name):
        return Run(self.arguments.program, self.config, self.arguments.ranks, self.folder,
                   os.path.join(self.folder, name))

    def num_lines(self, since):
        """Steps in metrics.jsonl; 0 until the ranks that were started at `since` have changed the file."""
        path = os.path.join(self.folder, "run", "metrics.jsonl")
        try:
            return read(path).count(b"\n") if os.stat(path).st_mtime > since else 0
        except OSError:
            return 0

    def saving_state(self, others):
        if "removing" in others:
            return "removing old ones"
        if "saving" not in others:
            return "none"
        partial = [name for name in os.listdir(self.checkpoints) if name.endswith(".partial")]
        if not partial:
            return "renamed, not yet done"
        complete = any(os.path.exists(os.path.join(self.checkpoints, name, "manifest.json")) for name in partial)
        return "complete, before the rename" if complete else "writing the files"

    def state_of(self, process):
        """(training thread, other threads, checkpoint) of a stopped process; None if it is gone."""
        found = self.phases.of(process)
        return (*found, self.saving_state(found[1])) if found else None

    def wait_for_moment(self, run, target):
        if target == "start-up":
            time.sleep(self.random.uniform(0.05, 1.2))
            return
        end = time.monotonic() + self.limit_seconds
        wanted = self.newest_step + self.random.randint(1, STEPS_PER_KILL // 2)
        while self.num_lines(since=run.start) < wanted and not run.has_ended():
            if time.monotonic() > end:
                raise Failure(f"the run does not go on:\n{run.output()}")
            time.sleep(self.random.uniform(0.001, 0.01))

    def kill_in(self, run, target, victim):
        """Stops the victim until it is in the wanted phase, and kills it there. Returns its state."""
        process = run.ranks[victim].pid
        end = time.monotonic() + SEARCH_SECONDS
        last_step = self.newest_step + STEPS_PER_KILL
        while True:
            os.kill(process, signal.SIGSTOP)
            state = self.state_of(process) if process_phase.wait_until_stopped(process) else None
            is_wanted = TARGETS[target] is None or (state and TARGETS[target](*state))
            is_late = time.monotonic() > end or self.num_lines(since=run.start) >= last_step
            if state is None or is_wanted or is_late:
                os.kill(process, signal.SIGKILL)
                run.ranks[victim].wait()
                return state
            os.kill(process, signal.SIGCONT)
            time.sleep(self.random.uniform(0, 0.006))

    def check_survivors(self, run, victim, is_start_up):
        start = time.monotonic()
        statuses = run.wait(END_SECONDS)
        self.end_seconds.append(time.monotonic() - start)
        for rank, status in enumerate(statuses):
            if rank == victim:
                continue
            if status not in ((1, 2) if is_start_up else (1,)):
                raise Failure(f"rank {rank} ended with {status} after rank {victim} was killed:\n{run.output()}")
            text = run.output(rank)
            if f"rank {victim} (" not in text and not is_start_up:
                raise Failure(f"rank {rank} does not name rank {victim}:\n{text}")

    def kill_once(self, number, target):
        victim = 0 if target in OF_RANK_0 else self.random.randrange(self.arguments.ranks)
        all_at_once = target == "any moment" and self.random.random() < 0.3
        run = self.start("run")
        try:
            self.wait_for_moment(run, target)
            state = self.kill_in(run, target, victim)
            if all_at_once:
                run.kill()
            self.newest_step = max(self.newest_step, check_checkpoints(self.checkpoints))
            if not all_at_once:
                self.check_survivors(run, victim, target == "start-up")
        finally:
            run.kill()
        newest = check_checkpoints(self.checkpoints)
        if newest < self.newest_step:
            raise Failure(f"step {self.newest_step} was there and is lost, the newest one is {newest}")
        self.newest_step = newest
        self.count(number, target, "all ranks" if all_at_once else f"rank {victim}", state)

    def count(self, number, target, who, state):
        main, others, saving = state or ("already ended", set(), "none")
        self.counts["training thread: " + main] += 1
        if "decode" in others:
            self.counts["beside it: decoding"] += 1
        if saving != "none":
            self.counts["beside it, the checkpoint: " + saving] += 1
        print(f"kill {number}: {who}, wanted: {target}; was in: {main}"
              f"{', decoding' if 'decode' in others else ''}{'' if saving == 'none' else ', checkpoint: ' + saving}; "
              f"newest checkpoint {self.newest_step}", flush=True)

    def finish(self, name):
        run = self.start(name)
        try:
            statuses = run.wait(self.limit_seconds)
        finally:
            run.kill()
        if any(statuses):
            raise Failure(f"the run did not end well: {statuses}\n{run.output()}")

    def compare(self):
        names = ["trainable.safetensors", "optimizer.safetensors", "state.json"]
        for name in names:
            contents = [read(os.path.join(self.folder, run, "checkpoints", f"step_{self.num_steps:06}", name))
                        for run in ("run", "undisturbed")]
            if contents[0] != contents[1]:
                raise Failure(f"{name} differs from that of the undisturbed run")
        losses = [[(line["step"], line["loss"], line["grad_norm"])
                   for line in map(json.loads, read(os.path.join(self.folder, run, "metrics.jsonl")).splitlines())]
                  for run in ("run", "undisturbed")]
        if losses[0] != losses[1] or len(losses[0]) != self.num_steps:
            raise Failure("metrics.jsonl differs from that of the undisturbed run")

    def go(self):
        self.finish("undisturbed")
        print(f"undisturbed: {self.num_steps} steps on {self.arguments.ranks} ranks", flush=True)
        for number in range(self.arguments.kills):
            self.kill_once(number + 1, list(TARGETS)[number % len(TARGETS)])
        self.finish("run")
        self.compare()
        print(f"\nkills by what the killed rank was doing ({self.arguments.kills} kills):")
        for phase, count in sorted(self.counts.items(), reverse=True):
            print(f"  {count:4}  {phase}")
        if self.end_seconds:
            print(f"the others ended by themselves after {sum(self.end_seconds) / len(self.end_seconds):.1f} s on "
                  f"average, {max(self.end_seconds):.1f} s at most")
        print(f"weights, optimizer, state and losses after {self.num_steps} steps equal the undisturbed run's")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--program", default="build/release/vllama")
    parser.add_argument("--folder", help="a new one to work in; kept (default: a temporary one, removed)")
    arguments = parser.parse_args()
    arguments.program = os.path.abspath(arguments.program)
    folder = os.path.abspath(arguments.folder) if arguments.folder else tempfile.mkdtemp(prefix="vllama-chaos-")
    if arguments.folder and os.path.exists(folder):
        parser.error(f"--folder {folder} is there already")
    os.makedirs(folder, exist_ok=True)
    try:
        Chaos(arguments, folder).go()
        return 0
    except Failure as failure:
        print(f"chaos.py: {failure}", file=sys.stderr)
        return 1
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
