"""`autophagy samples`: what the generations of a run published, side by side."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import InputError
from benchmark.commands.tables import number, open_console, sheet
from benchmark.interface.find import find_method
from benchmark.lineage.store import LineageFolder
from benchmark.report.figures import save_picture_grid
from benchmark.report.samples import show_lineage
from benchmark.results.gallery import Shown
from benchmark.results.schema import load_result
from benchmark.results.standings import list_seeds
from benchmark.runs.jobs import Job, plan
from benchmark.tasks.suites import SUITE_NAMES, load_suite, load_task


def samples(
    methods: Annotated[list[str], typer.Argument(help="Methods that were run, as given to run.")],
    task: Annotated[
        str | None, typer.Option(help="Task to show. Default: the suite's first.")
    ] = None,
    suite: Annotated[str, typer.Option(help=f"{', '.join(SUITE_NAMES)}.")] = "quick",
    seed: Annotated[int, typer.Option(help="Lineage to show.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs"),
    to: Annotated[Path, typer.Option(help="Figure to write (images).")] = Path("samples.png"),
) -> None:
    """Show samples by generation: pictures as a figure, texts on the terminal."""
    chosen = load_task(task, suite) if task is not None else load_suite(suite).tasks[0]
    task = chosen.name
    jobs = plan([find_method(m) for m in methods], suite, [chosen], [seed], out)
    found: dict[str, Shown] = {}
    for given, job in zip(methods, jobs, strict=True):
        name = job.method.name
        if not job.finished():
            raise InputError(
                f"{name} {_say_absence(job, given, out)}: autophagy run {shlex.quote(given)} "
                f"--suite {suite} --seeds {seed} --out {shlex.quote(str(out))}"
            )
        shown = show_lineage(chosen, job.folder, seed)
        if shown is None:
            first = LineageFolder(job.folder).record(0)
            if first is not None and first["status"] != "ok":
                raise InputError(
                    f"{name} on {task}, seed {seed}, published nothing: {first.get('message', '')}"
                )
            raise InputError(
                f"the samples of {name} on {task}, seed {seed}, were pruned: delete {job.folder} "
                f"and run it again"
            )
        found[name] = shown
    if pictures := {name: shown for name, shown in found.items() if shown.png}:
        title = f"{task}, suite {suite}, seed {seed}: samples by generation"
        save_picture_grid(pictures, to, title)
        print(f"Figure: {to}")
    console = open_console()
    for name, texts in ((name, shown.texts) for name, shown in found.items() if shown.texts):
        rows = [(str(t), text) for t, text in texts.items()]
        title = f"{name} on {task}, seed {seed}"
        console.print(sheet([number("generation"), "first sample"], rows, title))


def _say_absence(job: Job, given: str, out: Path) -> str:
    """What was run instead of a lineage that is not there, as far as a result says so."""
    task, asked = job.task.name, f"on {job.task.name}, seed {job.seed}, in {out}"
    file = job.folder.parents[2] / f"{job.method.name}.json"
    result = load_result(file) if file.is_file() else None
    seeds = list_seeds(result, task) if result is not None and task in result.tasks else []
    if result is None or job.seed not in seeds:
        others = f" (only seed {', '.join(map(str, seeds))} was)" if seeds else ""
        return f"was not run {asked}{others}"
    if result.method.source != job.method.source:
        return f"was run {asked} by another version of {given}"
    if result.tasks[task].hash != job.task.hash:
        return f"was run {asked} on another version of the task"
    return f"was run {asked}, but its samples were deleted"
