"""`autophagy queue`: the pull requests that wait for a maintainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmark.commands.stored import STORED
from benchmark.commands.tables import Column, number, open_console, say, sheet, word
from benchmark.hub.connection import check_target
from benchmark.hub.trouble import Purpose

Repo = Annotated[str, typer.Option(help="The results dataset: ORG/RESULTS.")]
Endpoint = Annotated[
    str | None, typer.Option(help="Of the Hub. Default: HF_ENDPOINT or huggingface.co.")
]


def queue(
    repo: Repo,
    findings: Annotated[
        Path | None,
        typer.Option(help="The maintainers' folder for findings; default: leaderboard/."),
    ] = None,
    endpoint: Endpoint = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List the open pull requests of the results dataset: how far each got, what is next, and
    which entry that is in the dataset already it would replace.

    Method, card and result of each are fetched and read; nothing is run or changed.
    """
    check_target(Purpose(repo), endpoint)
    console = open_console(stderr=as_json)
    with console.working(f"Reading the pull requests of {repo}"):
        from benchmark.submission.waiting import find_age, list_waiting

        found = list_waiting(repo, findings or STORED, endpoint, say=console.print)
    if as_json:
        print(json.dumps([
            {
                "num": w.request.num, "url": w.request.url, "author": w.request.author,
                "created": w.request.created.isoformat(), "method": w.method,
                "state": w.state, "reason": w.reason, "next": w.next,
            }
            for w in found
        ], indent=1))  # fmt: skip
        return
    if not found:
        say(console, f"No pull request of {repo} is open.")
        return
    rows = [
        (
            str(waiting.request.num),
            waiting.method,
            waiting.request.author,
            format_age(find_age(waiting.request.created).days),
            waiting.state,
            waiting.reason or "nobody has looked at it yet",
        )
        for waiting in found
    ]
    before = (number("pr"), Column("method"), Column("author"), number("age"))
    columns = [*before, word("state"), Column("what is known")]
    console.print(sheet(columns, rows, f"Open pull requests of {repo}"))
    console.print("Next:")
    for waiting in found:
        say(console, f"  {waiting.request.num}: {waiting.next}")


def format_age(days: int) -> str:
    """Such as "3 days"."""
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''}"
