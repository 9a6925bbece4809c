"""Results of experiments as one page, as Markdown and as JSON."""
import html
import json

import plots

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --soft: #667; --line: #ccd; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --paper: #17181c; --soft: #9aa; --line: #3a3d46; } }
body { font: 15px/1.5 sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; margin: .8rem 0; } .scroll { overflow-x: auto; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
caption { text-align: left; } .soft, caption { color: var(--soft); font-size: 13px; }
svg { max-width: 100%; height: auto; margin-right: .5rem; }
.legend { margin: .4rem 0; } .key { margin-right: 1.2rem; white-space: nowrap; }
.colour { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
pre { overflow-x: auto; font-size: 12px; } .failed { color: #c33; }
"""

HOW = ("Mean over seeds; ± is the standard deviation over seeds, brackets the 95 % bootstrap interval over questions "
       "(in the mean of the seeds). In plots bars and points are means, whiskers these intervals, small circles "
       "seeds.")


def number(cell):
    spread = "" if cell["spread"] is None else f" ± {cell['spread']:.2f}"
    return f"{cell['mean']:.2f}{spread} [{cell['interval'][0]:.2f}, {cell['interval'][1]:.2f}]"


def rows(experiment):
    """The table: a head, then a row for each type, and its chance, majority and arms."""
    levels = [name for name in ("chance", "majority")
              if any(cell.get(name) is not None for cell in plots.all_cells(experiment))]
    table = [["type", "questions", *levels, *(arm["name"] for arm in experiment["arms"])]]
    for kind in experiment["types"]:
        cells = [arm["cells"].get(kind) for arm in experiment["arms"]]
        first = next(cell for cell in cells if cell is not None)
        table.append([kind or "all", str(first["num_questions"]),
                      *("" if first.get(name) is None else f"{first[name]:.2f}" for name in levels),
                      *("" if cell is None else number(cell) for cell in cells)])
    return table


def markdown(results):
    text = ""
    for experiment in results["experiments"]:
        head, *body = [[entry.replace("|", "\\|") for entry in row] for row in rows(experiment)]
        text += f"## {experiment['title']}\n\n"
        text += f"{experiment['claim']}\n\n" if experiment["claim"] else ""
        text += f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
        text += "".join(f"| {' | '.join(row)} |\n" for row in body) + "\n"
    if text:
        text += f"{experiment_note(results)} {HOW}\n"
    if results["failures"]:
        text += "\n## Failed\n\n"
    for failure in results["failures"]:
        text += f"- {failure['name']}: {failure['reason'].splitlines()[-1]}\n"
    return text


def experiment_note(results):
    return f"Seeds {', '.join(map(str, results['seeds']))}."


def table_html(experiment):
    head, *body = rows(experiment)
    cells = "".join(f"<th>{html.escape(entry)}</th>" for entry in head)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(entry)}</td>" for entry in row) + "</tr>" for row in body)
    return (f"<div class=scroll><table><caption>{html.escape(experiment['metric'])}</caption><thead><tr>{cells}</tr>"
            f"</thead><tbody>{lines}</tbody></table></div>")


def failures_html(failures):
    if not failures:
        return ""
    items = "".join(f"<li><strong>{html.escape(failure['name'])}</strong> <span class=soft>"
                    f"{html.escape(failure['log'])}</span><pre>{html.escape(failure['reason'])}</pre></li>"
                    for failure in failures)
    return f"<h2 class=failed>Failed</h2><ul>{items}</ul>"


def page(results):
    body = "".join(f"<h2 id=\"{html.escape(found['name'])}\">{html.escape(found['title'])}</h2>"
                   f"<p>{html.escape(found['claim'])}</p>{plots.plot(found)}{table_html(found)}"
                   for found in results["experiments"])
    commands = html.escape("\n".join(results["commands"]))
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
            f"<title>Experiments</title><style>{STYLE}</style><h1>Experiments</h1>"
            f"<p class=soft>{experiment_note(results)} {HOW} All programs together took {results['seconds'] / 60:.0f} "
            f"minutes.</p>{failures_html(results['failures'])}{body}"
            f"<h2>Commands</h2><details><summary>{len(results['commands'])} commands</summary><pre>{commands}</pre>"
            "</details></html>\n")


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "experiments.md").write_text(markdown(results))
    (folder / "experiments.html").write_text(page(results))
    (folder / "plots").mkdir(exist_ok=True)
    for experiment in results["experiments"]:
        (folder / "plots" / f"{experiment['name']}.svg").write_text(plots.standalone(experiment))
