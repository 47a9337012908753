"""Boards of made-up results on the suites as they are: a tie, a hostile entry, a refused file."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from benchmark import __version__
from benchmark.interface.names import REFERENCES
from benchmark.results import references
from benchmark.results.gallery import Gallery, Shown
from benchmark.results.schema import (
    GenerationResult,
    LineageResult,
    MethodResult,
    Result,
    TaskResult,
)
from benchmark.submission.claim import COUNTS
from benchmark.submission.record import record_state, write_verification
from benchmark.submission.trust import Rerun
from benchmark.tasks.suites import load_suite
from leaderboard.board import entries

SMALL = load_suite("small").tasks
TASKS = [task.name for task in SMALL]
IMAGE = next(task.name for task in SMALL if task.modality == "image")
TEXT = next(task.name for task in SMALL if task.modality == "text")
ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"
SUMMARY = f"{ATTACK} [link](javascript:alert(3)) =1+1"
EXCERPT = f"We the people {ATTACK} **bold**"
LINK = "https://example.org/a_(b)[c]?q=**x**"
ACCESS = {"anchor": ("RESERVE",), "hostile": ("MODEL",), "twin": ("RESERVE",)}
DEPTH = 0.3  # what `nothing` loses a generation


def result(
    name: str,
    recovery: float = 0.3,
    suite: str = "small",
    noise: float = 0.01,
    access: Sequence[str] | None = None,
    summary: str = "A toy.",
    absent: Sequence[str] = (),
    stops: dict[tuple[str, int], int] | None = None,
    origin: str = "frozen",
) -> Result:
    """A whole result of a suite.

    Args:
        recovery: about the mean over its seeds; more by .01 on each later task.
        absent: tasks that the method does not apply to.
        stops: by (task, seed) the generation at which a lineage failed.
    """
    chosen, tasks = load_suite(suite), {}
    for place, task in enumerate(chosen.tasks):
        lineages = []
        for k, seed in enumerate(chosen.seeds):
            wobble = noise * (k - (len(chosen.seeds) - 1) / 2) * (-1) ** place
            share = {"nothing": 0.0, "clean": 1.0}.get(name, recovery + 0.01 * place + wobble)
            end = (stops or {}).get((task.name, seed), task.generations + 1)
            done = [
                generation(t, task.evaluation.primary, share)
                for t in range(0 if task.name in absent else end)
            ]
            if task.name in absent:
                why = "it does not apply to this modality"
                done = [GenerationResult(generation=0, status="inapplicable", message=why)]
            elif end <= task.generations:
                done.append(GenerationResult(generation=end, status="failed", message="it broke"))
            lineages.append(LineageResult(seed=seed, generations=done))
        tasks[task.name] = TaskResult(
            hash=task.hash,
            modality=task.modality,
            primary=task.evaluation.primary,
            generations=task.generations,
            lineages=lineages,
        )
    return Result(
        benchmark_version=__version__,
        suite=suite,
        method=MethodResult(
            name=name,
            summary=summary,
            access=list(ACCESS.get(name, ()) if access is None else access),
            source=hashlib.sha256(name.encode()).hexdigest(),
        ),
        tasks=tasks,
        versions={"python": "3"},
        hardware="a toy",
        created="2026-01-02T03:04:05+00:00",
        references=dict.fromkeys(REFERENCES, origin),
    )


def generation(t: int, primary: str, share: float) -> GenerationResult:
    """One that went well, of a method that recovers `share`; who recovers more takes longer."""
    value = 1 + DEPTH * t * (1 - share)
    likeness = {"precision": 0.6 + 0.2 * share, "recall": (0.5 + 0.2 * share) / (1 + 0.1 * t)}
    profile = likeness | {"heldout_loss": value}
    return GenerationResult(
        generation=t,
        status="ok",
        profile=profile | {primary: value},
        ledger=dict.fromkeys(COUNTS, 100 * (t + 1)),
        training_set=100,
        trained_on={"real": 1 / (1 + t), "own": 1 - 1 / (1 + t)},
        seconds={"train": max(0.1, 3 + 2 * share), "evaluate": 0.5},
    )


def store(root: Path, *results: Result) -> Path:
    """Lay results into a folder as in the dataset; the path of the first."""
    paths = []
    for some in results:
        path = root / "results" / some.suite / f"{some.method.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(some.to_json())
        paths.append(path)
    return paths[0]


def rerun(path: Path, recovery: float, findings: Path | None = None, noise: float = 0.01) -> Rerun:
    """Say of a stored toy that it was run again, with about this recovery."""
    record = _record(path, noise, {"claimed": recovery, "rerun": recovery, "difference": 0.0}, True)
    kept = write_verification(path, record, findings)
    record_state(path, "re-run", "it agrees", findings, "A Maintainer", kept)
    return record


def disagree(path: Path, findings: Path | None = None) -> Rerun:
    """Leave the record of a re-run of a stored result that did not agree."""
    found = {"claimed": 0.9, "rerun": 0.1, "difference": -0.8, "low": -0.9, "high": -0.7}
    record = _record(path, 0.01, found, False)
    write_verification(path, record, findings)
    return record


def _record(path: Path, noise: float, comparison: dict[str, float], agrees: bool) -> Rerun:
    content = path.read_bytes()
    stored = Result.model_validate_json(content, strict=False)
    recoveries = tuple(comparison["rerun"] + w for w in (-noise, 0.0, noise))
    return Rerun(
        benchmark_version=__version__,
        suite=stored.suite,
        method=stored.method.name,
        source=stored.method.source,
        result_sha256=hashlib.sha256(content).hexdigest(),
        seeds=("9007199254740993", "9223372036854775806", "9223372036854775807"),
        seeds_drawn=True,
        access=tuple(stored.method.access),
        recoveries=dict.fromkeys(stored.tasks, recoveries),
        failed=dict.fromkeys(stored.tasks, 0),
        comparison=comparison,
        agrees=agrees,
        date="2026-01-03",
        by="A Maintainer",
        commit="0" * 40,
    )


@contextmanager
def frozen(folder: Path) -> Iterator[Path]:
    """Inside, the references of `small` and `quick` are toys, frozen in `folder`."""
    for suite in ("small", "quick"):
        for name in REFERENCES:
            path = folder / suite / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(result(name, suite=suite).to_json())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "FOLDER", folder)
        entries._read.cache_clear()  # what was read is scored against the others
        yield folder
    entries._read.cache_clear()


def write(root: Path) -> Path:
    """A folder of results: `small` with a re-run entry, a tie and a hostile entry, `quick` with
    one method."""
    best = store(root, result("accumulate_subsample", 0.55, access=("ARCHIVE",)))
    rerun(best, 0.52)
    store(root, result("anchor", 0.3), result("twin", 0.304, noise=0.02))
    store(root, result("hostile", -0.4, summary=SUMMARY))
    store(root, result("archivist", 0.2, "quick", access=("ARCHIVE",)))
    card(root, "hostile", authors=[ATTACK, "=cmd|' /C calc'!A0"], paper=LINK)
    card(root, "anchor", authors=["Ada Lovelace"], paper=None)
    gallery(root, "hostile")
    (root / "results" / "small" / "<b onclick=alert(4)>.json").write_text("{}")
    return root


def card(root, name, authors, paper):
    """The card of an entry."""
    words = {
        "name": name,
        "summary": "Says something on one line.",
        "authors": authors,
        "access": list(ACCESS[name]),
        "hyper_parameters": {"text": ATTACK},
        "licence": "MIT",
    }
    file = root / "submissions" / name / "card.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(yaml.safe_dump(words | ({"paper": paper} if paper else {})))


def gallery(root, name):
    """A picture and a hostile excerpt."""
    content = io.BytesIO()
    Image.new("L", (280, 56), 128).save(content, "PNG")
    png = base64.b64encode(content.getvalue()).decode()
    tasks = {
        IMAGE: Shown(seed=0, generations=[0, 10], png=png),
        TEXT: Shown(seed=0, texts={0: EXCERPT}),
    }
    file = root / "gallery" / "small" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(Gallery(tasks=tasks).to_json())


def large(table: pd.DataFrame, methods: int) -> pd.DataFrame:
    """The same table with many rows more."""
    some = table[table["method"] == "accumulate_subsample"]
    names = [f"method_{i}" for i in range(methods)]
    return pd.concat([table, pd.concat([some] * methods).assign(method=names)], ignore_index=True)
