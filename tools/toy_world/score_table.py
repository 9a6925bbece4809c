#!/usr/bin/env python3
"""Prints the scores of evaluations side by side, a line for each type of question.

    tools/toy_world/score_table.py 'seen=toy/runs/eval_video:seen' 'another clip=toy/runs/eval_video:other_clip'

Each argument is NAME=FOLDER:TASK. Shares of answers whose first option is the right one, with the 95 % bootstrap
interval over questions, beside guessing: chance, and the commonest answer.
"""
import argparse
import pathlib

import outcome

METRIC = "first_option"


def column(text):
    name, _, place = text.partition("=")
    folder, _, task = place.rpartition(":")
    if not name or not folder or not task:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FOLDER:TASK")
    score = outcome.score_of(outcome.read_report(pathlib.Path(folder)) or [], task, METRIC)
    if score is None:
        raise argparse.ArgumentTypeError(f"{folder}/report.json has no {METRIC} of '{task}'")
    return name, {part["name"]: part for part in score["parts"]}


def text_of(part):
    if part is None or part["value"] is None:
        return "-"
    low, high = part["interval"]
    return f"{part['value']:.2f} [{low:.2f}, {high:.2f}]"


def share(part, key):
    return f"{part[key]:.2f}" if part.get(key) is not None else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("columns", nargs="+", type=column, metavar="NAME=FOLDER:TASK")
    columns = parser.parse_args().columns
    rows = [["", "chance", "majority"] + [name for name, _ in columns]]
    for kind, part in columns[0][1].items():
        rows.append([kind, share(part, "chance"), share(part, "majority")] +
                    [text_of(parts.get(kind)) for _, parts in columns])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    main()
