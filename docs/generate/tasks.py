"""A page a task, whose tables are the task's own fields."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from benchmark.metrics.meanings import list_metrics
from benchmark.tasks.suites import Suite, load_suite, load_task
from benchmark.tasks.task import Task
from docs.generate.pictures import write_pictures
from docs.generate.prose import (
    begin_sentence,
    escape_prose,
    flatten_fields,
    read_docstring,
    write_table,
    write_value,
)

SUITES = ("small", "closed", "stress")
SIZES = ("n", "generations", "reserve")
PARTS = {
    "data": "Data",
    "generator": "Generator",
    "evaluation": "Evaluation",
    "verifier": "Verifier",
}
LEFT_OUT = ("name", "description")  # of what differs between two tasks


def list_pages() -> dict[str, tuple[Suite, Task]]:
    """Every task that has a page, by its name."""
    return {task.name: (suite, task) for suite in map(load_suite, SUITES) for task in suite.tasks}


def write_task_list() -> str:
    """A table a suite: its tasks, with a link to each page. Links are from `tasks/`."""
    parts = []
    for suite in map(load_suite, SUITES):
        rows = [
            [f"[`{task.name}`]({task.name}.md)", task.modality, escape_prose(task.description)]
            for task in suite.tasks
        ]
        seeds = ", ".join(map(str, suite.seeds))
        head = f"### Suite `{suite.name}`\n\n{begin_sentence(suite.description)} Seeds {seeds}."
        parts.append(f"{head}\n\n{write_table(['task', 'modality', 'what it is'], rows)}")
    return "\n\n".join(parts)


def write_task_page(suite: Suite, task: Task) -> tuple[str, dict[str, bytes]]:
    """The page, and the pictures that it shows by their names beside it."""
    shown, pictures = write_pictures(task)
    meaning, schedule_fields = read_docstring(type(task.schedule))
    (primary,) = list_metrics([task.evaluation.primary])
    parts = [
        f"# `{task.name}`",
        f"{begin_sentence(task.description)}\n\n"
        f"Suite `{suite.name}`, seeds {', '.join(map(str, suite.seeds))}, modality {task.modality}."
        f" Its definition has the hash `{task.hash[:12]}`: a changed task is another task.",
        f"    autophagy run my_method.py --suite {suite.name} --tasks {task.name}",
        _what_differs(task),
        "## What it looks like",
        shown,
        "## The loop",
        write_table(
            ["field", "value", "meaning"],
            [
                ["`n`", write_value(task.n), "items in a crawl and in a publication"],
                ["`generations`", write_value(task.generations), "T, after generation 0"],
                ["`reserve`", write_value(task.reserve), "trusted real items of the era"],
                ["`foreign`", write_value(len(task.foreign)), "models of others that publish"],
                *(
                    [f"`budget.{f.name}`", f"{getattr(task.budget, f.name):g} n", "at most"]
                    for f in fields(task.budget)
                ),
                ["primary", f"`{primary.name}`", f"{primary.title}: {primary.good}"],
            ],
        ),
        f"{primary.explain(task.modality)} Recovery is measured in it.",
        f"## Schedule: `{task.schedule.name}`",
        meaning,
        _fields(task.schedule, schedule_fields),
        _composition(task),
    ]
    for name, title in PARTS.items():
        parts.append(_part(title, getattr(task, name)))
    if task.foreign:
        parts += ["## Foreign generators", _foreign(task)]
    options = [(n, getattr(task, n)) for n in ("adoption", "laundering", "reserve_bias")]
    for name, option in options:
        if option is not None:
            parts.append(
                f"## Option `{name}`\n\n{read_docstring(Task)[1][name]}"
                if isinstance(option, float)
                else _part(f"Option `{name}`", option)
            )
    parts += _in_quick(task)
    return "\n\n".join(filter(None, parts)) + "\n", pictures


def find_differences(task: Task, other: Task) -> list[tuple[str, Any, Any]]:
    """(field, its value in `task`, in `other`) where they differ; a field that one lacks is None
    there."""
    one, two = flatten_fields(task), flatten_fields(other)
    names = [name for name in one | two if name not in LEFT_OUT]
    return [(n, one.get(n), two.get(n)) for n in names if one.get(n) != two.get(n)]


def _what_differs(task: Task) -> str:
    """Against the standard task of the same data, if it is not that itself."""
    family = task.name.partition("-")[0]
    base = load_task(f"{family}-web", "small")
    if base.name == task.name:
        return ""
    rows = find_differences(task, base)
    link = f"[`{base.name}`]({base.name}.md)"
    shown = [[f"`{name}`", write_value(here), write_value(there)] for name, here, there in rows]
    table = write_table(["field", "here", f"in {link}"], shown)
    return f"## What differs from {link}\n\n{table}\n\nAll else is the same."


def _composition(task: Task) -> str:
    """How many items of a crawl are whose."""
    rows = []
    for t in range(1, task.generations + 1):
        counts = dict.fromkeys(("real", "own", "foreign"), 0)
        for draw in task.schedule.draws(t, task.n):
            (kind,) = {maker.kind for maker in draw.makers}
            counts[kind] += draw.count
        rows.append([str(t), *(write_value(count) for count in counts.values())])
    heads = ["crawl t", "real", "of the lineage's own models", "of foreign models"]
    return f"{write_table(heads, rows)}\n\nCrawl 0 is real."


def _part(title: str, recipe: Any) -> str:
    if recipe is None:
        return ""
    said, meanings = read_docstring(type(recipe))
    return f"## {title}: `{type(recipe).__name__}`\n\n{said}\n\n{_fields(recipe, meanings)}"


def _fields(recipe: Any, meanings: dict[str, str]) -> str:
    named = [(field.name, write_value(getattr(recipe, field.name))) for field in fields(recipe)]
    if not named:
        return ""
    if not any(name in meanings for name, _ in named):
        return write_table(["field", "value"], [[f"`{name}`", value] for name, value in named])
    rows = [[f"`{name}`", value, meanings.get(name, "")] for name, value in named]
    return write_table(["field", "value", "meaning"], rows)


def _foreign(task: Task) -> str:
    """What each has other than the lineage's own generator."""
    rows = []
    own = flatten_fields(task.generator, "generator")
    every = getattr(task.schedule, "every", 0)
    for i, recipe in enumerate(task.foreign):
        other = flatten_fields(recipe, "generator")
        changed = [
            f"`{name.partition('.')[2]}` {write_value(value)}"
            for name, value in other.items()
            if value != own.get(name)
        ]
        rows.append([str(i + 1), f"t = {i * every}", ", ".join(changed)])
    table = write_table(["model", "released at", "other than the own generator"], rows)
    return (
        "Trained once on real items of their era; they publish from their release on, and never "
        f"mitigate.\n\n{table}"
    )


def _in_quick(task: Task) -> list[str]:
    """What is other in suite `quick`."""
    suite = load_suite("quick")
    found = [other for other in suite.tasks if other.name == task.name]
    if not found:
        return []
    rows = [
        [f"`{name}`", write_value(here), write_value(there)]
        for name, here, there in find_differences(task, found[0])
        if not name.startswith("foreign")
    ]
    return [
        "## In suite `quick`",
        "The same way of the world and of the crawl in fewer, longer strides, and one seed:",
        write_table(["field", "here", "in `quick`"], rows),
    ]
