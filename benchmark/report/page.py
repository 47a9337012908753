"""Everything that the page says, computed from results, and the page itself."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from benchmark.interface.access import Access
from benchmark.metrics.definitions import DEFINITIONS
from benchmark.metrics.meanings import Entry, entries_of, title_of
from benchmark.report.figures import MOST_BANDS, Panel, draw
from benchmark.report.published import known_task
from benchmark.report.scores import axis, drawn_intervals
from benchmark.report.showings import showing
from benchmark.report.writing import file_name, write
from benchmark.results import captions, style
from benchmark.results.curves import gather_curves, name_measures
from benchmark.results.final import format_figure, summarise_profiles
from benchmark.results.gallery import LABEL
from benchmark.results.rows import make_score_rows
from benchmark.results.schema import Result
from benchmark.results.standings import list_seeds, rank_results
from benchmark.results.style import Style, add_dark_theme, style_methods
from benchmark.results.verdicts import MEASURABLE, judge_collapse

ORIGINS = {"own": "run with the methods", "frozen": "as it comes with the benchmark"}


@dataclass(frozen=True)
class Card:
    """One profile entry: what it means, and its curves on the tasks of one modality."""

    entry: Entry
    meaning: str
    image: str


def report(given: Mapping[Path, Result], folder: Path) -> Path:
    """Write DIR/report.html and DIR/figures of results, the references among them.

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
    write(page, b"")  # fails now rather than after the figures
    seeds = list_seeds(some, next(iter(tasks)))
    for name in tasks:
        _store_figures(results, name, methods, looks, folder / "figures")
    by_method = {result.method.name: (path, result) for path, result in given.items()}
    context = {
        "suite": some.suite,
        "seeds": seeds,
        "generations": sorted({task.generations for task in tasks.values()}),
        "tasks": {n: (known.description if (known := known_task(some, n)) else "") for n in tasks},
        "versions": _versions(results.values()),
        "methods": methods,
        "looks": looks,
        "rows": make_score_rows(found),
        "summaries": {m: results[m].method.summary for m in methods},
        "drawn": drawn_intervals(found),
        "axis": axis(found),
        "score_captions": captions.score_captions(len(seeds)),
        "cost_captions": captions.COSTS,
        "starred": captions.STARRED,
        "access": {
            a.value: captions.KINDS[a] for a in Access if any(a.name in s.access for s in found)
        },
        "failures": [sentence for m in methods for sentence in results[m].failures],
        "bands": len(seeds) > 1 and len(methods) <= MOST_BANDS,
        "primary": {n: _primary(results, n, methods, looks) for n in tasks},
        "profile": _profile(results, methods, looks),
        "final": [summarise_profiles(results, n, methods) for n in tasks],
        "measures": _measures(some),
        "definitions": DEFINITIONS,
        "measurable": MEASURABLE,
        "verdicts": [judge_collapse(results, n, methods) for n in tasks],
        "showings": [showing(by_method, n, methods, folder / "figures") for n in tasks],
        "label": LABEL,
        "light": style,
        "dark": style.DARK,
        "palette": (*style.COLOURS, style.GREY, style.INK),
        "noise": [shift for n in tasks if (shift := _noise(results["nothing"], n))],
    }
    write(page, _render(context).encode())
    return page


def _measures(some: Result) -> list[tuple[Entry, str]]:
    """The primary metrics of the tasks and what they mean."""
    chosen = sorted({(task.primary, task.modality) for task in some.tasks.values()})
    return [(e, e.explain(modality)) for name, modality in chosen for e in entries_of([name])]


def _render(context: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    # Names, messages and texts come from others: all are escaped.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["png"] = lambda content: _uri("image/png", content)
    template = resources.files("benchmark.report").joinpath("template.html").read_text("utf-8")
    return environment.from_string(template).render(context)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _image(drawn: Mapping[str, bytes]) -> str:
    return _uri("image/svg+xml", add_dark_theme(drawn["svg"].decode()).encode())


def _versions(results: Iterable[Result]) -> dict[str, str]:
    """What the results were made with; several values where they differ."""
    results = list(results)

    def values(found: Iterable[str]) -> str:
        return "; ".join(sorted({value for value in found if value})) or "not recorded"

    dates = sorted({result.created[:10] for result in results if result.created})
    packages = (", ".join(f"{n} {v}" for n, v in sorted(r.versions.items())) for r in results)
    return {
        "Benchmark version": values(result.benchmark_version for result in results),
        "Hardware": values(result.hardware for result in results),
        "Date of the results": " to ".join(dict.fromkeys(dates[:1] + dates[-1:])) or "not recorded",
        "References": values(
            f"{name} {ORIGINS[origin]}" for r in results for name, origin in r.references.items()
        ),
        "Packages": values(packages),
    }


def _panel(results: Mapping[str, Result], task: str, entry: str, methods: list[str]) -> Panel:
    title, label = (task, title_of(entry))
    return Panel(title, label, {m: gather_curves(results[m], task, entry) for m in methods})


def _primary(
    results: Mapping[str, Result], task: str, methods: list[str], looks: Mapping[str, Style]
) -> str:
    panel = _panel(results, task, results[methods[0]].tasks[task].primary, methods)
    return _image(draw([panel], looks, ["svg"], 1, (4.6, 2.9)))


def _profile(
    results: Mapping[str, Result], methods: list[str], looks: Mapping[str, Style]
) -> dict[str, list[Card]]:
    """The cards by modality; tasks of one modality share a card and its scale."""
    some = results[methods[0]]
    found = {}
    for modality in sorted({task.modality for task in some.tasks.values()}):
        tasks = sorted(name for name, task in some.tasks.items() if task.modality == modality)
        names = set().union(*(name_measures(results[m], t) for m in methods for t in tasks))
        cards = []
        for entry in entries_of(names):
            panels = [_panel(results, task, entry.name, methods) for task in tasks]
            panels = [Panel(p.title, "", p.curves) for p in panels if not p.empty]
            drawn = draw(panels, looks, ["svg"], 2, (2.3, 1.9), shared=True)
            cards.append(Card(entry, entry.explain(modality), _image(drawn)))
        found[modality] = cards
    return found


def _store_figures(
    results: Mapping[str, Result],
    task: str,
    methods: list[str],
    looks: Mapping[str, Style],
    folder: Path,
) -> None:
    """The figures for papers, each with its legend."""
    primary = results[methods[0]].tasks[task].primary
    names = set().union(*(name_measures(results[m], task) for m in methods))
    panels = [_panel(results, task, entry.name, methods) for entry in entries_of(names)]
    panels = [Panel(p.label, "", p.curves) for p in panels]
    for kind, drawn in (
        ("primary", draw([_panel(results, task, primary, methods)], looks, ["svg", "png"], 1,
                         (5, 3.2), legend=True)),
        ("profile", draw(panels, looks, ["svg", "png"], 4, (2.6, 1.9), legend=True)),
    ):  # fmt: skip
        for form, content in drawn.items():
            write(folder / f"{file_name(kind, task)}.{form}", content)


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
