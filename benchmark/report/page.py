"""Everything that the page says, computed from results, and the page itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.basics.output import check_output, write_output
from benchmark.interface.access import Access
from benchmark.metrics.definitions import DEFINITIONS
from benchmark.metrics.meanings import Metric, find_title, list_metrics
from benchmark.report.figures import MOST_BANDS, Panel, draw_panels, save_picture_grid
from benchmark.report.samples import (
    find_gallery,
    find_task,
    pick_seed,
    show_beside,
    spread_generations,
)
from benchmark.report.scores import draw_intervals, find_axis
from benchmark.results import captions, style
from benchmark.results.curves import gather_curves, name_measures
from benchmark.results.final import format_figure, summarise_profiles
from benchmark.results.gallery import Shown, group_excerpts, load_gallery
from benchmark.results.html import load_template
from benchmark.results.rows import make_score_rows
from benchmark.results.schema import Result
from benchmark.results.standings import list_seeds, rank_results
from benchmark.results.style import Style, add_dark_theme, style_methods
from benchmark.results.verdicts import MEASURABLE, judge_collapse

MOST_EXCERPTS = 3  # generations
ORIGINS = {"own": "run with the methods", "frozen": "as it comes with the benchmark"}


@dataclass(frozen=True)
class MetricCard:
    """One profile entry: what it means, and its curves on the tasks of one modality."""

    entry: Metric
    meaning: str
    image: str


def write_report(
    given: Mapping[Path, Result], folder: Path, stored: Path | None = None, pdf: bool = False
) -> Path:
    """Write DIR/report.html and DIR/figures of results, the references among them.

    Args:
        stored: the folder that holds gallery/ of the benchmark's own results: what is shown of
            those whose samples are not on this machine.
        pdf: store the curves as PDF, too, with their text as text.

    Returns:
        Where the page lies.

    Raises:
        InputError: the results cannot be compared, or the folder cannot be written.
        CorruptFile: samples beside a result are damaged.
    """
    found = rank_results(given)
    methods = [standing.method for standing in found]
    results = {result.method.name: result for result in given.values()}
    looks, some = style_methods(methods), results[methods[0]]
    tasks = dict(sorted(some.tasks.items()))
    page = folder / "report.html"
    check_output(page, "the report")  # fails now rather than after the figures
    seeds, rows = list_seeds(some, next(iter(tasks))), make_score_rows(found)
    for name in tasks:
        _store_figures(results, name, methods, looks, folder / "figures", pdf)
    by_method = {result.method.name: (path, result) for path, result in given.items()}
    galleries = {
        result.method.name: load_gallery(path).tasks
        for file, result in given.items()
        if (path := find_gallery(result, file, stored)) is not None
    }
    context = {
        "suite": some.suite,
        "seeds": seeds,
        "generations": sorted({task.generations for task in tasks.values()}),
        "tasks": {n: (known.description if (known := find_task(some, n)) else "") for n in tasks},
        "versions": _versions(results.values()),
        "methods": methods,
        "looks": looks,
        "rows": rows,
        "summaries": {m: results[m].method.summary for m in methods},
        "drawn": draw_intervals(found),
        "axis": find_axis(found),
        "score_captions": captions.score_captions(len(seeds), "".join(r.score for r in rows)),
        "cost_captions": captions.COSTS,
        "starred": captions.STARRED,
        "access": {
            a.value: captions.KINDS[a] for a in Access if any(a.name in s.access for s in found)
        },
        "failures": [sentence for m in methods for sentence in results[m].failures],
        "inapplicable": [
            f"{m} on {task}: {why}"
            for m in methods
            for task, why in results[m].inapplicable.items()
        ],
        "bands": len(seeds) > 1 and len(methods) <= MOST_BANDS,
        "primary": {n: _primary(results, n, methods, looks) for n in tasks},
        "profile": _profile(results, methods, looks),
        "known": tasks,
        "final": [summarise_profiles(results, n, methods) for n in tasks],
        "measures": _measures(some),
        "definitions": DEFINITIONS,
        "measurable": MEASURABLE,
        "verdicts": [judge_collapse(results, n, methods) for n in tasks],
        "showings": [
            show_samples(by_method, n, methods, folder / "figures", galleries) for n in tasks
        ],
        "light": style,
        "dark": style.DARK,
        "palette": (*style.COLOURS, style.GREY, style.INK),
        "noise": [shift for n in tasks if (shift := _noise(results["nothing"], n))],
    }
    template = load_template(Path(__file__).with_name("template.html"))
    write_output(page, template.render(context).encode(), "the report")
    return page


@dataclass(frozen=True)
class Showing:
    """What is shown of one task: by method, and texts grouped.

    Attributes:
        missing: methods of which there is neither a sample beside the result nor a gallery.
    """

    task: str
    seed: int
    shown: dict[str, Shown]
    excerpts: dict[int, dict[str, list[str]]]
    missing: list[str]


def show_samples(
    results: Mapping[str, tuple[Path, Result]],
    name: str,
    methods: list[str],
    figures: Path,
    galleries: Mapping[str, Mapping[str, Shown]] = MappingProxyType({}),
) -> Showing:
    """Read the samples of the first seed's lineages; pictures are also stored in `figures`.

    Args:
        galleries: by method and task, what is shown where no samples lie beside the result.

    Raises:
        CorruptFile: a file of a lineage is damaged.
        InputError: the figure cannot be written.
    """
    some = results[methods[0]][1]
    seed = pick_seed(some, name)
    found = {
        m: show_beside(result, file, name) or galleries.get(m, {}).get(name)
        for m in methods
        for file, result in [results[m]]
    }
    shown = {method: of for method, of in found.items() if of is not None}
    pictures = {method: of for method, of in shown.items() if of.png}
    if pictures:
        title = f"{name}, suite {some.suite}, seed {seed}: samples by generation"
        save_picture_grid(pictures, figures / f"{_name_figure('samples', name)}.png", title)
    excerpts = group_excerpts(shown)
    few = [list(excerpts)[i] for i in spread_generations(len(excerpts) - 1, MOST_EXCERPTS)]
    missing = [method for method in methods if method not in shown]
    return Showing(name, seed, shown, {t: excerpts[t] for t in few}, missing)


def _measures(some: Result) -> list[tuple[Metric, str]]:
    """The primary metrics of the tasks and what they mean."""
    chosen = sorted({(task.primary, task.modality) for task in some.tasks.values()})
    return [(e, e.explain(modality)) for name, modality in chosen for e in list_metrics([name])]


def _image(drawn: Mapping[str, bytes]) -> str:
    svg = add_dark_theme(drawn["svg"].decode()).encode()
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _versions(results: Iterable[Result]) -> list[tuple[str, str]]:
    """What the results were made with; several values where they differ."""
    results = list(results)

    def values(found: Iterable[str]) -> str:
        return "; ".join(sorted({value for value in found if value})) or "not recorded"

    dates = sorted({result.created[:10] for result in results if result.created})
    span = " to ".join(dict.fromkeys(dates[:1] + dates[-1:]))
    origins = [f"{name} {ORIGINS[how]}" for r in results for name, how in r.references.items()]
    packages = (", ".join(f"{n} {v}" for n, v in sorted(r.versions.items())) for r in results)
    return [
        ("Benchmark version", values(result.benchmark_version for result in results)),
        ("Hardware", values(result.hardware for result in results)),
        ("Date of the results", span or "not recorded"),
        ("References", values(origins)),
        ("Packages", values(packages)),
    ]


def _panel(results: Mapping[str, Result], task: str, entry: str, methods: list[str]) -> Panel:
    title, label = (task, find_title(entry))
    return Panel(title, label, {m: gather_curves(results[m], task, entry) for m in methods})


def _primary(
    results: Mapping[str, Result], task: str, methods: list[str], looks: Mapping[str, Style]
) -> str:
    panel = _panel(results, task, results[methods[0]].tasks[task].primary, methods)
    return _image(draw_panels([panel], looks, ["svg"], 1, (4.6, 2.9)))


def _profile(
    results: Mapping[str, Result], methods: list[str], looks: Mapping[str, Style]
) -> dict[str, list[MetricCard]]:
    """The cards by modality; tasks of one modality share a card and its scale."""
    some = results[methods[0]]
    found = {}
    for modality in sorted({task.modality for task in some.tasks.values()}):
        tasks = sorted(name for name, task in some.tasks.items() if task.modality == modality)
        names = set().union(*(name_measures(results[m], t) for m in methods for t in tasks))
        cards = []
        for entry in list_metrics(names):
            panels = [_panel(results, task, entry.name, methods) for task in tasks]
            panels = [Panel(p.title, "", p.curves) for p in panels if not p.empty]
            drawn = draw_panels(panels, looks, ["svg"], 2, (2.3, 1.9), shared=True)
            cards.append(MetricCard(entry, entry.explain(modality), _image(drawn)))
        found[modality] = cards
    return found


def _store_figures(
    results: Mapping[str, Result],
    task: str,
    methods: list[str],
    looks: Mapping[str, Style],
    folder: Path,
    pdf: bool,
) -> None:
    """The figures for papers, each with its legend."""
    primary = results[methods[0]].tasks[task].primary
    names = set().union(*(name_measures(results[m], task) for m in methods))
    panels = [_panel(results, task, entry.name, methods) for entry in list_metrics(names)]
    panels = [Panel(p.label, "", p.curves) for p in panels]
    forms = ["svg", "png", *(["pdf"] if pdf else [])]
    for kind, drawn in (
        ("primary", draw_panels([_panel(results, task, primary, methods)], looks, forms, 1,
                                (5, 3.2), legend=True)),
        ("profile", draw_panels(panels, looks, forms, 4, (2.6, 1.9), legend=True)),
    ):  # fmt: skip
        for form, content in drawn.items():
            write_output(folder / f"{_name_figure(kind, task)}.{form}", content, "the report")


def _name_figure(kind: str, task: str) -> str:
    """The name of a task's figure; a task's name comes from a file of others."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]', '_', task)}"


def _noise(nothing: Result, task: str) -> dict[str, Any] | None:
    """How rare tokens and distinct pairs changed without mitigation, on a text task."""
    if nothing.tasks[task].modality != "text":
        return None
    shift = {"task": task}
    for entry in ("tail_mass", "distinct_2"):
        values = gather_curves(nothing, task, entry)[:, [0, -1]]
        if values.size == 0 or (values != values).any():
            return None
        shift[entry] = tuple(format_figure(v) for v in values.mean(axis=0))  # type: ignore[assignment]
    return shift
