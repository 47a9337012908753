"""One pull request checked from end to end: fetched, re-scored, run again, and told about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.basics.errors import DoesNotLoad, InputError
from benchmark.basics.files import read_record, write_record
from benchmark.basics.plain import escape_markdown, quote_code
from benchmark.hub.queue import Say, UnfitRequest, find_changes
from benchmark.runs.jobs import Job
from benchmark.submission.incoming import Brought, fetch_brought, find_brought, read_brought
from benchmark.submission.record import check_open, find_checker, record_state
from benchmark.submission.rescore import (
    RescoredLineage,
    describe_agreement,
    refuse_gpu,
    rescore_claim,
)
from benchmark.submission.verify import (
    Verification,
    recall_disagreement,
    record_verification,
    verify_claim,
)
from benchmark.submission.waiting import clean_reason


@dataclass(frozen=True)
class Review:
    """What a maintainer found out about a pull request.

    Attributes:
        agrees: whether it may be merged.
        comment: in markdown, for its page.
        kept: the file that holds this, to be deleted once it is posted; None where nothing was
            computed that could be lost.
    """

    agrees: bool
    comment: str
    kept: Path | None = None


def review_request(
    num: int,
    repo: str,
    out: Path,
    findings: Path,
    seeds: Sequence[int] | None = None,
    workers: int | None = None,
    watch: Callable[[list[Job]], AbstractContextManager[object]] = lambda jobs: nullcontext(),
    by: str | None = None,
    reject: bool = False,
    same_author: bool = False,
    unposted: bool = False,
    endpoint: str | None = None,
    say: Say = lambda text: None,
) -> Review:
    """Fetch what the pull request brings, recompute its numbers, run it again on other seeds.

    A step that does not agree is the last. What is found is written into `findings`; what the
    pull request brings there itself is not even fetched.

    Args:
        out: for the files and the runs; what is finished there is not run again.
        seeds, workers, watch, by: see `verify_claim`.
        reject: record it as rejected if it does not agree, which is final for this result.
        same_author: a maintainer has made sure that who sent this is the author of the entry of
            this name that the dataset has already; without it such a name is refused.
        unposted: give what this found before at the same commit, with the same seeds and `reject`,
            if it is still kept; then nothing is fetched or run.

    Raises:
        InputError: the Hub cannot be asked, there is no such request or no sandbox, or a GPU
            computed the claim.
        CorruptFile: a file in `out` or a stored finding is damaged.
    """
    changes = find_changes(repo, num, endpoint, say)
    folder = out / f"pr-{num}-{changes.revision[:12]}"
    kept = folder.with_name(f"{folder.name}.json")
    asked = {"seeds": None if seeds is None else list(seeds), "reject": reject}
    try:
        brought = find_brought(changes)
        if brought.taken and not same_author:
            raise UnfitRequest(
                f"{brought.taken}; the name of somebody else's entry is refused: if it is yours, "
                f"say so below, else choose another"
            )
        if unposted and kept.exists() and (known := read_record(kept))["asked"] == asked:
            return Review(known["agrees"], known["comment"], kept)
        fetch_brought(brought, repo, folder, False, endpoint, say)
        result = read_brought(brought, folder)
    except UnfitRequest as error:
        return _refuse(changes.revision, error, folder)
    file = brought.result_in(folder)
    try:
        check_open(file, findings)
    except InputError as error:
        return _refuse(changes.revision, error, folder)
    doubted = recall_disagreement(file, findings) if reject and seeds is None else None
    if doubted is not None:  # the author had two weeks to object to it: no other seeds now
        words = [_heading(brought), f"**Run again** before: {escape_markdown(doubted.sentence)}."]
        record_verification(file, doubted, reject, findings, by)
        return _keep(kept, asked, False, _close(words, _verdict(doubted, reject), by))
    refuse_gpu(result)  # before gigabytes of samples are fetched
    count, size = len(brought.samples), brought.find_size(changes) / 1e6
    say(f"Fetching {brought.title}, {count} files of samples and models, {size:,.0f} MB in all")
    fetch_brought(brought, repo, folder, True, endpoint, say)
    say(f"Re-scoring {brought.title} at {changes.revision[:12]}")
    samples = brought.samples_in(folder)
    rows = rescore_claim(result, samples, say) if brought.samples else []
    sound = bool(rows) and all(row.agrees for row in rows)
    words = [_heading(brought), _rescored(rows, folder), *_notes(brought)]
    if not sound:
        if reject:
            lost = "; ".join(f"{row.task}, seed {row.seed}" for row in rows if not row.agrees)
            said = f"its samples do not give its numbers: {lost or 'nothing was published'}"
            record_state(file, "rejected", said, findings, by)
        verdict = "It does not agree, so it was not run again."
        return _keep(kept, asked, False, _close(words, f"{verdict}{_final(reject)}", by))
    record_state(file, "re-scored", describe_agreement(result, file, rows), findings, by)
    say(f"Running {result.method.name} again in the sandbox")
    own, runs = brought.submission_in(folder), out / f"runs-{num}"
    try:
        found = verify_claim(own, file, runs, seeds, workers, watch, findings, by)
    except DoesNotLoad as error:
        words.append(f"**Not run again**: {escape_markdown(clean_reason(str(error), folder))}.")
        verdict = "It does not load here: mend it and send it again."
        return _keep(kept, asked, False, _close(words, verdict, by))
    words.append(f"**Run again** in a sandbox: {escape_markdown(found.sentence)}.")
    record_verification(file, found, reject, findings, by)
    told = _keep(kept, asked, found.agrees, _close(words, _verdict(found, reject), by))
    found.forget_seeds()
    return told


def _keep(file: Path, asked: dict[str, Any], agrees: bool, comment: str) -> Review:
    """Kept until it is posted, for it may have taken hours."""
    write_record(file, {"asked": asked, "agrees": agrees, "comment": comment})
    return Review(agrees, comment, file)


def _heading(brought: Brought) -> str:
    return f"Checked {quote_code(brought.title)} at commit {quote_code(brought.revision[:12])}."


def _rescored(rows: Sequence[RescoredLineage], folder: Path) -> str:
    """A table of the lineages, and a sentence for each that cannot be believed."""
    if not rows:
        return "**Re-scored**: no samples were sent, so nothing follows from any."
    lines = [
        "**Re-scored** from the samples and models that were sent:",
        "",
        "| lineage | claimed | recomputed | agrees |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        again = "-" if row.problem else f"{row.recomputed:.5f}"
        name = quote_code(f"{row.task}, seed {row.seed}")
        answer = "yes" if row.agrees else "**no**"
        lines.append(f"| {name} | {row.claimed:.5f} | {again} | {answer} |")
    problems = [
        f"- {escape_markdown(f'{row.task}, seed {row.seed}: {clean_reason(row.problem, folder)}')}"
        for row in rows
        if row.problem
    ]
    return "\n".join([*lines, *(["", *problems] if problems else [])])


def _notes(brought: Brought) -> list[str]:
    notes = []
    if brought.taken:
        notes.append(f"Sent by its author: {escape_markdown(brought.taken)}.")
    if brought.ignored:
        names = ", ".join(map(quote_code, brought.ignored[:5]))
        notes.append(f"Ignored, as only maintainers say how far an entry is trusted: {names}.")
    return notes


def _verdict(found: Verification, reject: bool) -> str:
    if found.agrees:
        return "It agrees: the entry is **re-run**, and the board shows the re-run's score."
    return f"It does not agree.{_final(reject)}"


def _final(reject: bool) -> str:
    if reject:
        return " The result is rejected, which is final for it; a new one can be sent."
    return " How to object: docs/policy.md of the benchmark."


def _refuse(revision: str, error: Exception, folder: Path) -> Review:
    """What is said to the author of a request that cannot be checked."""
    reason = escape_markdown(clean_reason(str(error), folder))
    return Review(
        False,
        f"At commit {quote_code(revision[:12])} this cannot be checked: {reason}.\n\n"
        f"Mend it and run `autophagy submit` again; this pull request can then be closed.",
    )


def _close(words: Sequence[str], verdict: str, by: str | None) -> str:
    checker = find_checker(by)
    signed = f"{escape_markdown(checker.by)}, with {quote_code(checker.commit[:40])}"
    return "\n\n".join([*words, verdict, f"-- {signed}"])
