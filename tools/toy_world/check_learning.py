#!/usr/bin/env python3
"""Checks that the quick demo has learned what it always learns: a change that hurts learning fails here.

    tools/toy_world/check_learning.py toy/quick_1/toy/runs/eval_demo

Exit status 1 if a bound is missed. The bounds lie four standard deviations from the mean over six seeds (1 to 6, of the
world and of the training): those over seeds, or those of drawing so few questions where they are larger. For direction it
is chance. docs/experiments.md has the figures.
"""
import argparse
import pathlib
import sys

import outcome

# (task, type): (lowest, highest) share of right answers.
BOUNDS = {
    ("seen", "colour"): (0.33, 1.00),
    ("seen", "kind"): (0.42, 1.00),
    ("seen", "count"): (0.79, 1.00),
    ("seen", "field"): (0.81, 1.00),
    ("seen", "present"): (0.56, 1.00),
    ("seen", "direction"): (0.25, 1.00),
    ("unseen", "colour"): (0.23, 1.00),
    ("unseen", "kind"): (0.26, 1.00),
    ("unseen", "count"): (0.81, 1.00),
    ("unseen", "field"): (0.79, 1.00),
    ("unseen", "present"): (0.69, 1.00),
    ("other_clip", "colour"): (0.00, 0.36),
    ("other_clip", "kind"): (0.00, 0.38),
    ("other_clip", "count"): (0.00, 0.67),
    ("other_clip", "field"): (0.00, 0.58),
    ("reversed", "direction"): (0.00, 0.28),
    ("reversed", "colour"): (0.30, 1.00),
    ("reversed", "field"): (0.79, 1.00),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="of the demo's evaluation")
    folder = parser.parse_args().folder
    scores = outcome.read_report(folder)
    if scores is None:
        sys.exit(f"{folder}/report.json is missing: run tools/demo.sh --quick")
    num_missed = 0
    for (task, kind), (lowest, highest) in BOUNDS.items():
        value = outcome.part_of(outcome.score_of(scores, task, "first_option"), kind)["value"]
        is_right = lowest <= value <= highest
        num_missed += not is_right
        print(f"{'ok    ' if is_right else 'MISSED'} {task:10} {kind:10} {value:.2f} in [{lowest:.2f}, {highest:.2f}]")
    return 1 if num_missed else 0


if __name__ == "__main__":
    sys.exit(main())
