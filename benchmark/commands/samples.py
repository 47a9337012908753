"""`autophagy samples`: what the generations of a run published, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import InputError
from benchmark.commands.tables import number, open_console, sheet
from benchmark.interface.find import find_method
from benchmark.report.figures import save_picture_grid
from benchmark.report.samples import show_lineage
from benchmark.results.gallery import Shown
from benchmark.results.schema import load_result
from benchmark.results.standings import list_seeds
from benchmark.runs.jobs import Job, plan
from benchmark.tasks.suites import load_suite, load_task


def samples(
    methods: Annotated[list[str], typer.Argument(help="Methods that were run, as given to run.")],
    task: Annotated[
        str | None, typer.Option(help="Task to show. Default: the suite's first.")
    ] = None,
    suite: Annotated[
        str, typer.Option(help="quick, small, closed, stress, standard or large.")
    ] = "quick",
    seed: Annotated[int, typer.Option(help="Lineage to show.")] = 0,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs"),
    to: Annotated[Path, typer.Option(help="Figure to write (images).")] = Path("samples.png"),
) -> None:
    """Show samples by generation: pictures as a figure, texts on the terminal."""
    chosen = load_task(task, suite) if task is not None else load_suite(suite).tasks[0]
    task = chosen.name
    jobs = plan([find_method(m) for m in methods], suite, [chosen], [seed], out)
    found: dict[str, Shown] = {}
    for job in jobs:
        name = job.method.name
        if not job.finished():
            raise InputError(
                f"{name} was not run on {task}, seed {seed}, in {out}{_list_run(job, task)}: "
                f"autophagy run {name} --suite {suite} --seeds {seed} --out {out}"
            )
        shown = show_lineage(chosen, job.folder, seed)
        if shown is None:
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


def _list_run(job: Job, task: str) -> str:
    """Which seeds were run there instead, as a clause; "" if that is not known."""
    file = job.folder.parents[2] / f"{job.method.name}.json"
    if not file.is_file():
        return ""
    result = load_result(file)
    seeds = list_seeds(result, task) if task in result.tasks else []
    return f" (but with seed {', '.join(map(str, seeds))})" if seeds else ""
