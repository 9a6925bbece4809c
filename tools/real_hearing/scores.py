#!/usr/bin/env python3
"""How well spoken digits were heard: scores.py RESULTS

Prints for each task of both evaluations the share of answers that are right in full, and the rate of wrong words:
words that must be replaced, left out or put in, for each that was spoken."""

import json
import sys
from pathlib import Path


def words(text):
    return text.lower().replace(".", " ").split()


def distance(found, expected):
    row = list(range(len(expected) + 1))
    for i, word in enumerate(found, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(expected, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def score(file):
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    pairs = [(words(row["prediction"]), words(row["answer_gt"])) for row in rows]
    right = sum(found == expected for found, expected in pairs) / len(pairs)
    errors = sum(distance(found, expected) for found, expected in pairs)
    return len(pairs), right, errors / sum(len(expected) for _, expected in pairs)


def main():
    print(f"{'evaluation':12} {'task':20} {'answers':>8} {'right':>8} {'word errors':>12}")
    for file in sorted(Path(sys.argv[1]).glob("*/*/predictions.jsonl")):
        count, right, errors = score(file)
        evaluation, task = file.parts[-3:-1]
        print(f"{evaluation:12} {task:20} {count:8} {right:8.3f} {errors:12.3f}")


main()
