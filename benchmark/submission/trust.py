"""How far an entry is trusted. Pure and light, for the board as for the maintainer's commands.

The state lies in `trust/NAME.json` beside the result `NAME.json`, or in a maintainer's own folder
of the same layout. It belongs to that result's very bytes: another result of the same name starts
as self-reported and takes nothing from this one. What a re-run measured lies in
`verified/NAME-HASH.json`, a file a re-run, which the state names by its hash. Who may send results
may not write either: a page reads both from its own copy of the repository, and what lies beside
results that others sent is refused (see `leaderboard.board.entries`).
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import re
from glob import escape
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.plain import clean_line, is_plain, read_limited, read_start
from benchmark.results.costs import Costs
from benchmark.results.schema import LARGEST as LARGEST_RESULT
from benchmark.results.schema import Amount, Count, Line, Message, Name

StateName = Literal["self-reported", "re-scored", "measured", "re-run", "rejected"]
Finding = Literal["re-scored", "measured", "re-run", "rejected"]
ORDER: tuple[StateName, ...] = ("self-reported", "re-scored", "measured", "re-run")
TRUSTED = ("measured", "re-run")  # states in which maintainers ran the method themselves
LARGEST = 262_144  # bytes
FINDING = re.compile(r"results/[^/]+/(trust|verified)/.*")  # paths that only maintainers write


def _day(text: str) -> str:
    datetime.date.fromisoformat(text)
    return text


Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
Reason = Annotated[Message, Field(min_length=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Digits = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,18})$")]
Recovery = Annotated[float, Field(ge=-1e12, le=1e12)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=_Strict)


class Step(_Strict):
    """What was found, when, by whom and with which code, and why it is believed.

    Attributes:
        state: "re-scored": the numbers follow from what was sent; "measured": the maintainers ran
            one of the benchmark's own methods, on the seeds that are public; "re-run": they ran the
            method again, on seeds that are not; "rejected": it did not agree.
        by: who ran the check.
        commit: of the benchmark that checked, or its version.
        record_sha256: of the record of the re-run that it follows from, see `record_file`; ""
            without one.
    """

    state: Finding
    reason: Reason
    date: Day
    by: Line = "unknown"
    commit: Line = "unknown"
    record_sha256: Digest | Literal[""] = ""


class Rerun(_Strict):
    """What a re-run measured: the record `verified/NAME-HASH.json`.

    Attributes:
        seeds: as digits, for they may be larger than JSON's readers keep.
        access: what the re-run was granted.
        recoveries: by task, one a seed; none where the method does not apply.
        failed: by task, lineages that did not reach the last generation.
        costs, nothing: what it and `nothing` took in the same generations; None in records of
            before they were kept.
        comparison: suite scores claimed and re-run, their difference and its interval.
        times: how many times the processor time of `nothing` it took; None where it is not known.
        problem: why it does not agree, besides the comparison: access, tasks or costs that are not
            as claimed.
    """

    version: Literal[1] = 1
    benchmark_version: Line
    suite: Name
    method: Name
    source: Line
    result_sha256: Digest
    seeds: Annotated[tuple[Digits, ...], Field(min_length=2, max_length=1_000)]
    seeds_drawn: bool
    access: Annotated[tuple[Name, ...], Field(max_length=20)]
    recoveries: Annotated[
        dict[Name, Annotated[tuple[Recovery, ...], Field(max_length=1_000)]],
        Field(min_length=1, max_length=100),
    ]
    failed: Annotated[dict[Name, Count], Field(max_length=100)]
    costs: Costs | None = None
    nothing: Costs | None = None
    comparison: Annotated[dict[Name, Recovery], Field(max_length=10)]
    times: Amount | None = None
    agrees: bool
    problem: Message = ""
    failures: Annotated[tuple[Message, ...], Field(max_length=1_000)] = ()
    date: Line
    by: Line
    commit: Line

    @model_validator(mode="after")
    def _is_whole(self) -> Rerun:
        if any(len(of) not in (0, len(self.seeds)) for of in self.recoveries.values()):
            raise ValueError("a task has not one recovery a seed")
        if self.failed.keys() != self.recoveries.keys():
            raise ValueError("tasks differ")
        return self

    def to_json(self) -> bytes:
        """The stored form."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()


class CheckedResult(_Strict):
    """All that maintainers found out about one result, in order."""

    result_sha256: Digest
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _rises(self) -> CheckedResult:
        states = [step.state for step in self.steps]
        if "rejected" in states[:-1]:
            raise ValueError("nothing may follow a rejection")
        ranks = [ORDER.index(state) for state in states if state != "rejected"]
        if any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
            raise ValueError("trust may only rise")
        return self


class Trust(CheckedResult):
    """What was found out about the result that was checked last, and about the others of its
    name, the oldest first: a new result begins anew, and what is known of the others stays."""

    version: Literal[1] = 1
    earlier: Annotated[tuple[CheckedResult, ...], Field(max_length=100)] = ()

    def to_json(self) -> bytes:
        """The stored form; without `earlier` where there is none, as before it existed."""
        content = self.model_dump(mode="json")
        if not self.earlier:
            del content["earlier"]
        return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


class State(_Strict):
    """What a board shows of an entry; the fields are those of the last `Step`."""

    name: StateName
    reason: str = ""
    date: str = ""
    by: str = ""
    commit: str = ""
    record_sha256: str = ""


def find_state(result: bytes, trust: Trust | None) -> State:
    """The state of the entry whose stored result is `result`."""
    if trust is None:
        return State(name="self-reported")
    steps = _find_steps(trust, hashlib.sha256(result).hexdigest())
    if not steps:
        return State(name="self-reported", reason="another result of this name was checked")
    return State(name=steps[-1].state, **steps[-1].model_dump(exclude={"state"}))


def _find_steps(trust: Trust | None, digest: str) -> tuple[Step, ...]:
    """What was found out about the result with that hash, whichever was checked last."""
    known = (trust, *trust.earlier) if trust is not None else ()
    return next((of.steps for of in known if of.result_sha256 == digest), ())


def refuse_rejected(result: bytes, trust: Trust | None) -> None:
    """Raises InputError if the result was rejected: nothing that is found later counts."""
    state = find_state(result, trust)
    if state.name == "rejected":
        raise InputError(
            f"this result was rejected on {state.date} ({state.reason}), which is final: submit a "
            f"new result"
        )


def advance_trust(
    result: bytes,
    trust: Trust | None,
    state: Finding,
    reason: str,
    date: str | None = None,
    by: str = "unknown",
    commit: str = "unknown",
    record_sha256: str = "",
) -> Trust:
    """`trust` with one finding more; one that says less than is known already changes nothing.

    Args:
        date: without it today.
        by: who found it.
        commit: of the benchmark with which it was found.
        record_sha256: of the record of the re-run that it follows from.

    Raises:
        InputError: the result was rejected, which is final.
    """
    refuse_rejected(result, trust)
    digest = hashlib.sha256(result).hexdigest()
    steps = _find_steps(trust, digest)
    known = ORDER.index(find_state(result, trust).name)
    if trust is not None and steps and state != "rejected" and ORDER.index(state) <= known:
        return trust
    day = date or datetime.datetime.now(datetime.UTC).date().isoformat()
    step = Step(
        state=state,
        reason="".join(c if is_plain(c) else " " for c in reason)[:500],
        date=day,
        by=clean_line(by, 100),
        commit=clean_line(commit, 100),
        record_sha256=record_sha256,
    )
    return Trust(result_sha256=digest, steps=(*steps, step), earlier=_list_earlier(trust, digest))


def _list_earlier(trust: Trust | None, digest: str) -> tuple[CheckedResult, ...]:
    """What is known of other results of the name than the one with that hash."""
    if trust is None:
        return ()
    last = CheckedResult(result_sha256=trust.result_sha256, steps=trust.steps)
    return tuple(of for of in (*trust.earlier, last) if of.result_sha256 != digest)[-100:]


def trust_file(result: Path, findings: Path | None = None) -> Path:
    """Where the state of the entry with that result lies.

    Args:
        findings: a maintainer's folder with results/SUITE/trust; without it beside the result.
    """
    return _found_about(result, "trust", findings)


def record_file(result: Path, digest: str, findings: Path | None = None) -> Path:
    """Where the record of a re-run lies whose SHA-256 is `digest`: a later one replaces none."""
    whole = _found_about(result, "verified", findings)
    return whole.with_name(f"{result.stem}-{digest[:12]}.json")


def _found_about(result: Path, kind: str, findings: Path | None) -> Path:
    suite = result.absolute().parent
    folder = result.parent if findings is None else findings / "results" / suite.name
    return folder / kind / result.name


def load_trust(result: Path, findings: Path | None = None) -> Trust | None:
    """The stored findings about the entry of `result`, if there are any.

    Raises:
        CorruptFile: the file is not valid.
    """
    path = trust_file(result, findings)
    return _load(path, Trust, "trust state") if path.exists() else None


def load_rerun(result: Path, state: State, findings: Path | None = None) -> Rerun:
    """What the re-run measured that made the entry of `result` what its `state` says.

    Raises:
        InputError: the record is not there.
        CorruptFile: it is another one, or not valid.
    """
    path = record_file(result, state.record_sha256, findings)
    content = read_start(path, LARGEST, "record")
    if hashlib.sha256(content).hexdigest() != state.record_sha256:
        raise CorruptFile(f"{path} is not the record of the re-run that was found to agree")
    return _load(path, Rerun, "record of a re-run")


def load_reruns(result: Path, findings: Path | None = None) -> dict[Path, Rerun]:
    """The records of all re-runs of that very result, by their files.

    Raises:
        InputError: the result cannot be read.
        CorruptFile: a record is not valid.
    """
    digest = hashlib.sha256(read_limited(result, LARGEST_RESULT, "result")).hexdigest()
    folder = _found_about(result, "verified", findings).parent
    files = sorted(folder.glob(f"{escape(result.stem)}-*.json"))
    found = {file: _load(file, Rerun, "record of a re-run") for file in files}
    return {file: record for file, record in found.items() if record.result_sha256 == digest}


def _load(path: Path, kind: type[Model], what: str) -> Model:
    try:
        content = read_start(path, LARGEST + 1, what)
        if len(content) > LARGEST:
            raise ValueError("it is too large")
        return kind.model_validate_json(content)
    except (ValueError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise CorruptFile(f"{path} is not a valid {what} ({said}): restore it") from error
