"""The references that come with the benchmark: used by default, true, and refused when stale."""

import json
import shutil
from pathlib import Path

import pytest

import benchmark
import benchmark.tasks.suites
from benchmark.basics.errors import InputError
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES
from benchmark.results import references
from benchmark.results.references import frozen
from benchmark.results.schema import load_result
from benchmark.run.freeze import freeze
from benchmark.tasks.suites import load_suite
from tests.conftest import TOY
from tests.test_run import cli

SUITES = ["quick", "small"]


def hashes(tasks):
    return {task.name: task.hash for task in tasks}


@pytest.fixture(scope="module")
def toy_run(tmp_path_factory):
    """The folder of a toy run of `nothing`."""
    folder = tmp_path_factory.mktemp("toy run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: TOY)
        benchmark.run("nothing", out=folder)
    return folder


@pytest.fixture
def frozen_toys(toy_run, toy_suite, tmp_path, monkeypatch):
    """A toy run's references, frozen in a folder of the test."""
    run = tmp_path / "references run"
    shutil.copytree(toy_run, run)
    freeze(run / "quick", tmp_path / "frozen")
    monkeypatch.setattr(references, "FOLDER", tmp_path / "frozen")
    return run


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


@pytest.mark.parametrize("name", REFERENCES)
def test_frozen_numbers_are_what_the_code_gives(name, tmp_path):
    """The task's hash covers its definition, not the code that runs it: the code is run."""
    task = "speeches-replace"
    run = benchmark.run(name, "quick", task, out=tmp_path)[name].tasks[task]
    chosen = load_suite("quick").choose(task)
    kept = frozen("quick", hashes(chosen), (0,))[name].tasks[task]
    own, old = run.lineages[0].curve(run.primary), kept.lineages[0].curve(run.primary)
    # Equal on the machine that froze them; other processors round differently.
    assert own == pytest.approx(old, abs=0.03)


def test_a_run_uses_frozen_references_and_says_so(frozen_toys, tmp_path):
    results = benchmark.run("anchor", tasks="*-replace", out=tmp_path / "a")
    assert list(results) == ["anchor", "nothing", "oracle"]
    used = {"nothing": "frozen", "oracle": "frozen"}
    assert [result.references for result in results.values()] == [used] * 3
    assert list(results["oracle"].tasks) == ["digits-replace", "speeches-replace"]
    assert load_result(tmp_path / "a" / "quick" / "nothing.json") == results["nothing"]
    folders = {f.name for f in (tmp_path / "a" / "quick" / "lineages").iterdir()}
    assert folders == {"anchor"}


def test_own_references_are_run_when_asked_for_and_then_used(frozen_toys, tmp_path):
    out, task = tmp_path / "b", "digits-replace"
    asked = benchmark.run("anchor", tasks=task, out=out, own_references=True)
    assert set(asked["anchor"].references.values()) == {"own"}
    later = benchmark.run("accumulate", tasks=task, out=out)
    assert set(later["accumulate"].references.values()) == {"own"}
    named = benchmark.run("nothing", tasks="speeches-replace", out=out)
    assert named["nothing"].references == {"nothing": "own", "oracle": "frozen"}


def test_other_seeds_and_tasks_are_run(frozen_toys, toy_suite):
    tasks = hashes(toy_suite.tasks)
    assert frozen("quick", tasks, (0,))
    assert frozen("quick", tasks, (0, 1)) == {}
    assert frozen("quick", tasks | {"digits-web": "another hash"}, (0,)) == {}
    assert frozen("other", tasks, (0,)) == {}


def test_only_a_whole_true_run_can_be_frozen(frozen_toys, tmp_path):
    def spoiled(name: str, change) -> Path:
        folder = tmp_path / name
        shutil.copytree(frozen_toys / "quick", folder)
        document = json.loads((folder / "oracle.json").read_text())
        change(document)
        (folder / "oracle.json").write_text(json.dumps(document))
        return folder

    def fail(document):
        generation = document["tasks"]["digits-web"]["lineages"][0]["generations"][-1]
        generation |= {"status": "diverged", "message": "it diverged"}

    for name, change, sentence in [
        ("part", lambda d: d["tasks"].pop("digits-web"), "not a run of all of suite 'quick'"),
        ("old", lambda d: d["tasks"]["digits-web"].update(hash="0"), "other versions"),
        ("failed", fail, "it diverged"),
        ("source", lambda d: d["method"].update(source="0"), "another oracle.py"),
    ]:
        with pytest.raises(InputError, match=sentence):
            freeze(spoiled(name, change), tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_score_takes_frozen_references_where_none_lie_beside(
    frozen_toys, tmp_path, monkeypatch, capsys
):
    benchmark.run("anchor", out=tmp_path / "run")
    alone = tmp_path / "mail" / "anchor.json"
    alone.parent.mkdir()
    shutil.copy(tmp_path / "run" / "quick" / "anchor.json", alone)
    assert cli(monkeypatch, "score", alone, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert {s["method"] for s in document["standings"]} == {"anchor", *REFERENCES}
    assert document["files"]["oracle"] == str(tmp_path / "frozen" / "quick" / "oracle.json")
