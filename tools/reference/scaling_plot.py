"""Draws docs/scaling.svg: the efficiency of the four recipes by scaling_model.py. Called by scaling_tables.py --update."""

import math

from scaling_model import GPU_COUNTS, NETWORKS, RATES, RECIPES, strong_efficiency, weak_efficiency

WIDTH, HEIGHT = 800, 640
PANEL_WIDTH, PANEL_HEIGHT = 320, 210
LEFT, TOP, COLUMN, ROW = 56, 76, 380, 270
COLOURS = {"25 Gb/s": "#c05a1f", "100 Gb/s": "#3a7d34", "400 Gb/s": "#1f5fa8"}
RATE = RATES["396"]


def curve(counts, efficiency, x, y, style):
    points = "L".join(f"{x(n):.1f} {y(efficiency(n)):.1f}" for n in counts)
    return f'<path d="M{points}" fill="none" {style}/>\n'


def panel(recipe, left, top):
    def x(gpus):
        return left + PANEL_WIDTH * math.log2(gpus) / math.log2(GPU_COUNTS[-1])

    def y(efficiency):
        return top + PANEL_HEIGHT * (1 - efficiency)

    svg = f'<text x="{left}" y="{top - 10}" fill="#111">{recipe.name}</text>\n'
    for tenths in range(0, 11, 2):
        svg += f'<path d="M{left} {y(tenths / 10):.1f}h{PANEL_WIDTH}" stroke="#e3e3e3"/>'
        svg += f'<text x="{left - 8}" y="{y(tenths / 10) + 4:.1f}" text-anchor="end">{10 * tenths} %</text>\n'
    for gpus in GPU_COUNTS[::2]:
        svg += f'<path d="M{x(gpus):.1f} {top + PANEL_HEIGHT}v5" stroke="#888"/>'
        svg += f'<text x="{x(gpus):.1f}" y="{top + PANEL_HEIGHT + 20}" text-anchor="middle">{gpus:,}</text>\n'
    fixed = [n for n in GPU_COUNTS if n <= recipe.global_batch()]
    for name, colour in COLOURS.items():
        network = NETWORKS[name]
        weak = curve(
            GPU_COUNTS,
            lambda n: weak_efficiency(recipe, n, RATE, network),
            x,
            y,
            f'stroke="{colour}"',
        )
        strong = curve(
            fixed,
            lambda n: strong_efficiency(recipe, n, RATE, network),
            x,
            y,
            f'stroke="{colour}" stroke-dasharray="5 4"',
        )
        svg += weak + strong
    return (
        svg + f'<path d="M{left} {top}v{PANEL_HEIGHT}h{PANEL_WIDTH}" fill="none" stroke="#888"/>\n'
    )


def legend():
    svg, x = "", LEFT
    entries = [(colour, "", name) for name, colour in COLOURS.items()]
    entries += [
        ("#444", "", "batch grows with the GPUs"),
        ("#444", ' stroke-dasharray="5 4"', "published global batch"),
    ]
    for colour, dashes, name in entries:
        svg += f'<path d="M{x} 40h26" stroke="{colour}" stroke-width="1.5"{dashes}/>'
        svg += f'<text x="{x + 32}" y="44">{name}</text>\n'
        x += 56 + 7 * len(name)
    return svg


def draw(path):
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="13" fill="#444" stroke-width="1.5">\n'
        '<rect width="100%" height="100%" fill="#fff" stroke="none"/>\n<g stroke-width="1.5">\n'
        f'<text x="{LEFT}" y="20" font-size="16" fill="#111">Efficiency by the number of GPUs, at 396 TFLOP/s'
        "</text>\n"
    )
    svg += legend()
    for i, recipe in enumerate(RECIPES):
        svg += panel(recipe, LEFT + COLUMN * (i % 2), TOP + 10 + ROW * (i // 2))
    svg += (
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">GPUs, 8 in a node</text>\n'
    )
    path.write_text(svg + "</g>\n</svg>\n", encoding="utf-8")
