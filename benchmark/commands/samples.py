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
from benchmark.runs.jobs import plan
from benchmark.tasks.suites import load_task


def samples(
    methods: Annotated[list[str], typer.Argument(help="Methods that were run, as given to run.")],
    task: Annotated[str, typer.Option(help="Task to show.")] = "digits-replace",
    suite: Annotated[str, typer.Option(help="quick, small, stress, standard or large.")] = "quick",
    seed: Annotated[int, typer.Option(help="Lineage to show.")] = 0,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs"),
    to: Annotated[Path, typer.Option(help="Figure to write (images).")] = Path("samples.png"),
) -> None:
    """Show samples by generation: pictures as a figure, texts on the terminal."""
    chosen = load_task(task, suite)
    jobs = plan([find_method(m) for m in methods], suite, [chosen], [seed], out)
    found: dict[str, Shown] = {}
    for job in jobs:
        name = job.method.name
        if not job.finished():
            raise InputError(
                f"{name} was not run on {task}, seed {seed}, in {out}: "
                f"autophagy run {name} --suite {suite} --out {out}"
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
