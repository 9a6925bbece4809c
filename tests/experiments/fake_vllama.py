#!/usr/bin/env python3
"""Stands in for vllama: leaves a checkpoint, or a report whose scores follow from seed and settings.

Appends what it was called with to calls.txt beside the runs. `--set fail=1` makes it fail, `sleep=N` wait for N
seconds; what `start` names must be a file.
"""
import json
import os
import pathlib
import sys
import time

verb, config, *rest = sys.argv[1:]
if verb == "toy-world":
    pathlib.Path(config).mkdir()
    with open("worlds.txt", "a") as worlds:
        worlds.write(" ".join(sys.argv[1:]) + "\n")
    sys.exit(0)
settings = dict(setting.split("=", 1) for setting in rest[1::2])
assert rest[0::2] == ["--set"] * len(settings), rest
assert os.environ["OMP_NUM_THREADS"] == "1"
folder = pathlib.Path(settings["output_dir"])
with open(folder.parent.parent / "calls.txt", "a") as calls:
    calls.write(f"{verb} {folder.name}\n")
if "sleep" in settings:
    time.sleep(float(settings["sleep"]))
if settings.get("fail"):
    print("reading the data\nerror: there is no such world")
    sys.exit(2)
if "start" in settings:
    assert pathlib.Path(settings["start"]).is_file(), settings["start"]
folder.mkdir(parents=True, exist_ok=True)
if verb == "train":
    for step in (50, 100):
        weights = folder / "checkpoints" / f"step_{step:06}" / "trainable.safetensors"
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(settings["seed"])
else:
    seed = int((pathlib.Path(settings["model"]) / "checkpoints/step_000100/trainable.safetensors").read_text())
    value = float(settings.get("value", 0.5)) + seed / 25

    def part(name, value):
        return {"name": name, "value": value, "interval": [value - 0.1, value + 0.1], "num_scored": 39,
                "num_missing": 1, "chance": 0.25, "majority": 0.4}

    scores = [{**part(f"{task}: first_option", value / divisor),
               "parts": [part("colour", value / divisor), part("order", value / 2 / divisor)]}
              for task, divisor in (("own", 1), ("blind", 2))]
    (folder / "report.json").write_text(json.dumps({"scores": scores}))
