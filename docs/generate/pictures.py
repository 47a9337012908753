"""What a task's lineages published, from the stored galleries."""

from __future__ import annotations

import base64

from benchmark.basics.plain import escape_markdown
from benchmark.results.gallery import Shown, crop_row, load_gallery
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from docs.generate.prose import ROOT, write_table

GALLERIES = ROOT / "leaderboard" / "gallery"
SUITES = ("small", "closed", "stress", "quick")  # the first that shows a task is taken
METHODS = ("nothing", "first_crawl", "oracle", "clean")


def write_pictures(task: Task) -> tuple[str, dict[str, bytes]]:
    """A table of samples by generation and method, and its pictures by their names."""
    suite, shown = _find_shown(task)
    if not shown:
        base = f"{task.name.partition('-')[0]}-web"
        if base == task.name:
            return "No samples of this task are stored yet.", {}
        return f"No samples of this task are stored; see those of [`{base}`]({base}.md).", {}
    (seed,) = {one.seed for one in shown.values()}
    size = next(other for other in load_suite(suite).tasks if other.name == task.name)
    rows, files = [], {}
    for t in _choose_generations(next(iter(shown.values()))):
        seen = {f"`{method}`": _show(one, t) for method, one in shown.items()}
        if len(set(seen.values())) == 1:
            seen = {"all": next(iter(seen.values()))}
        for method, content in seen.items():
            if isinstance(content, bytes):
                name = f"{task.name}-{method.strip('`')}-{t}.png"
                files[name] = content
                alt = f"Samples of {task.name}, {method.strip('`')}, generation {t}"
                cell = f"![{alt}]({name}){{ .samples }}"
            else:
                cell = escape_markdown(content) or "(the lineage had failed)"
            rows.append([str(t), method, cell])
    table = write_table(["t", "method", "samples"], rows)
    return f"{_explain(task, suite, seed, size.generations)}\n\n{table}", files


def _explain(task: Task, suite: str, seed: int | str, generations: int) -> str:
    words = {
        "image": "Rows of one generation are drawn from the same random numbers, so that their "
        "columns can be compared.",
        "text": "One excerpt each, chosen by rule; words that are in no address are in «quotes».",
        "pair": "Captions that a frozen reader finds wrong are red; the strip below numbers shows "
        "which of 1 to 999 are still named.",
    }
    return (
        f"Suite `{suite}`, seed {seed}, T = {generations}. `nothing` trains on the crawl as it is, "
        f"`clean` is the lineage whose every crawl is real. {words[task.modality]}"
    )


def _find_shown(task: Task) -> tuple[str, dict[str, Shown]]:
    for suite in SUITES:
        files = {method: GALLERIES / suite / f"{method}.json" for method in METHODS}
        galleries = {m: load_gallery(file).tasks for m, file in files.items() if file.exists()}
        shown = {m: tasks[task.name] for m, tasks in galleries.items() if task.name in tasks}
        if shown:
            return suite, shown
    return "", {}


def _choose_generations(shown: Shown) -> list[int]:
    """The first, the one in the middle, the last of those that are stored."""
    stored = shown.generations or list(shown.texts)
    middle = min(stored, key=lambda t: abs(t - stored[-1] / 2))
    return sorted({stored[0], middle, stored[-1]})


def _show(shown: Shown, t: int) -> bytes | str:
    """The row of pictures, or the excerpts, of generation `t`."""
    if not shown.png:
        return shown.texts.get(t, "")
    return base64.b64decode(crop_row(shown, t)) or ""
