"""`autophagy verify`: a submission run again, by somebody else, on other seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmark.basics.errors import InputError
from benchmark.commands.progress import Watcher
from benchmark.commands.queue import Endpoint
from benchmark.commands.rescore import By, Findings
from benchmark.commands.run import parse_seeds
from benchmark.commands.stored import STORED
from benchmark.commands.tables import open_console, say
from benchmark.commands.terminal import Terminal
from benchmark.hub.connection import check_target
from benchmark.hub.queue import send_comment
from benchmark.hub.trouble import Purpose
from benchmark.submission.review import review_request
from benchmark.submission.verify import recall_disagreement, record_verification, verify_claim


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(help="The submission, such as submissions/NAME, or a baseline's name."),
    ] = None,
    result: Annotated[Path | None, typer.Option(help="The claim: results/SUITE/NAME.json.")] = None,
    from_pr: Annotated[
        int | None, typer.Option(help="Instead: what this pull request brings.", min=1)
    ] = None,
    repo: Annotated[
        str | None, typer.Option(help="The results dataset of that request: ORG/RESULTS.")
    ] = None,
    comment: Annotated[
        bool, typer.Option("--comment", help="Write what was found below the pull request.")
    ] = False,
    same_author: Annotated[
        bool,
        typer.Option(
            "--same-author",
            help="With --from-pr: it is of the author of the entry of that name in the dataset.",
        ),
    ] = False,
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Of an earlier record, not below 2^32. Default: three drawn now, and recorded."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for the runs and the drawn seeds of one that was stopped.")
    ] = Path("verify-runs"),
    workers: Annotated[
        int | None, typer.Option(help="Processes at a time. Default: one a core.", min=1)
    ] = None,
    reject: Annotated[
        bool, typer.Option("--reject", help="If it does not agree, reject the entry for good.")
    ] = False,
    findings: Findings = None,
    by: By = None,
    endpoint: Endpoint = None,
) -> None:
    """Run a submission again in the sandbox on seeds that are not public, and compare.

    Writes a record into verified/ beside the result, which replaces none of an earlier re-run. If
    the scores agree within the 95% interval of their difference, by 0.15 at most, or within 0.02,
    the access granted is what card and claim say and no cost is claimed too low, the entry's state
    becomes `re-run` and the board shows the re-run's score; else the status is 1. Run the same
    command again to go on after an interruption. What was rejected is not run: --reject is final,
    so objections come before it; where an earlier re-run of this result did not agree, it follows
    from that one's record, unless --seeds ask for further ones.

    With --from-pr it is fetched from the pull request and re-scored first; findings are then
    written into leaderboard/ unless --findings names another folder, and the comment for its
    author is printed, or with --comment posted. What was found and is not posted yet is then
    posted, and nothing is run again. The name of an entry that the dataset has is refused unless
    you have made sure that it is of the same author, and say so with --same-author. Method and
    result are not given with --from-pr.
    """
    console, watch = open_console(), lambda jobs: Watcher(jobs, console)
    if from_pr is not None:
        if repo is None or folder is not None or result is not None:
            raise InputError("--from-pr takes --repo ORG/RESULTS, and neither folder nor --result")
        check_target(Purpose(repo), endpoint)
        review = review_request(
            from_pr, repo, out, findings or STORED, parse_seeds(seeds), workers, watch, by,
            reject, same_author, comment, endpoint, console.print,
        )  # fmt: skip
        _tell(console, review.comment, from_pr, repo, comment, endpoint)
        if comment and review.kept is not None:
            review.kept.unlink(missing_ok=True)
        if not review.agrees:
            raise typer.Exit(1)
        return
    if folder is None or result is None:
        raise InputError(
            "give a submission and its --result, or --from-pr N and --repo ORG/RESULTS"
        )
    known = recall_disagreement(result, findings) if reject and seeds is None else None
    found = known or verify_claim(
        folder, result, out, parse_seeds(seeds), workers, watch, findings, by
    )
    # All of it is kept before a word is printed, which may fail.
    record_verification(result, found, reject, findings, by)
    found.forget_seeds()
    say(console, f"Suite score {found.sentence}")
    say(console, f"Record: {found.record}")
    if found.agrees:
        console.print("It agrees: the entry is re-run.")
        return
    console.print("It does not agree.")
    raise typer.Exit(1)


def _tell(
    console: Terminal, text: str, num: int, repo: str, comment: bool, endpoint: str | None
) -> None:
    """Print the comment for the pull request, and post it if that is asked for."""
    say(console, text)
    if comment:
        url = send_comment(repo, num, text, endpoint, console.print)
        say(console, f"Commented: {url}")
    else:
        console.print("Nothing was posted; the same command with --comment posts this.")
