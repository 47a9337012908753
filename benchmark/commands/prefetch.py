"""`autophagy prefetch`: downloads and checks what a suite needs, before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from benchmark.basics.errors import InputError
from benchmark.commands.terminal import Terminal


def prefetch(
    suite: Annotated[str, typer.Option(help="The suite to be run.")] = "standard",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder for copies in the Hub's layout. Default: the Hub's own cache."),
    ] = None,
) -> None:
    """Download and check all that a suite needs from the Hugging Face Hub.

    Run the same command again to go on after an interruption, or to check what is there.
    """
    from benchmark.hub.copies import use_data_dir
    from benchmark.hub.repos import repos_of
    from benchmark.tasks.suites import load_suite

    repos = repos_of(load_suite(suite).tasks)
    if not repos:
        print(f"Suite {suite} needs nothing from the Hub: its data come with installed packages.")
        return
    from benchmark.hub.prefetch import Needed, download, needed

    if data_dir is not None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {data_dir}: {error.strerror}") from error
    use_data_dir(data_dir)
    console = Terminal()
    files = needed(repos)
    here = {file: file.is_here() for file in files}
    sheet = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    sheet.add_column("repository")
    sheet.add_column("file", overflow="fold")
    sheet.add_column("MB", justify="right")
    sheet.add_column("state")
    for file in files:
        state = "here, checked" if here[file] else "to download"
        sheet.add_row(file.repo.name, file.path, _mb([file]), state)
    console.print(sheet)
    left: list[Needed] = [file for file in files if not here[file]]
    if left:
        print(f"Downloading {len(left)} of {len(files)} files, {_mb(left)} MB.")
        download(left)
    print(f"All that suite {suite} needs is here and checked: {_mb(files)} MB.")


def _mb(files: list) -> str:
    return f"{sum(file.size for file in files) / 1e6:,.1f}"
