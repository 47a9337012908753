"""`autophagy prefetch`: downloads and checks what a suite needs, before a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import cannot_write
from benchmark.commands.tables import number, open_console, sheet
from benchmark.hub.copies import use_data_dir
from benchmark.hub.prefetch import Needed, download_needed, list_needed
from benchmark.hub.repos import list_repos
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import check_data


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
    tasks = load_suite(suite).tasks
    repos = list_repos(tasks)
    check_data(tasks)
    if not repos:
        print(f"Suite {suite} needs nothing from the Hub: its data come with installed packages.")
        return
    if data_dir is not None:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(data_dir, error) from error
    use_data_dir(data_dir)
    files = list_needed(repos)
    rows = [
        (file.repo.name, file.path, _mb([file]), "here, checked" if file.here else "to download")
        for file in files
    ]
    open_console().print(sheet(["repository", "file", number("MB"), "state"], rows))
    left = [file for file in files if not file.here]
    if left:
        print(f"Downloading {len(left)} of {len(files)} files, {_mb(left)} MB.")
        download_needed(left)
    print(f"All that suite {suite} needs is here and checked: {_mb(files)} MB.")


def _mb(files: Iterable[Needed]) -> str:
    return f"{sum(file.size for file in files) / 1e6:,.1f}"
