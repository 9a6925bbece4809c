"""Plots of experiments as SVG: bars by question type, and lines over a quantity."""
import html
import math
import re

# Okabe and Ito: told apart by readers with any colour vision.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#6B6B6B", "#B5A000"]
HEIGHT = 180  # of the axis, in pixels
LEFT, TOP, BELOW = 44, 22, 40
FONT = 'font-family="sans-serif" font-size="12"'


def colour(number):
    return COLOURS[number % len(COLOURS)]


def scale_end(cells):
    """The end of a scale from 0 that holds all values: 1, or a round number."""
    most = max([max(cell["interval"][1] or 0, *cell["seeds"].values()) for cell in cells] + [0])
    if most <= 1:
        return 1.0
    step = 10 ** math.floor(math.log10(most))
    return math.ceil(most / step) * step


def text(x, y, words, anchor="middle", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" {more}>'
            f"{html.escape(str(words))}</text>")


def line(x1, y1, x2, y2, style):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def svg(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img" {FONT}><title>{html.escape(title)}</title>{body}</svg>')


class Axis:
    """Values from 0 to `end` upwards, beginning at `left`."""

    def __init__(self, end, left, width):
        self.end, self.left, self.width = end, left, width

    def y(self, value):
        return TOP + HEIGHT * (1 - min(max(value, 0), self.end) / self.end)

    def drawn(self):
        parts = []
        for i in range(5):
            value = self.end * i / 4
            parts.append(line(self.left, self.y(value), self.left + self.width, self.y(value),
                              'stroke="#888" stroke-opacity=".35"'))
            parts.append(text(self.left - 6, self.y(value) + 4, f"{value:g}", "end"))
        return "".join(parts)


def whisker(x, axis, low, high):
    style = 'stroke="currentColor" stroke-width="1.2"'
    return (line(x, axis.y(low), x, axis.y(high), style) + line(x - 3, axis.y(low), x + 3, axis.y(low), style) +
            line(x - 3, axis.y(high), x + 3, axis.y(high), style))


def dots(x, axis, values):
    """One for each seed, side by side; none for a single one, which is the mean."""
    if len(values) < 2:
        return ""
    width = 2.5 * (len(values) - 1)
    return "".join(f'<circle cx="{x - width / 2 + 2.5 * i:.1f}" cy="{axis.y(value):.1f}" r="2" fill="#fff" '
                   f'stroke="#222"/>' for i, value in enumerate(values))


def point(x, y, number, note):
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour(number)}">'
            f"<title>{html.escape(note)}</title></circle>")


def levels(axis, left, right, cells):
    """Chance and majority of a type, which all arms share."""
    drawn = ""
    for name, style in (("chance", 'stroke-dasharray="5 3"'), ("majority", 'stroke-dasharray="1.5 2.5"')):
        values = [cell[name] for cell in cells if cell.get(name) is not None]
        if values:
            drawn += line(left, axis.y(values[0]), right, axis.y(values[0]),
                          f'stroke="currentColor" stroke-width="1.4" {style}')
    return drawn


def all_cells(experiment):
    return [cell for arm in experiment["arms"] for cell in arm["cells"].values()]


def has_levels(experiment):
    return any(cell.get("chance") is not None or cell.get("majority") is not None for cell in all_cells(experiment))


def keys(experiment):
    """Names that colours stand for, in their order."""
    if experiment["plot"] == "lines":
        return [name for name in dict.fromkeys(arm["series"] for arm in experiment["arms"]) if name]
    return [arm["name"] for arm in experiment["arms"]]


def legend(experiment):
    entries = "".join(f'<span class=key><span class=colour style="background:{colour(i)}"></span>'
                      f"{html.escape(name)}</span>" for i, name in enumerate(keys(experiment)))
    if has_levels(experiment):
        entries += "<span class=key>- - - chance</span><span class=key>&middot;&middot;&middot; majority</span>"
    return f"<p class=legend>{entries}</p>" if entries else ""


def bars(experiment):
    """A group for each type, in it a bar for each arm; rows of groups where they are many."""
    arms, kinds = experiment["arms"], experiment["types"]
    bar = 18 if len(arms) > 3 else 24
    group = max(bar * len(arms) + 26, 74)
    num_rows = math.ceil(len(kinds) * group / 900)
    per_row = math.ceil(len(kinds) / num_rows)
    end = scale_end(all_cells(experiment))
    rows = []
    for begin in range(0, len(kinds), per_row):
        shown = kinds[begin:begin + per_row]
        width = group * len(shown)
        axis = Axis(end, LEFT, width)
        body = axis.drawn()
        for place, kind in enumerate(shown):
            left = LEFT + place * group
            first = left + (group - bar * len(arms)) / 2
            for number, arm in enumerate(arms):
                cell = arm["cells"].get(kind)
                if cell is None:
                    continue
                x, y = first + number * bar, axis.y(cell["mean"])
                note = html.escape(f"{arm['name']}, {kind or 'all'}: {cell['mean']:.3f}")
                body += (f'<rect x="{x + 1:.1f}" y="{y:.1f}" width="{bar - 2}" height="{TOP + HEIGHT - y:.1f}" '
                         f'fill="{colour(number)}"><title>{note}</title></rect>')
                body += whisker(x + bar / 2, axis, *cell["interval"]) + dots(x + bar / 2, axis, cell["seeds"].values())
            body += levels(axis, first - 6, first + bar * len(arms) + 6,
                           [arm["cells"][kind] for arm in arms if kind in arm["cells"]])
            body += text(left + group / 2, TOP + HEIGHT + 18, kind or "all")
        rows.append(svg(LEFT + width + 8, TOP + HEIGHT + BELOW - 12, experiment["title"], body))
    return rows


def _places(values):
    """x from 0 to 1 for each value: by its logarithm where values span more than a factor of 8."""
    is_wide = min(values) > 0 and max(values) > 8 * min(values)
    scaled = {value: math.log(value) if is_wide else value for value in values}
    low, high = min(scaled.values()), max(scaled.values())
    return {value: (found - low) / (high - low) if high > low else 0.5 for value, found in scaled.items()}


def lines(experiment):
    """A panel for each type, in it a line for each series over x."""
    arms = [arm for arm in experiment["arms"] if arm["x"] is not None]
    series = list(dict.fromkeys(arm["series"] for arm in arms))
    place = _places([arm["x"] for arm in arms])
    end, width, panels = scale_end(all_cells(experiment)), 250, []
    for kind in experiment["types"]:
        axis = Axis(end, LEFT, width)
        body = axis.drawn() + text(LEFT + width / 2, TOP - 8, kind or "all", more='font-weight="bold"')
        shown = [arm for arm in arms if kind in arm["cells"]]
        at = {value: LEFT + 14 + (width - 28) * place[value] for value in place}
        for number, name in enumerate(series):
            points = sorted((arm["x"], arm["cells"][kind]) for arm in shown if arm["series"] == name)
            path = " ".join(f"{at[x]:.1f},{axis.y(cell['mean']):.1f}" for x, cell in points)
            body += f'<polyline points="{path}" fill="none" stroke="{colour(number)}" stroke-width="2"/>'
            for x, cell in points:
                body += whisker(at[x], axis, *cell["interval"])
                body += point(at[x], axis.y(cell["mean"]), number, f"{name} {x:g}: {cell['mean']:.3f}")
        body += levels(axis, LEFT, LEFT + width, [arm["cells"][kind] for arm in shown])
        body += "".join(text(at[x], TOP + HEIGHT + 16, f"{x:g}") for x in sorted({arm["x"] for arm in shown}))
        body += text(LEFT + width / 2, TOP + HEIGHT + 32, experiment["x_label"])
        panels.append(svg(LEFT + width + 12, TOP + HEIGHT + BELOW, f"{experiment['title']}: {kind or 'all'}", body))
    return panels


def pictures(experiment):
    """One SVG or several, to be read from left to right and from top to bottom."""
    return lines(experiment) if experiment["plot"] == "lines" else bars(experiment)


def plot(experiment):
    """For a page."""
    return legend(experiment) + "".join(pictures(experiment))


def _legend_drawn(experiment, width):
    """The legend as a part of a picture, and its height."""
    drawn, x, y = "", 10, 16
    for number, name in enumerate(keys(experiment)):
        length = 34 + 7 * len(name)
        if x > 10 and x + length > width:
            x, y = 10, y + 18
        drawn += f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour(number)}"/>'
        drawn += text(x + 15, y, name, "start")
        x += length
    if has_levels(experiment):
        y += 18
        drawn += text(10, y, "- - - chance   · · · majority", "start")
    return drawn, y + 10


def standalone(experiment):
    """One SVG file with the legend, on white."""
    most, drawn = 900, pictures(experiment)
    sizes = [[float(found) for found in re.search(r'width="(\d+)" height="(\d+)"', picture).groups()]
             for picture in drawn]
    width = min(max(size[0] for size in sizes) if experiment["plot"] == "bars" else most,
                max(sum(size[0] for size in sizes), 420))
    body, top = _legend_drawn(experiment, width)
    x, row = 0, 0
    for picture, (wide, high) in zip(drawn, sizes):
        if x > 0 and x + wide > width + 1:
            x, top, row = 0, top + row, 0
        body += picture.replace("<svg ", f'<svg x="{x:.0f}" y="{top:.0f}" ', 1)
        x, row = x + wide, max(row, high)
    return svg(width, top + row, experiment["title"],
               f'<rect width="100%" height="100%" fill="#fff"/><g color="#1c1c1c">{body}</g>') + "\n"
