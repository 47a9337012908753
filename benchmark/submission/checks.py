"""The checks of a submission, in order: what, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.submission.card import Card, parse_card
from benchmark.submission.folder import Folder, read_folder
from benchmark.submission.hooks import Written, read_class
from benchmark.submission.template import check_submission_name
from benchmark.submission.trial import Trial, run_trials

CHECKS = (
    "folder",
    "card",
    "hooks",
    "loads in the sandbox",
    "access as on the card",
    "runs",
    "budget",
    "inputs unchanged",
    "only declared access",
    "all declared access used",
    "deterministic",
)
# What the harness says of a breach, and the check that it fails; "runs" without any.
BREACHES = {
    "would exceed this generation's limit": "budget",
    " optimiser steps": "budget",
    " in place": "inputs unchanged",
    " needs Access.": "only declared access",
    "declare Access.": "only declared access",
}


@dataclass(frozen=True)
class Check:
    """One check; `message` says what, where and how to mend it, or why it was skipped."""

    name: str
    status: Literal["ok", "failed", "skipped"]
    message: str = ""


@dataclass
class Validation:
    """All checks of one submission, and what they read."""

    checks: list[Check] = field(default_factory=list)
    folder: Folder | None = None
    card: Card | None = None
    written: Written | None = None

    @property
    def passed(self) -> bool:
        return all(check.status == "ok" for check in self.checks)

    def settle(self, name: str, problem: str = "") -> None:
        self.checks.append(Check(name, "failed" if problem else "ok", problem))


def read_submission(path: Path) -> tuple[Folder, Card, Written]:
    """The submission in the folder `path`, without running anything of it.

    Raises:
        InputError: the first check that fails.
    """
    found = Validation()
    for _, check in READ:
        check(found, path)
    assert found.folder is not None
    assert found.card is not None
    assert found.written is not None
    return found.folder, found.card, found.written


def validate_submission(path: Path) -> Validation:
    """Check the submission in the folder `path`; what it runs, it runs in the sandbox.

    Raises:
        InputError: there is no sandbox on this machine.
    """
    from benchmark.runs.sandbox import check_available

    check_available()
    found = Validation()
    for name, check in READ:
        problem = _problem(check, found, path)
        found.settle(name, problem)
        if found.folder is None:
            break
    if found.passed:
        _try_out(found)
    done = {check.name for check in found.checks}
    reason = "an earlier check failed"
    found.checks += [Check(name, "skipped", reason) for name in CHECKS if name not in done]
    found.checks.sort(key=lambda check: CHECKS.index(check.name))
    return found


def _problem(check: Callable[[Validation, Path], None], found: Validation, path: Path) -> str:
    try:
        check(found, path)
    except InputError as error:
        return str(error)
    return ""


def _folder(found: Validation, path: Path) -> None:
    found.folder = read_folder(path)


def _card(found: Validation, path: Path) -> None:
    assert found.folder is not None
    card = parse_card(found.folder.files["card.yaml"])
    check_submission_name(card.name)
    if card.name != path.resolve().name:
        raise InputError(
            f"card.yaml names {card.name!r}, but the folder is {path.resolve().name!r}: rename one"
        )
    found.card = card


def _hooks(found: Validation, path: Path) -> None:
    assert found.folder is not None
    found.written = read_class(found.folder.files["method.py"])


READ = (("folder", _folder), ("card", _card), ("hooks", _hooks))


def _try_out(found: Validation) -> None:
    assert found.folder is not None
    assert found.written is not None
    with run_trials(found.folder.method, found.written.class_name) as runs:
        try:
            first = next(runs)
        except AutophagyError as error:
            found.settle("loads in the sandbox", str(error))
            return
        found.settle("loads in the sandbox")
        found.settle("access as on the card", _access_differs(found, first))
        breaches = _breaches(first)
        for name in ("runs", "budget", "inputs unchanged", "only declared access"):
            found.settle(name, breaches.get(name, ""))
        if breaches:
            return
        found.settle("all declared access used", _unused(first))
        try:
            found.settle("deterministic", _differs(first, next(runs)))
        except AutophagyError as error:
            found.settle("deterministic", f"the second run stopped: {error}")


def _access_differs(found: Validation, trial: Trial) -> str:
    assert found.card is not None
    declared, carded = sorted(a.name for a in trial.access), sorted(found.card.access)
    if declared == carded:
        return ""
    return (
        f"the class declares [{', '.join(declared)}], card.yaml says [{', '.join(carded)}]: "
        f"make access in card.yaml [{', '.join(declared)}], or change the class"
    )


def _breaches(trial: Trial) -> dict[str, str]:
    """Check -> what went wrong there first."""
    found: dict[str, str] = {}
    for sentence in trial.failures:
        names = (name for said, name in BREACHES.items() if said in sentence)
        found.setdefault(next(names, "runs"), sentence)
    return found


def _unused(trial: Trial) -> str:
    unused = sorted(access.name for access in trial.access - trial.touched)
    if not unused:
        return ""
    return (
        f"{', '.join(unused)} is declared and was never used in three generations: take it out of "
        f"access in method.py and card.yaml, so that the method stands in its own tier"
    )


def _differs(first: Trial, second: Trial) -> str:
    for task, records in first.records.items():
        again = second.records[task]
        for t, (one, other) in enumerate(zip(records, again, strict=False)):
            if one != other or first.samples[task][t] != second.samples[task][t]:
                return (
                    f"{task}, generation {t}: two runs with one seed differ: draw from round.rng "
                    f"only, and keep nothing outside the instance"
                )
    return ""
