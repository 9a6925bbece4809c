#!/usr/bin/env python3
"""Runs the experiments of experiment_table.py and writes their tables and plots.

    tools/toy_world/experiments.py [--only NAME]... [--seeds 1,2,3] [--jobs 2] [--dry-run]
                                   [--program build/release/vllama] [--folder toy/experiments]
                                   [--table FILE.json]

Trains and evaluates what is missing, as many programs at a time as --jobs says, each with one thread of CPU
mathematics. What is finished is kept, so that a stopped call goes on where it was: `vllama train` from its last
checkpoint, `vllama eval` from its last answers. Then writes into the folder

    experiments.html   claims, tables and plots; one file that needs nothing else
    experiments.md     the same tables
    plots/NAME.svg     each plot
    results.json       every number, for programs

Only what was measured is shown. Runs and evaluations that failed are named with the end of their log, also in the
page; the exit status is then 1. --dry-run prints the commands that are missing and runs none.
"""
import argparse
import importlib
import json
import pathlib
import sys

import outcome
import page
import plan


def read_table(file):
    """{"seeds", "inputs", "worlds", "runs", "evaluations", "experiments"}, as experiment_table.py describes them."""
    if file is not None:
        return json.loads(pathlib.Path(file).read_text())
    table = importlib.import_module("experiment_table")
    return {"seeds": table.SEEDS, "inputs": table.INPUTS, "worlds": table.WORLDS, "runs": table.RUNS,
            "evaluations": table.EVALUATIONS, "experiments": table.EXPERIMENTS}


def seeds_of(text):
    seeds = [int(part) for part in text.split(",")]
    if len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise argparse.ArgumentTypeError("seeds are different numbers from 0, as in 1,2,3")
    return seeds


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="may be repeated; default: all")
    parser.add_argument("--seeds", type=seeds_of, help="instead of those of the table")
    parser.add_argument("--jobs", type=int, default=2, help="programs at a time")
    parser.add_argument("--dry-run", action="store_true", help="print the commands that are missing")
    parser.add_argument("--program", default="build/release/vllama")
    parser.add_argument("--folder", default="toy/experiments", help="of all runs and results")
    parser.add_argument("--table", help="JSON file instead of experiment_table.py")
    found = parser.parse_args()
    if found.jobs < 1:
        parser.error("--jobs is at least 1")
    return found


def chosen(experiments, names):
    known = [experiment["name"] for experiment in experiments]
    for name in names:
        if name not in known:
            sys.exit(f"there is no experiment '{name}'; there are {', '.join(known)}")
    return [experiment for experiment in experiments if not names or experiment["name"] in names]


def main():
    options = arguments()
    table = read_table(options.table)
    seeds = options.seeds or table["seeds"]
    experiments = chosen(table["experiments"], options.only)
    try:
        jobs = plan.jobs_for(experiments, table, seeds, options.program, pathlib.Path(options.folder))
    except plan.TableError as error:
        sys.exit(f"the table of experiments: {error}")
    if options.dry_run:
        for job in plan.missing(jobs):
            print(job.text())
        return 0
    held = plan.lock(pathlib.Path(options.folder))
    failures = plan.run(jobs, options.jobs)
    results = outcome.collect(experiments, seeds, pathlib.Path(options.folder))
    results["failures"] = failures
    results["commands"] = [job.text() for job in jobs]
    results["seconds"] = sum(job.seconds() for job in jobs)
    page.write(results, pathlib.Path(options.folder))
    print(page.markdown(results))
    for failure in failures:
        print(f"FAILED {failure['name']}: {failure['reason']}", file=sys.stderr)
    print(f"experiments: {options.folder}/experiments.html")
    held.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
