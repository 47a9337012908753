"""The open pull requests of the results dataset: what each brings, how far it got, what is next."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.basics.plain import clean_line, read_limited
from benchmark.hub.queue import OpenRequest, Say, UnfitRequest, find_changes, list_requests
from benchmark.results.schema import LARGEST
from benchmark.submission.claim import find_claimed_gpu
from benchmark.submission.incoming import (
    fetch_brought,
    find_brought,
    find_withdrawn,
    read_brought,
)
from benchmark.submission.trust import State, find_state, load_trust

MALFORMED = "malformed"
SUPERSEDED = "superseded"
WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class Waiting:
    """One open pull request.

    Attributes:
        entry: suite and name, if it brings an entry.
        state: what is known of it: malformed, superseded, a withdrawal, or a state of trust.
        reason: one sentence, "" where nobody has looked yet.
        next: the command to type, or what to do on the Hub.
    """

    request: OpenRequest
    entry: tuple[str, str] | None
    state: str
    reason: str
    next: str

    @property
    def method(self) -> str:
        """Such as "anchor on small"; the title, where it brings no entry."""
        title = clean_line(self.request.title, 60)
        return " on ".join(reversed(self.entry)) if self.entry else title


def list_waiting(
    repo: str,
    findings: Path | None = None,
    endpoint: str | None = None,
    say: Say = lambda text: None,
) -> list[Waiting]:
    """Every open pull request of the dataset, the oldest first.

    Only method, card, result and references are fetched; nothing of them is run.

    Args:
        findings: the maintainers' folder, which says what was found out already.

    Raises:
        InputError: the Hub cannot be asked, as one sentence.
        CorruptFile: a stored finding is damaged.
    """
    requests = list_requests(repo, endpoint, say)
    return _supersede([_look(request, repo, findings, endpoint, say) for request in requests])


def clean_reason(reason: str, folder: Path) -> str:
    """One sentence about files in `folder`, which names them as the dataset does."""
    return clean_line(reason.replace(f"{folder}/", ""), 500)


def _look(
    request: OpenRequest, repo: str, findings: Path | None, endpoint: str | None, say: Say
) -> Waiting:
    try:
        changes = find_changes(repo, request.num, endpoint, say)
    except UnfitRequest as error:  # any other trouble with the Hub is not theirs
        return Waiting(request, None, MALFORMED, clean_line(str(error), 500), f"see {request.url}")
    if withdrawn := find_withdrawn(changes):
        reason = f"it takes the entry {withdrawn!r} out of the dataset"
        advice = f"merge {request.url} if {clean_line(request.author, 60)} sent that entry"
        return Waiting(request, None, WITHDRAWAL, reason, advice)
    check, entry = f"autophagy verify --from-pr {request.num} --repo {repo} --comment", None
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            brought = find_brought(changes)
            entry = brought.suite, brought.name
            fetch_brought(brought, repo, root, False, endpoint, say)
            gpu = find_claimed_gpu(read_brought(brought, root))
        except UnfitRequest as error:
            reason = clean_reason(str(error), root)
            return Waiting(request, entry, MALFORMED, reason, f"{check}  (tells the author)")
        state = _find_state(brought.result_in(root), findings)
    if brought.taken:
        check = f"{check}  (refuses the name; if it is of the same author, add --same-author)"
    if gpu:
        check = f"see {request.url}: a GPU computed it, so it cannot be checked here yet"
    done = {"re-run": f"merge {request.url}", "rejected": f"close {request.url}"}
    reason = state.reason
    if state.date:
        reason = f"{reason} ({state.date}, by {state.by}, with {state.commit[:12]})"
    reason = "; ".join(filter(None, (brought.taken, reason)))
    return Waiting(request, entry, state.name, reason, done.get(state.name, check))


def _find_state(result: Path, findings: Path | None) -> State:
    """What maintainers found out; what came with the request is not there to be believed."""
    known = load_trust(result, findings) if findings is not None else None
    return find_state(read_limited(result, LARGEST, "result"), known)


def _supersede(found: list[Waiting]) -> list[Waiting]:
    """Of several of one author with one entry, the newest counts."""
    newest = {(w.request.author, w.entry): w.request.num for w in found if w.entry}
    marked = []
    for waiting in found:
        own = waiting.request.num
        last = newest[waiting.request.author, waiting.entry] if waiting.entry else own
        if last != own:
            reason = f"its author sent pull request {last} with the same entry"
            advice = f"close {waiting.request.url}"
            waiting = replace(waiting, state=SUPERSEDED, reason=reason, next=advice)
        marked.append(waiting)
    return marked


def find_age(created: datetime.datetime) -> datetime.timedelta:
    """How long ago that was; none where a clock is wrong."""
    if created.tzinfo is None:
        created = created.replace(tzinfo=datetime.UTC)
    return max(datetime.timedelta(), datetime.datetime.now(datetime.UTC) - created)
