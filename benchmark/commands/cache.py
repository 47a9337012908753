"""`autophagy cache`: what a run's folder holds, and how to get room."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest_path
from benchmark.commands.tables import number, open_console, sheet
from benchmark.runs.jobs import COMPILED, find_spent

DAY = 86_400
Out = Annotated[Path, typer.Option(help="The run's folder.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def cache() -> None:
    """Show or prune what runs keep on disk."""


@app.command()
def show(out: Out = Path("runs")) -> None:
    """List the shared cache by kind, and the samples and models of lineages by method."""
    _check(out)
    rows = []
    for run in _find_runs(out):
        on = "" if run == out else f"{run.name}, "
        entries = FolderCache(run / "cache").entries()
        for kind in sorted({entry.kind for entry in entries}):
            paths = (entry.path for entry in entries if entry.kind == kind)
            rows.append((f"{on}shared: {kind}", *_summary(paths)))
        if compiled := [p for p in (run / "cache" / COMPILED).rglob("*") if p.is_file()]:
            rows.append((f"{on}shared: {COMPILED} code", *_summary(compiled)))
        for folder in sorted(run.glob("*/lineages/*")):
            suite, method = folder.parts[-3], folder.name
            what = f"{on}{suite}: samples and models of {method}"
            rows.append((what, *_summary(folder.glob("*/*.safetensors"))))
    headings = map(number, ("files", "MB", "last used"))
    open_console().print(sheet(["what", *headings], rows))


@app.command()
def prune(
    out: Out = Path("runs"),
    unused_days: Annotated[
        float | None, typer.Option(help="Delete shared entries unused for so long.", min=0)
    ] = None,
    keep_mb: Annotated[
        int | None,
        typer.Option(help="Delete the longest unused until so much is left, per device.", min=0),
    ] = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples", help="Delete the samples and models of lineages that are in a result."
        ),
    ] = False,
) -> None:
    """Make room. Results and records stay, and what was deleted is computed again when needed;
    pictures of a lineage need its samples. Code compiled for a GPU stays."""
    _check(out)
    if unused_days is None and keep_mb is None and not samples:
        raise InputError("say what to delete: --unused-days, --keep-mb or --samples")
    freed: list[int] = []
    try:
        for run in _find_runs(out):
            if unused_days is not None or keep_mb is not None:
                since = 0.0 if unused_days is None else time.time() - unused_days * DAY
                keep = None if keep_mb is None else keep_mb * 10**6
                shared = FolderCache(run / "cache")
                shared.prune(since, keep, lambda entry: freed.append(entry.size))
            if samples:
                for path in find_spent(run):
                    size = path.stat().st_size
                    path.unlink()
                    freed.append(size)
    finally:  # what is gone is gone, though something else may not be deleted
        print(f"Freed {sum(freed) / 1e6:.1f} MB in {out}")


def _check(out: Path) -> None:
    if not out.is_dir():
        raise InputError(f"there is no folder {out}{ask_nearest_path(out)}: give the run's --out")


def _find_runs(out: Path) -> list[Path]:
    """`out` and, if it is there, the folder in it of what was computed on a GPU."""
    return [run for run in (out, out / "cuda") if run.is_dir()]


def _summary(paths: Iterable[Path]) -> tuple[str, str, str]:
    found = [path.stat() for path in paths]
    if not found:
        return "0", "0.0", "-"
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(s.st_mtime for s in found)))
    return str(len(found)), f"{sum(s.st_size for s in found) / 1e6:.1f}", used
