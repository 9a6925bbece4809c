"""Runs `vllama bench step` and its peer in PyTorch in turn, and tells how many times as fast ours is.

    python tools/bench/compare_step.py --rounds 3 -- --config 100m --steps 5 --threads 2

What stands behind `--` goes to both. The peer runs with the Python that runs this script. With
`--cpu-time` the times are those of the processors, which other load on the machine disturbs less:
the difference between a run of many steps and one of few, so without start-up. Use it with one
thread, because waiting threads also take processor time.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FEW_STEPS, MANY_STEPS = 1, 6


def run(command):
    """The report of a run, and the processor seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return json.loads(output), used


def processor_seconds_per_step(command, timings_per_step):
    used = [run(command + ["--steps", str(steps)])[1] for steps in (FEW_STEPS, MANY_STEPS)]
    return (used[1] - used[0]) / (MANY_STEPS - FEW_STEPS) / timings_per_step


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/vllama"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("both", nargs="*", help="options of both programs, behind --")
    arguments = parser.parse_args()

    ours = [arguments.program, "bench", "step", "--json", *arguments.both]
    peer = [sys.executable, str(ROOT / "tools/bench/step_peer.py"), *arguments.both]
    times = {"ours": [], "peer": []}
    for round_number in range(arguments.rounds):
        for name, command in (("ours", ours), ("peer", peer)):
            if arguments.cpu_time:  # ours runs every step twice: as a whole, and stage by stage
                seconds = processor_seconds_per_step(command, 2 if name == "ours" else 1)
            else:
                report, _ = run(command)
                seconds = report["seconds_per_step"]
                print(json.dumps({"round": round_number, "program": name} | report), file=sys.stderr)
            times[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(
        json.dumps(
            {
                "clock": "processor" if arguments.cpu_time else "wall",
                "options": arguments.both,
                "load_average": os.getloadavg(),
                "seconds_per_step": times,
                "median_seconds_per_step": medians,
                "times_as_fast": medians["peer"] / medians["ours"],
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
