"""The references that come with the benchmark: used by default, true, and refused when stale."""

import json
import shutil
from pathlib import Path

import pytest

import benchmark
from benchmark.basics.errors import InputError
from benchmark.interface.find import REFERENCES, find_method
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.results import references
from benchmark.results.references import frozen
from benchmark.results.schema import load_result
from benchmark.run.freeze import freeze
from benchmark.tasks.suites import load_suite
from tests import tiny
from tests.test_run import cli

SUITES = ["quick", "small"]
# How far processors differ by rounding, in nats. Where a model is trained on given items: by 2e-4.
# Where it is trained on what a model wrote, a rounding flips a token and with it the rest of a
# block: by up to .04 in three generations of float32, by .08 where the frozen were bf16's.
GIVEN, SAMPLED = 1e-3, 0.15


def hashes(tasks):
    return {task.name: task.hash for task in tasks}


@pytest.fixture
def frozen_run(finished_run, tmp_path, monkeypatch):
    """The finished run's references, frozen in a folder of the test."""
    freeze(finished_run.out / "quick", tmp_path / "frozen")
    monkeypatch.setattr(references, "FOLDER", tmp_path / "frozen")
    return finished_run.out


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_with_frozen_references_has_them_for_the_tasks_as_they_are(suite):
    chosen = load_suite(suite)
    found = frozen(suite, hashes(chosen.tasks), chosen.seeds)
    assert list(found) == list(REFERENCES), "run the references and freeze them"
    for name, result in found.items():
        assert result.failures == []
        assert result.method.source == find_method(name).source
        assert result.references == dict.fromkeys(REFERENCES, "frozen")
        assert list(result.tasks) == [task.name for task in chosen.tasks]


class Stops(LineageMemory):
    """A lineage that is interrupted when it has so many generations."""

    def __init__(self, generations: int) -> None:
        super().__init__()
        self.generations = generations

    def save(self, t, *rest):
        super().save(t, *rest)
        if t + 1 == self.generations:
            raise KeyboardInterrupt


@pytest.mark.parametrize("generations", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", REFERENCES)
def test_frozen_numbers_are_what_the_code_gives(name, generations, shared_cache):
    """The task's hash covers its definition, not the code that runs it: the code is run."""
    (task,) = load_suite("quick").choose("speeches-replace")
    store = Stops(generations)
    with pytest.raises(KeyboardInterrupt):
        run_lineage(task, find_method(name).load(), 0, store, shared_cache)
    (kept,) = frozen("quick", hashes([task]), (0,))[name].tasks[task.name].lineages
    for t, old in enumerate(kept.curve(task.evaluation.primary)[:generations]):
        sampled = name == "nothing" and t > 0
        new = store.records[t]["profile"][task.evaluation.primary]
        assert new == pytest.approx(old, abs=SAMPLED if sampled else GIVEN), t


def test_a_run_uses_frozen_references_and_says_so(frozen_run, tmp_path):
    results = benchmark.run("anchor", workers=1, out=tmp_path / "a")
    assert list(results) == ["anchor", "nothing", "oracle"]
    used = {"nothing": "frozen", "oracle": "frozen"}
    assert [result.references for result in results.values()] == [used] * 3
    assert list(results["oracle"].tasks) == list(tiny.REPLACE)
    assert load_result(tmp_path / "a" / "quick" / "nothing.json") == results["nothing"]
    folders = {f.name for f in (tmp_path / "a" / "quick" / "lineages").iterdir()}
    assert folders == {"anchor"}


def test_own_references_are_run_when_asked_for_and_then_used(frozen_run, tmp_path):
    out, task = tmp_path / "b", "digits-replace"
    asked = benchmark.run("anchor", tasks=task, workers=1, out=out, own_references=True)
    assert set(asked["anchor"].references.values()) == {"own"}
    later = benchmark.run("accumulate", tasks=task, workers=1, out=out)
    assert set(later["accumulate"].references.values()) == {"own"}
    named = benchmark.run("nothing", tasks="speeches-replace", workers=1, out=out)
    assert named["nothing"].references == {"nothing": "own", "oracle": "frozen"}


def test_other_seeds_and_tasks_are_run(frozen_run):
    tasks = hashes(tiny.PROFILED.tasks)
    assert frozen("quick", tasks, (0,))
    assert frozen("quick", tasks, (0, 1)) == {}
    assert frozen("quick", tasks | {"digits-replace": "another hash"}, (0,)) == {}
    assert frozen("other", tasks, (0,)) == {}


def test_only_a_whole_true_run_can_be_frozen(frozen_run, tmp_path):
    def spoiled(name: str, change) -> Path:
        folder = tmp_path / name
        shutil.copytree(frozen_run / "quick", folder)
        document = json.loads((folder / "oracle.json").read_text())
        change(document)
        (folder / "oracle.json").write_text(json.dumps(document))
        return folder

    def fail(document):
        generation = document["tasks"]["digits-replace"]["lineages"][0]["generations"][-1]
        generation |= {"status": "diverged", "message": "it diverged"}

    for name, change, sentence in [
        ("part", lambda d: d["tasks"].pop("digits-replace"), "not a run of all of suite 'quick'"),
        ("old", lambda d: d["tasks"]["digits-replace"].update(hash="0"), "other versions"),
        ("failed", fail, "it diverged"),
        ("source", lambda d: d["method"].update(source="0"), "another oracle.py"),
    ]:
        with pytest.raises(InputError, match=sentence):
            freeze(spoiled(name, change), tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_score_takes_frozen_references_where_none_lie_beside(
    frozen_run, tmp_path, monkeypatch, capsys
):
    alone = tmp_path / "mail" / "anchor.json"
    alone.parent.mkdir()
    shutil.copy(frozen_run / "quick" / "anchor.json", alone)
    assert cli(monkeypatch, "score", alone, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {s["method"] for s in document["standings"]} == {"anchor", *REFERENCES}
    assert document["files"]["oracle"] == str(tmp_path / "frozen" / "quick" / "oracle.json")
