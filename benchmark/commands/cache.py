"""`autophagy cache`: what a run's folder holds, and how to get room."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from benchmark.basics.errors import InputError
from benchmark.commands.terminal import Terminal

DAY = 86_400
Out = Annotated[Path, typer.Option(help="The run's folder.")]

cache = typer.Typer(help="Show or prune what runs keep on disk.", no_args_is_help=True)


@cache.command()
def show(out: Out = Path("runs")) -> None:
    """List the shared cache by kind, and the samples and models of lineages by method."""
    from benchmark.lineage.cache import FolderCache

    _check(out)
    entries = FolderCache(out / "cache").entries()
    sheet = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("what", "files", "MB", "last used"):
        sheet.add_column(heading, justify="left" if heading == "what" else "right")
    for kind in sorted({entry.kind for entry in entries}):
        paths = [entry.path for entry in entries if entry.kind == kind]
        sheet.add_row(f"shared: {kind}", *_summary(paths))
    for folder in sorted(out.glob("*/lineages/*")):
        paths = list(folder.glob("*/*.safetensors"))
        suite, method = folder.parts[-3], folder.name
        sheet.add_row(f"{suite}: samples and models of {method}", *_summary(paths))
    Terminal().print(sheet)


@cache.command()
def prune(
    out: Out = Path("runs"),
    unused_days: Annotated[
        float | None, typer.Option(help="Delete shared entries unused for so long.", min=0)
    ] = None,
    keep_mb: Annotated[
        int | None, typer.Option(help="Delete the longest unused until so much is left.", min=0)
    ] = None,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples", help="Delete the samples and models of lineages that are in a result."
        ),
    ] = False,
) -> None:
    """Make room. Results and records stay, and what was deleted is computed again when needed;
    pictures of a lineage need its samples."""
    from benchmark.lineage.cache import FolderCache

    _check(out)
    if unused_days is None and keep_mb is None and not samples:
        raise InputError("say what to delete: --unused-days, --keep-mb or --samples")
    freed = 0
    if unused_days is not None or keep_mb is not None:
        since = 0.0 if unused_days is None else time.time() - unused_days * DAY
        keep = None if keep_mb is None else keep_mb * 10**6
        freed += sum(entry.size for entry in FolderCache(out / "cache").prune(since, keep))
    if samples:
        for path in _spent(out):
            freed += path.stat().st_size
            path.unlink()
    print(f"Freed {freed / 1e6:.1f} MB in {out}")


def _check(out: Path) -> None:
    if not out.is_dir():
        raise InputError(f"there is no folder {out}: give the run's --out")


def _summary(paths: Iterable[Path]) -> tuple[str, str, str]:
    found = [path.stat() for path in paths]
    if not found:
        return "0", "0.0", "-"
    used = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(s.st_mtime for s in found)))
    return str(len(found)), f"{sum(s.st_size for s in found) / 1e6:.1f}", used


def _spent(out: Path) -> Iterator[Path]:
    """The tensors of lineages that a result beside them has: no run reads them again."""
    from benchmark.results.schema import load_result
    from benchmark.run.jobs import lineage_folder

    for file in sorted(out.glob("*/*.json")):
        result = load_result(file)
        for name, task in result.tasks.items():
            for lineage in task.lineages:
                folder = lineage_folder(
                    out, result.suite, result.method.name, name, lineage.seed, task.hash,
                    result.method.source,
                )  # fmt: skip
                yield from folder.glob("*.safetensors")
