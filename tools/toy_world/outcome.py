"""Numbers of experiments, from the report.json of their evaluations."""
import json
import statistics

import plan

ALL = ""  # the type that stands for all questions


def read_report(folder):
    """The scores of a finished evaluation; nothing if there is none."""
    try:
        return json.loads((folder / "report.json").read_text())["scores"]
    except (OSError, ValueError, KeyError):
        return None


def score_of(scores, task, metric):
    """A report with one task calls its scores as the metric alone."""
    for name in ([f"{task}: {metric}"] if task else []) + [metric]:
        for score in scores:
            if score["name"] == name:
                return score
    return None


def part_of(score, kind):
    if kind == ALL:
        return score
    return next((part for part in score.get("parts", []) if part["name"] == kind), None)


def cell(parts):
    """Of the scores of one arm and type, by seed."""
    values = {seed: part["value"] for seed, part in parts.items() if part["value"] is not None}
    if not values:
        return None
    bounds = [parts[seed]["interval"] for seed in values]
    first = parts[next(iter(values))]
    return {
        "mean": statistics.fmean(values.values()),
        "spread": statistics.stdev(values.values()) if len(values) > 1 else None,
        "seeds": {str(seed): value for seed, value in values.items()},
        # Of the questions, as each seed's evaluation gives it, in the mean of the seeds.
        "interval": [statistics.fmean(bound[0] for bound in bounds), statistics.fmean(bound[1] for bound in bounds)],
        "num_questions": first["num_scored"] + first["num_missing"],
        "chance": first.get("chance"),
        "majority": first.get("majority"),
    }


def arm_result(experiment, arm, seeds, folder):
    """{"name", "x", "series", "cells": {type: cell}}; types that were not measured are absent."""
    metric = arm.get("metric", experiment.get("metric", "first_option"))
    by_seed = {}
    for seed in seeds:
        scores = read_report(plan.evaluation_folder(folder, arm["evaluation"], seed))
        score = score_of(scores, arm.get("task", ""), metric) if scores is not None else None
        if score is not None:
            by_seed[seed] = score
    cells = {}
    for kind in experiment.get("types") or [ALL]:
        parts = {seed: part_of(score, kind) for seed, score in by_seed.items()}
        found = cell({seed: part for seed, part in parts.items() if part is not None})
        if found is not None:
            cells[kind] = found
    return {"name": arm["name"], "x": arm.get("x"), "series": arm.get("series", ""), "cells": cells}


def collect(experiments, seeds, folder):
    """{"seeds", "experiments": [...]}: only experiments and arms of which something was measured."""
    found = []
    for experiment in experiments:
        arms = [arm_result(experiment, arm, seeds, folder) for arm in experiment["arms"]]
        arms = [arm for arm in arms if arm["cells"]]
        if not arms:
            continue
        kinds = [kind for kind in experiment.get("types") or [ALL] if any(kind in arm["cells"] for arm in arms)]
        found.append({
            "name": experiment["name"],
            "title": experiment.get("title", experiment["name"]),
            "claim": experiment.get("claim", ""),
            "metric": experiment.get("metric", "first_option"),
            "plot": experiment.get("plot", "bars"),
            "x_label": experiment.get("x_label", ""),
            "types": kinds,
            "arms": arms,
        })
    return {"seeds": seeds, "experiments": found}
