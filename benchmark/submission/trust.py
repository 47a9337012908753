"""How far an entry is trusted. Pure and light, for the board as for the maintainer's commands.

The state lies in `trust/NAME.json` beside the result `NAME.json`. It belongs to that result's
very bytes: another result of the same name starts as self-reported.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.basics.errors import CorruptFile, InputError

StateName = Literal["self-reported", "re-scored", "re-run", "rejected"]
ORDER: tuple[StateName, ...] = ("self-reported", "re-scored", "re-run")
LARGEST = 65_536  # bytes

Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Step(_Strict):
    """What was found, when, and why it is believed."""

    state: Literal["re-scored", "re-run", "rejected"]
    reason: Reason
    date: Day


class Trust(_Strict):
    """All that a maintainer found out about one result, in order."""

    version: Literal[1] = 1
    result_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _rises(self) -> Trust:
        states = [step.state for step in self.steps]
        if "rejected" in states[:-1]:
            raise ValueError("nothing may follow a rejection")
        ranks = [ORDER.index(state) for state in states if state != "rejected"]
        if any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
            raise ValueError("trust may only rise")
        return self

    def to_json(self) -> bytes:
        """The stored form."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True) + "\n").encode()


class State(_Strict):
    """What a board shows of an entry."""

    name: StateName
    reason: str = ""
    date: str = ""


def find_state(result: bytes, trust: Trust | None) -> State:
    """The state of the entry whose stored result is `result`."""
    if trust is None:
        return State(name="self-reported")
    if trust.result_sha256 != hashlib.sha256(result).hexdigest():
        return State(name="self-reported", reason="an earlier result of this name was checked")
    last = trust.steps[-1]
    return State(name=last.state, reason=last.reason, date=last.date)


def advance_trust(
    result: bytes,
    trust: Trust | None,
    state: Literal["re-scored", "re-run", "rejected"],
    reason: str,
    date: str | None = None,
) -> Trust:
    """`trust` with one finding more; one that says less than is known already changes nothing.

    Raises:
        InputError: the result was rejected, which is final.
    """
    digest = hashlib.sha256(result).hexdigest()
    steps = trust.steps if trust is not None and trust.result_sha256 == digest else ()
    if steps and steps[-1].state == "rejected":
        raise InputError(
            f"this result was rejected ({steps[-1].reason}), which is final: submit a new result"
        )
    known = ORDER.index(steps[-1].state) if steps else 0
    if trust is not None and state != "rejected" and ORDER.index(state) <= known:
        return trust
    day = date or datetime.datetime.now(datetime.UTC).date().isoformat()
    said = "".join(c if c.isprintable() else " " for c in reason)[:500]
    return Trust(result_sha256=digest, steps=(*steps, Step(state=state, reason=said, date=day)))


def trust_file(result: Path) -> Path:
    """Where the state of the entry with that result lies."""
    return result.parent / "trust" / result.name


def load_trust(result: Path) -> Trust | None:
    """The stored findings about the entry of `result`, if there are any.

    Raises:
        CorruptFile: the file is not valid.
    """
    path = trust_file(result)
    if not path.exists():
        return None
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise ValueError("it is too large")
        return Trust.model_validate_json(content)
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise CorruptFile(f"{path} is not a valid trust state ({said}): restore it") from error
