"""One finished run that many tests look at: the submission of this repository, a baseline and the
references, on a tiny task of each modality."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import benchmark
import benchmark.tasks.suites
from tests import tiny

SUBMISSION = Path(__file__).parents[1] / "submissions" / "tail_quota"


@dataclass(frozen=True)
class Finished:
    """The folder of the run and of what was submitted to it."""

    root: Path

    @property
    def folder(self) -> Path:
        """The submission."""
        return self.root / SUBMISSION.name

    @property
    def out(self) -> Path:
        """The folder of the run, as in `--out`."""
        return self.root / "runs"

    @property
    def result(self) -> Path:
        """The submission's result."""
        return self.result_of(SUBMISSION.name)

    def result_of(self, method: str) -> Path:
        return self.out / "quick" / f"{method}.json"

    def copy(self, to: Path) -> Finished:
        """The same elsewhere, to be changed."""
        shutil.copytree(self.root, to, dirs_exist_ok=True)
        return Finished(to)


def finish(root: Path) -> None:
    """Run all methods in the empty folder `root`, with own references."""
    done = Finished(root)
    shutil.copytree(SUBMISSION, done.folder, ignore=shutil.ignore_patterns("__pycache__"))
    method = root / f"{SUBMISSION.name}.py"  # a method has its file's name
    shutil.copy(done.folder / "method.py", method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
        benchmark.run([method, "anchor"], workers=1, out=done.out, own_references=True)
