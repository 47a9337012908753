"""`autophagy run`: mitigations and their references on a suite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.commands.run_table import run_table
from benchmark.commands.tables import open_console, say
from benchmark.interface.names import REFERENCES, find_baselines
from benchmark.tasks.suites import SUITE_NAMES


def run(
    methods: Annotated[
        list[str], typer.Argument(help="Baselines by name, or files: my_method.py[:Class].")
    ],
    suite: Annotated[str, typer.Option(help=f"{', '.join(SUITE_NAMES)}.")] = "quick",
    tasks: Annotated[str | None, typer.Option(help="Only tasks matching this glob.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Such as 0,1,2. Default: the suite's.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes at a time. Default: one a usable core, up to 4 on a GPU.", min=1
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for results, lineages and cache; on a cluster one that every node sees."
        ),
    ] = Path("runs"),
    own_references: Annotated[
        bool,
        typer.Option("--own-references", help="Run nothing and clean here, too."),
    ] = False,
    backend: Annotated[str, typer.Option(help="local, or ray: tasks of a Ray cluster.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster. Default: one started here.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="cpu, or cuda: models on a GPU; all its files lie in OUT/cuda.")
    ] = "cpu",
    gpus_per_lineage: Annotated[
        float | None, typer.Option(help="Share of a GPU for a Ray task, such as 0.25.", min=0)
    ] = None,
    ranks: Annotated[
        int,
        typer.Option(help="Processes, each with a GPU, that train one lineage: large.", min=1),
    ] = 1,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Local copies of the Hub's repositories, as prefetch makes them."),
    ] = None,
    isolated: Annotated[
        bool,
        typer.Option("--isolated", help="Run hooks in a sandbox (Linux, needs bubblewrap)."),
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(help="Such as 2/8: the second of eight parts, all under one --out."),
    ] = None,
) -> None:
    """Run mitigations on a suite and compare them with the references nothing and clean.

    Run the same command again to go on after an interruption. Exits with status 1 if a lineage
    failed or diverged, a file does not import or a process was killed; everything that could be
    computed is written first.
    """
    console = open_console()
    with console.working("Loading torch and the tasks"):
        # Not above: the help of the command that all begin with should not wait for torch.
        from benchmark.commands.progress import Watcher
        from benchmark.hub.copies import use_data_dir
        from benchmark.runs import grid
        from benchmark.runs.jobs import Job
        from benchmark.tasks.training.graphs import find_lack

    use_data_dir(data_dir)
    part = parse_shard(shard)

    def watch(jobs: list[Job]) -> Watcher:
        compiles = any(getattr(job.task.generator, "compiled", False) for job in jobs)
        lack = find_lack() if device == "cuda" and backend == "local" and compiles else ""
        if lack:
            say(console, f"Not compiled for the GPU, about half as fast: Triton needs {lack}.")
        return Watcher(jobs, console)

    results = grid.run(
        list(methods),
        suite=suite,
        tasks=tasks,
        seeds=parse_seeds(seeds),
        workers=workers,
        out=out,
        own_references=own_references,
        backend=backend,
        address=address,
        device=device,
        gpus_per_lineage=gpus_per_lineage,
        ranks=ranks,
        isolated=isolated,
        shard=part,
        watch=watch,
    )
    folder = out if device == "cpu" else out / device
    if part is not None and not all_there(methods, results):
        say(console, f"Part {shard} is done. Run the other parts, then the same without --shard.")
        return
    for name in results:
        say(console, f"Result: {folder / suite / name}.json")
    console.print(run_table(results))
    failures = [sentence for result in results.values() for sentence in result.failures]
    if failures:
        raise AutophagyError("\n".join(failures))


def all_there(methods: list[str], results: Mapping[str, object]) -> bool:
    """Whether every method, however it is spelt, and both references have a result."""
    known = find_baselines()
    meant = {Path(known.get(name, name)).resolve() for name in (*methods, *REFERENCES)}
    return len(results) >= len(meant)


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """`--shard` as its two numbers. Raises InputError if it is something else."""
    if text is None:
        return None
    part, of, count = text.partition("/")
    # Python reads no number of thousands of digits.
    if not (of and part.isdecimal() and count.isdecimal() and len(text) <= 20):
        raise InputError(f"--shard takes one part of several, such as 2/8; got {text[:40]!r}")
    return int(part), int(count)


def parse_seeds(text: str | None) -> list[int] | None:
    """`--seeds` as numbers. Raises InputError if it is something else."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(f"--seeds takes numbers such as 0,1,2; got {text!r}") from error
