"""The tables and the plot of docs/scaling.md, by the model in scaling_model.py.

    python3 tools/reference/scaling_tables.py            prints every table
    python3 tools/reference/scaling_tables.py --update   writes them into docs/scaling.md, and the plot

Needs nothing but Python.
"""

import sys
from pathlib import Path

import scaling_model as model
from scaling_model import RATES, RECIPES, NETWORKS


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def percent(value):
    return f"{100 * value:.0f} %"


def milliseconds(value):
    value *= 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def compute_table():
    rows = []
    for recipe in RECIPES:
        for is_video, kind in ((True, "video"), (False, "image")):
            flops = sum(model.sample_flops(recipe, is_video))
            times = [
                model.micro_batch_seconds(recipe, is_video, recipe.batch, rate)[0]
                for rate in RATES.values()
            ]
            one = model.micro_batch_seconds(recipe, is_video, 1, RATES["396"])[0]
            rows.append(
                [f"{recipe.name}, {kind}", f"{flops / 1e12:.2f}", recipe.batch]
                + [milliseconds(t) for t in times]
                + [milliseconds(one)]
            )
    header = [
        "samples",
        "TFLOP each",
        "batch of a GPU",
        "ms at 396",
        "ms at 790",
        "ms at 396, batch 1",
    ]
    return table(header, rows)


def reduce_table():
    num_bytes = 4 * RECIPES[0].trained
    rows = []
    for gpus in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        row = [f"{gpus:,}"]
        for network in NETWORKS.values():
            row.append(milliseconds(model.all_reduce_seconds(num_bytes, gpus, network)))
        nodes = max(1, gpus // model.GPUS_PER_NODE)
        bandwidth = model.NETWORK_SHARE * NETWORKS["100 Gb/s"] / 8
        flat = "-"
        if nodes > 1:
            flat = milliseconds(
                model.ring_seconds(num_bytes, gpus, bandwidth, model.NETWORK_LATENCY)
            )
        rows.append(row + [flat])
    return table(["GPUs", *NETWORKS, "flat ring, 100 Gb/s"], rows)


def maximum_table():
    counts = (2, 8, 32, 64, 128, 256, 512, 1024)
    rows = [["e(N)"] + [f"{model.expected_maximum(n):.2f}" for n in counts]]
    for recipe in RECIPES:
        parts = [
            model.rank_seconds(recipe, is_video, recipe.batch, RATES["396"])
            for is_video in (True, False)
        ]
        shares = (recipe.video_share, 1 - recipe.video_share)
        mean = sum(p * m for p, (m, _) in zip(shares, parts))
        spread = sum(p * s for p, (_, s) in zip(shares, parts))
        rows.append(
            [recipe.name]
            + [f"{100 * spread / mean * model.expected_maximum(n):.1f} %" for n in counts]
        )
    return table(["GPUs"] + [f"{n:,}" for n in counts], rows)


def lengths_table():
    counts = (8, 32, 128, 512, 1024)
    rows = []
    for by_length, name in ((False, "as they are dealt now"), (True, "dealt by length")):
        rows.append(
            [name] + [f"{100 * model.simulated_waiting(n, by_length):.0f} %" for n in counts]
        )
    return table(["samples"] + [f"{n:,} GPUs" for n in counts], rows)


def weak_table(rate_name):
    rows = []
    for recipe in RECIPES:
        for name, network in NETWORKS.items():
            row = [recipe.name, name]
            row += [
                percent(model.weak_efficiency(recipe, n, RATES[rate_name], network))
                for n in (8, 16, 64, 256, 1024)
            ]
            row.append(
                percent(
                    model.weak_efficiency(recipe, 1024, RATES[rate_name], network, overlap=True)
                )
            )
            rows.append(row)
    return table(
        ["recipe", "network of a node", "8", "16", "64", "256", "1,024", "1,024, hidden"], rows
    )


def strong_table():
    rate, network = RATES["396"], NETWORKS["400 Gb/s"]
    rows = []
    for recipe in RECIPES:
        gpus = 1
        while gpus <= recipe.global_batch():
            parts = model.strong_step(recipe, gpus, rate, network)
            hours = recipe.samples / recipe.global_batch() * parts.seconds / 3600
            rows.append(
                [recipe.name if gpus == 1 else "", gpus, f"{recipe.global_batch() / gpus:g}"]
                + [
                    milliseconds(t)
                    for t in (parts.compute, parts.waiting, parts.communication, parts.seconds)
                ]
                + [percent(model.strong_efficiency(recipe, gpus, rate, network)), f"{hours:.2f}"]
            )
            gpus *= 2
    header = [
        "recipe",
        "GPUs",
        "batch of a GPU",
        "compute",
        "waiting",
        "all-reduce",
        "step, ms",
        "efficiency",
        "whole run, h",
    ]
    return table(header, rows)


def limit_table():
    rows = []
    for recipe in RECIPES:
        row = [recipe.name, recipe.global_batch()]
        for rate in RATES.values():
            for name in ("25 Gb/s", "100 Gb/s", "400 Gb/s"):
                counts = [n for n in model.GPU_COUNTS if n <= recipe.global_batch()]
                good = [
                    n
                    for n in counts
                    if model.strong_efficiency(recipe, n, rate, NETWORKS[name]) >= 0.7
                ]
                row.append(max(good))
        rows.append(row)
    header = ["recipe", "global batch"] + [
        f"{n} at {r}" for r in RATES for n in ("25", "100", "400")
    ]
    return table(header, rows)


def decode_table():
    rows = []
    for recipe in RECIPES:
        row = [recipe.name]
        for rate in RATES.values():
            samples = recipe.batch / model.step(recipe, 1, recipe.batch, rate, 1e12).compute
            cores = model.decode_cores(recipe, rate)
            fed = min(1, model.CORES_PER_GPU / cores)
            row += [
                f"{samples:.0f}",
                f"{recipe.video_share * samples:.0f}",
                f"{cores:.1f}",
                percent(fed),
            ]
        rows.append(row)
    header = ["recipe"]
    for rate in RATES:
        header += [f"samples/s at {rate}", "clips/s", "cores", "fed by 16 cores"]
    return table(header, rows)


def gather_table():
    rows = []
    for language in (model.SEVEN, model.THIRTEEN, model.THIRTY_THREE):
        layers, layer = language.layers, 2 * language.layer_parameters()
        gather = layer * (model.GPUS_PER_NODE - 1) / model.GPUS_PER_NODE / model.NVLINK
        whole = 2 * language.parameters()
        kept = whole - layers * layer * (model.GPUS_PER_NODE - 1) / model.GPUS_PER_NODE + 2 * layer
        received = (2 * layers - 1) * layer * (model.GPUS_PER_NODE - 1) / model.GPUS_PER_NODE
        for tokens, kind in ((32 * 58, "VL stage 1"), (4 * 250, "VL stage 2")):
            flops = 2 * tokens * language.layer_parameters()
            compute = max(flops / RATES["396"], layer / model.MEMORY_RATE)
            exposed = gather + layers * max(0.0, gather - compute)
            exposed += (layers - 1) * max(0.0, gather - 2 * compute)
            rows.append(
                [language.name, kind, f"{layer / 1e6:,.0f}"]
                + [f"{size / 1e9:.1f}" for size in (whole, kept, received)]
                + [milliseconds(t) for t in (gather, compute, exposed, layers * compute)]
            )
    header = ["LLM", "micro-batch", "layer, MB", "whole, GB", "on a GPU, GB", "received, GB"]
    header += ["gather of a layer, ms", "forward pass of a layer, ms"]
    return table(header + ["gathering adds, ms", "recomputing adds, ms"], rows)


def unfrozen_table():
    language = model.SEVEN
    count, tokens = language.parameters(), 4 * 250
    compute = 3 * language.forward(tokens) + 1.5 * language.logits(tokens)
    compute /= RATES["396"]
    rows = []
    for gpus, name in (
        (8, "none"),
        (16, "400 Gb/s"),
        (64, "400 Gb/s"),
        (256, "400 Gb/s"),
        (16, "8 x 400 Gb/s"),
        (64, "8 x 400 Gb/s"),
        (256, "8 x 400 Gb/s"),
        (1024, "8 x 400 Gb/s"),
    ):
        network = NETWORKS.get(name, 1e15)
        reduce = model.all_reduce_seconds(4 * count, gpus, network)
        gather = reduce / 2  # of fp32 parameters
        lean = reduce / 2 + gather / 2  # a reduce-scatter, and a gather in bf16
        rows.append(
            [f"{gpus:,}", name, f"{(8 + 8 / gpus) * count / 1e9:.1f}"]
            + [milliseconds(t) for t in (compute, reduce, gather, compute + reduce + gather)]
            + [percent(compute / (compute + reduce + gather)), milliseconds(compute + lean)]
        )
    header = ["GPUs", "network of a node", "state of a GPU, GB", "compute, ms", "all-reduce, ms"]
    header += ["all-gather, ms", "step, ms", "compute's share", "step, ms, if leaner"]
    return table(header, rows)


TABLES = {
    "compute": compute_table,
    "all-reduce": reduce_table,
    "slowest": maximum_table,
    "lengths": lengths_table,
    "decode": decode_table,
    "weak-396": lambda: weak_table("396"),
    "weak-790": lambda: weak_table("790"),
    "strong": strong_table,
    "limits": limit_table,
    "gather": gather_table,
    "unfrozen": unfrozen_table,
}


def update(document):
    """Replaces what stands between <!-- NAME --> and <!-- end --> by the tables."""
    text = document.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        begin = text.index(f"<!-- {name} -->") + len(f"<!-- {name} -->")
        text = text[:begin] + "\n\n" + make() + "\n\n" + text[text.index("<!-- end -->", begin) :]
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--update" in sys.argv:
        from scaling_plot import draw

        docs = Path(__file__).resolve().parents[2] / "docs"
        update(docs / "scaling.md")
        draw(docs / "scaling.svg")
    else:
        for name, make in TABLES.items():
            print(f"{name}\n{make()}\n")
