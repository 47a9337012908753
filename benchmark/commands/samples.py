"""`autophagy samples`: what the generations of a run published, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmark.basics.errors import InputError
from benchmark.commands.terminal import Terminal


def samples(
    methods: Annotated[list[str], typer.Argument(help="Methods that were run, as given to run.")],
    task: Annotated[str, typer.Option(help="Task to show.")] = "digits-replace",
    suite: Annotated[str, typer.Option(help="quick, small, stress, standard or large.")] = "quick",
    seed: Annotated[int, typer.Option(help="Lineage to show.")] = 0,
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs"),
    label: Annotated[int | None, typer.Option(help="Images: only this class.")] = None,
    to: Annotated[Path, typer.Option(help="Figure to write (images).")] = Path("samples.png"),
) -> None:
    """Show samples by generation: images as a figure, text on the terminal."""
    from benchmark.interface.find import find_method
    from benchmark.interface.items import Items
    from benchmark.report.published import published
    from benchmark.run.jobs import plan
    from benchmark.tasks.images.shown import excerpts, save_image_grid
    from benchmark.tasks.suites import load_task
    from benchmark.tasks.text.language import LanguageModelling

    chosen = load_task(task, suite)
    jobs = plan([find_method(m) for m in methods], suite, [chosen], [seed], out)
    found: dict[str, dict[int, Items]] = {}
    for job in jobs:
        name = job.method.name
        if not job.finished():
            raise InputError(
                f"{name} was not run on {task}, seed {seed}, in {out}: "
                f"autophagy run {name} --suite {suite} --out {out}"
            )
        found[name] = published(job.folder, chosen.generations)
        if not found[name]:
            raise InputError(
                f"the samples of {name} on {task}, seed {seed}, were pruned: delete {job.folder} "
                f"and run it again"
            )
    if chosen.modality == "image":
        known = {int(i) for of in found.values() for items in of.values() for i in items["label"]}
        if label is not None and label not in known:
            classes = ", ".join(map(str, sorted(known)))
            raise InputError(f"--label {label} is no class of {task}: it has {classes}")
        title = f"{task}, suite {suite}, seed {seed}: samples by generation"
        save_image_grid(found, to, title, label=label)
        print(f"Figure: {to}")
        return
    generator = chosen.generator.build()
    assert isinstance(generator, LanguageModelling)
    console = Terminal()
    for name, generations_of in found.items():
        sheet = Table(title=f"{name} on {task}, seed {seed}", title_justify="left")
        sheet.add_column("generation", justify="right")
        sheet.add_column("first samples")
        for t, items in generations_of.items():
            texts = excerpts(generator.publisher.text(items.take(slice(0, 2))), 160)
            sheet.add_row(str(t), "\n".join(texts))
        console.print(sheet)
