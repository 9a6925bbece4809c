"""Runs `vllama bench generate` and transformers' generate() in turn on the same weights, and tells
how many times as fast ours is.

    python tools/bench/compare_generate.py --batch 1 8 -- --threads 2

What stands behind `--` goes to both. The peer runs with the Python that runs this script.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def compare(ours, peer, num_rounds):
    rates = {"ours": [], "peer": []}
    hashes = set()
    for _ in range(num_rounds):
        for name, command in (("ours", ours), ("peer", peer)):
            report = run(command)
            rates[name].append(report["tokens_per_second"])
            hashes.add(report["token_hash"])
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "tokens_per_second": rates,
        "median_tokens_per_second": medians,
        "times_as_fast": medians["ours"] / medians["peer"],
        "same_tokens": len(hashes) == 1,
        "load_average": os.getloadavg(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/vllama"))
    parser.add_argument("--config", default="100m")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("both", nargs="*", help="options of both programs, behind --")
    arguments = parser.parse_args()
    ours = [arguments.program, "bench", "generate", "--json", "--config", arguments.config]
    peer = [sys.executable, str(ROOT / "tools/bench/generate_peer.py")]
    with tempfile.TemporaryDirectory() as folder:
        run([*ours, "--save-model", folder, "--new-tokens", "1", "--rounds", "1"])
        peer += ["--model", folder]
        results = {
            f"batch {batch}": compare(
                [*ours, "--batch", str(batch), *arguments.both],
                [*peer, "--batch", str(batch), *arguments.both],
                arguments.repeats,
            )
            for batch in arguments.batch
        }
    print(json.dumps({"options": arguments.both, **results}, indent=2))


if __name__ == "__main__":
    main()
