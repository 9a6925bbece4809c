#!/usr/bin/env python3
"""The driver of experiments, with a program that only pretends to train and to evaluate."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
DRIVER = HERE.parents[1] / "tools/toy_world/experiments.py"


def arm(name, evaluation="last", task="own", **more):
    return {"name": name, "evaluation": evaluation, "task": task, **more}


TABLE = {
    "seeds": [1, 2],
    "inputs": ["weights"],
    "worlds": {"all": {"folder": "world", "options": ["--videos", "9"]},
               "few": {"folder": "world_2", "options": ["--videos", "2"]}},
    "runs": {
        "first": {"config": "first.yaml"},
        "second": {"config": "second.yaml", "set": ["start={weights:first}"]},
        "broken": {"config": "broken.yaml", "set": ["fail=1"]},
    },
    "evaluations": {
        "last": {"config": "eval.yaml", "model": "second"},
        "better": {"config": "eval.yaml", "model": "second", "set": ["value=0.75"]},
        "small": {"config": "eval.yaml", "model": "second", "set": ["data={world:few}/a.csv"]},
        "hopeless": {"config": "eval.yaml", "model": "broken"},
    },
    "experiments": [
        {"name": "sight", "title": "Sight & <sound>", "claim": "It sees.", "types": ["order", "colour", "absent"],
         "arms": [arm("own"), arm("blind", task="blind")]},
        {"name": "growth", "types": ["colour"], "plot": "lines", "x_label": "clips",
         "arms": [arm("few", x=10, series="s"), arm("many", "better", x=100, series="s")]},
        {"name": "worlds", "arms": [arm("few", "small")]},
        {"name": "lost", "arms": [arm("none of it", "hopeless")]},
        {"name": "whole", "arms": [arm("own"), arm("lost", "hopeless")]},
    ],
}


class Experiments(unittest.TestCase):
    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)
        self.folder = pathlib.Path(self._temporary.name)
        self.out = self.folder / "results"
        self.program = self.folder / "vllama"
        self.program.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{HERE / 'fake_vllama.py'}' \"$@\"\n")
        self.program.chmod(0o755)
        for name in ("first", "second", "broken", "eval"):
            (self.folder / f"{name}.yaml").write_text("include: shared.yaml\n")
        (self.folder / "shared.yaml").write_text("precision: fp32\n")
        (self.folder / "weights").mkdir()
        (self.folder / "weights" / "base.pth").write_text("1")
        self.write(TABLE)

    def write(self, table):
        (self.folder / "table.json").write_text(json.dumps(table))

    def call(self, *options):
        return subprocess.run(
            [sys.executable, DRIVER, "--table", "table.json", "--program", self.program, "--folder", self.out,
             *options],
            capture_output=True, text=True, cwd=self.folder, timeout=60)

    def calls(self):
        log = self.out / "calls.txt"
        return log.read_text().splitlines() if log.exists() else []

    def worlds(self):
        return (self.folder / "worlds.txt").read_text().splitlines()

    def results(self):
        found = json.loads((self.out / "results.json").read_text())
        return {experiment["name"]: experiment for experiment in found["experiments"]}, found

    def test_everything_runs_once_and_is_shown(self):
        done = self.call("--only", "sight", "--only", "growth")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.worlds(), ["toy-world world --videos 9"])
        self.assertEqual(sorted(self.calls()), sorted(
            2 * ["train first", "train second", "eval eval_last", "eval eval_better"]))
        for name in ("last", "better"):
            self.assertGreater(self.calls().index(f"eval eval_{name}"), self.calls().index("train second"))
        experiments, _ = self.results()
        self.assertEqual(list(experiments), ["sight", "growth"])
        self.assertEqual(experiments["sight"]["types"], ["order", "colour"])
        own = experiments["sight"]["arms"][0]["cells"]["colour"]
        self.assertEqual(own["seeds"], {"1": 0.54, "2": 0.58})
        self.assertAlmostEqual(own["mean"], 0.56)
        self.assertAlmostEqual(own["spread"], 0.04 / 2 ** 0.5)
        self.assertAlmostEqual(own["interval"][0], 0.46)
        self.assertEqual((own["num_questions"], own["chance"], own["majority"]), (40, 0.25, 0.4))
        self.assertIn("| colour | 40 | 0.25 | 0.40 | 0.56 ± 0.03 [0.46, 0.66] |",
                      (self.out / "experiments.md").read_text())

        again = self.call("--only", "sight", "--only", "growth")
        self.assertEqual(again.returncode, 0)
        self.assertEqual(len(self.calls()), 8)

    def test_the_page_holds_plots_and_needs_nothing_else(self):
        self.call("--only", "sight", "--only", "growth")
        page = (self.out / "experiments.html").read_text()
        self.assertIn("Sight &amp; &lt;sound&gt;", page)
        self.assertNotIn("<sound>", page)
        plots = re.findall(r"<svg.*?</svg>", page)
        self.assertEqual(len(plots), 2)
        for plot in plots:
            xml.etree.ElementTree.fromstring(plot)
        self.assertEqual(plots[0].count("<rect"), 4)
        self.assertEqual(plots[1].count("<polyline"), 1)
        self.assertIsNone(re.search(r"(src|href)\s*=", page))
        for name, title in (("sight", "Sight &amp; &lt;sound&gt;"), ("growth", "growth")):
            file = (self.out / "plots" / f"{name}.svg").read_text()
            xml.etree.ElementTree.fromstring(file)
            self.assertIn(f"<title>{title}</title>", file)

    def test_failures_are_named_and_nothing_is_shown_of_them(self):
        done = self.call("--seeds", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken, seed 3: status 2", done.stderr)
        self.assertIn("there is no such world", done.stderr)
        self.assertIn("evaluation hopeless, seed 3: not run, because broken, seed 3 failed", done.stderr)
        experiments, found = self.results()
        self.assertNotIn("lost", experiments)
        self.assertEqual([shown["name"] for shown in experiments["whole"]["arms"]], ["own"])
        self.assertEqual(experiments["whole"]["arms"][0]["cells"][""]["spread"], None)
        self.assertEqual(len(found["failures"]), 2)
        self.assertIn("there is no such world", (self.out / "experiments.html").read_text())

        self.call("--seeds", "3")  # what failed is tried again, and nothing else
        self.assertEqual(self.calls().count("train broken"), 2)
        self.assertEqual(self.calls().count("train first"), 1)

    def test_a_dry_run_prints_what_is_missing(self):
        done = self.call("--only", "sight", "--seeds", "1", "--dry-run")
        self.assertEqual(done.returncode, 0)
        commands = done.stdout.splitlines()
        self.assertEqual([command.split()[1] for command in commands], ["toy-world", "train", "train", "eval"])
        self.assertIn("seed=1", commands[1])
        self.assertIn("seed_1/first/checkpoints/step_NEWEST/trainable.safetensors", commands[2])
        self.assertEqual(self.calls(), [])
        self.call("--only", "sight", "--seeds", "1")
        self.assertEqual(self.call("--only", "sight", "--seeds", "1", "--dry-run").stdout, "")

    def test_what_was_made_otherwise_is_not_taken_for_done(self):
        self.call("--only", "sight", "--seeds", "1")
        changed = json.loads(json.dumps(TABLE))
        changed["runs"]["second"]["set"].append("rate=1")
        self.write(changed)
        done = self.call("--only", "sight", "--seeds", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("made by another command", done.stderr)
        self.write(TABLE)
        (self.folder / "shared.yaml").write_text("precision: bf16\n")
        done = self.call("--only", "sight", "--seeds", "1")
        self.assertIn("'first.yaml' has changed since", done.stderr)
        (self.folder / "shared.yaml").write_text("precision: fp32\n")
        self.assertEqual(self.call("--only", "sight", "--seeds", "1").returncode, 0)
        (self.folder / "weights" / "base.pth").write_text("2")
        done = self.call("--only", "sight", "--seeds", "1")
        self.assertIn("or the base weights", done.stderr)
        self.assertEqual(len(self.calls()), 3)

    def test_worlds_are_made_once_before_what_reads_them(self):
        done = self.call("--only", "worlds")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(self.worlds()), ["toy-world world --videos 9", "toy-world world_2 --videos 2"])
        self.assertIn("data=world_2/a.csv", self.call("--only", "worlds", "--dry-run", "--seeds", "3").stdout)

    def test_two_calls_at_once_and_a_stop(self):
        table = json.loads(json.dumps(TABLE))
        table["runs"]["first"]["set"] = ["sleep=30"]
        self.write(table)
        command = [sys.executable, DRIVER, "--table", "table.json", "--program", self.program, "--folder", self.out,
                   "--only", "sight", "--seeds", "1"]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True) as running:
            while "first, seed 1: started" not in running.stdout.readline():
                pass
            self.assertIn("another call works in", self.call("--only", "growth").stderr)
            running.terminate()
            self.assertEqual(running.wait(timeout=20), 1)
        self.write(TABLE)
        self.assertEqual(self.call("--only", "sight", "--seeds", "1").returncode, 0)

    def test_experiments_come_one_after_the_other(self):
        dry = self.call("--only", "growth", "--only", "sight", "--dry-run").stdout
        self.assertLess(dry.index("seed_2/eval_last"), dry.index("seed_1/eval_better"))

    def test_mistakes_in_the_table_and_on_the_command_line(self):
        self.assertIn("there are sight, growth", self.call("--only", "smell").stderr)
        self.assertIn("different numbers", self.call("--seeds", "1,1").stderr)
        table = json.loads(json.dumps(TABLE))
        table["experiments"][0]["arms"][0]["evaluation"] = "gone"
        self.write(table)
        self.assertIn("'gone' is not among evaluations: last", self.call().stderr)
        table = json.loads(json.dumps(TABLE))
        table["runs"]["first"]["set"] = ["start={weights:second}"]
        self.write(table)
        self.assertIn("needs itself: ", self.call().stderr)


if __name__ == "__main__":
    unittest.main()
