"""The same honest mistakes in the sandbox: the same sentences, the same numbers."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import DoesNotLoad
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.runs.sandbox import Bounds, isolate_method
from benchmark.submission import trial
from tests import mistakes
from tests.test_isolation import begin
from tests.test_mistakes import BAD, IMAGES, TASKS, timeless

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed"
)
FILE = Path(mistakes.__file__)
EVERY = {*mistakes.FAILS, *mistakes.GOES_ON, *mistakes.SAME, *mistakes.PAIRS}
EVERY -= {"EmptiesInMark", "SamplesOther"}  # what cannot cross has words of its own
# One, in `make test-all` one of each kind and every tenth besides, with EVERY_MISTAKE=1 all of
# them: each generation starts a process, and all together take a quarter of an hour.
SOME = ("ExitsHardInCurate",)
KINDS = ("Spoils", "UnsayablyInBackward", "WeightsSparse", "ModelPruned", "Disturbs")
MORE = sorted({*KINDS, *sorted(EVERY)[:: 1 if os.environ.get("EVERY_MISTAKE") else 10]})


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return FolderCache(tmp_path_factory.mktemp("isolated"))


@pytest.mark.parametrize(
    "name", [*SOME, *(pytest.param(n, marks=pytest.mark.slow) for n in MORE if n not in SOME)]
)
def test_a_mistake_has_the_sentence_and_the_numbers_that_it_has_in_process(name, cache):
    """Generation 0 is another's if the mistake does not show before generation 1."""
    found, task, cls = [], replace(TASKS[IMAGES], generations=1), getattr(mistakes, name)
    later = not vars(cls).keys().isdisjoint(("curate", "loss", "adjust"))
    with isolate_method(FILE, name, Bounds(seconds=60)) as isolated:
        for method in (isolated, cls):
            store = begin(task, cache) if later else LineageMemory()
            records = run_lineage(task, method, 0, store, cache)
            digests = [items.digest() for items in store.published.values()]
            found.append(([timeless(record) for record in records], digests))
    assert found[0] == found[1]
    assert (records[-1]["status"] != "ok") == (name in mistakes.FAILS)


def in_trial(file: Path, class_name: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The failures of a validator's trial on a tiny task."""
    monkeypatch.setattr(trial, "TASKS", (IMAGES,))
    monkeypatch.setattr(trial, "load_task", TASKS.get)
    monkeypatch.setattr(trial, "shrink_task", lambda task: task)
    with trial.run_trials(file, class_name) as runs:
        return next(runs).failures


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ExitsInBackward", "ModelComplex"])
def test_a_validators_trial_says_the_same(name, monkeypatch):
    (said,) = in_trial(FILE, name, monkeypatch)
    assert re.match(f"{IMAGES}: {name}{mistakes.FAILS[name]}", said)


def test_a_file_that_interrupts_what_imports_it_is_named(tmp_path):
    (tmp_path / "bad.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    with (
        pytest.raises(DoesNotLoad, match=r"^bad\.py"),
        isolate_method(tmp_path / "bad.py", "Bad", Bounds(seconds=60)),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaves", "unsayable"])
def test_a_file_that_fails_at_import_is_named(name, tmp_path):
    (tmp_path / "bad.py").write_text(BAD[name])
    with (
        pytest.raises(DoesNotLoad, match=r"^bad\.py, line \d+, does not import: \w+: "),
        isolate_method(tmp_path / "bad.py", "Bad", Bounds(seconds=60)),
    ):
        pass
