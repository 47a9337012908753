"""Which references score a result: the frozen ones, true and refused when stale, or its own."""

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
from benchmark.results.references import find_frozen, find_references, frozen_file
from benchmark.results.schema import load_result
from benchmark.runs.freeze import freeze
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import read_board
from tests.conftest import TOY
from tests.test_run import cli
from tests.test_score_command import half, nothing, oracle

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
    found = find_frozen(suite, hashes(chosen.tasks), chosen.seeds)
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
    kept = find_frozen("quick", hashes(chosen), (0,))[name].tasks[task]
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
    assert find_frozen("quick", tasks, (0,))
    assert find_frozen("quick", tasks, (0, 1)) == {}
    assert find_frozen("quick", tasks | {"digits-web": "another hash"}, (0,)) == {}
    assert find_frozen("other", tasks, (0,)) == {}


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


# --- the rule ----------------------------------------------------------------------------------

STORED = Path(__file__).parents[1] / "leaderboard" / "results" / "small" / "anchor.json"


def lay(folder, *results):
    """Writes results into a folder; the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{result.method.name}.json" for result in results]
    for file, result in zip(files, results, strict=True):
        file.write_bytes(result.to_json())
    return files[0]


def test_frozen_references_win_over_those_that_a_result_brings(tmp_path, monkeypatch, capsys):
    """Nobody is scored against references that he chose himself, whoever scores."""
    own = {"references": dict.fromkeys(REFERENCES, "own")}
    kind = {name: load_result(frozen_file("small", name)) for name in REFERENCES}
    kind["oracle"] = kind["nothing"].model_copy(update={"method": kind["oracle"].method})
    claim = load_result(STORED).model_copy(update=own)
    file = lay(tmp_path / "results" / "small", claim, *kind.values())
    lay(tmp_path / "references" / "small" / "anchor", *kind.values())
    frozen = [frozen_file("small", name) for name in REFERENCES]
    assert list(find_references(claim, file)) == frozen
    assert cli(monkeypatch, "score", file, "--json") == 0
    scored = {s["method"]: s for s in json.loads(capsys.readouterr().out)["standings"]}
    entry = read_board(tmp_path).entry("small", "anchor")
    assert entry.references == "frozen"
    assert entry.recoveries == scored["anchor"]["recoveries"]


def test_else_those_sent_with_it_then_those_beside_it(tmp_path):
    file = lay(tmp_path / "results" / "small", half(), nothing(), oracle())
    beside = [file.parent / f"{name}.json" for name in REFERENCES]
    assert list(find_references(half(), file)) == beside
    lay(tmp_path / "references" / "small" / "half", nothing())  # one alone is not enough
    assert list(find_references(half(), file)) == beside
    with pytest.raises(InputError, match=r"references/small/half/oracle\.json is not there"):
        find_references(half(), file, beside=False)
    lay(tmp_path / "references" / "small" / "half", oracle())
    sent = [tmp_path / "references" / "small" / "half" / f"{name}.json" for name in REFERENCES]
    assert list(find_references(half(), file)) == sent
    assert list(find_references(half(), file, wanted=["oracle"])) == sent[1:]


def test_references_must_be_comparable_and_what_they_are_called(tmp_path):
    file = lay(tmp_path / "small", half(), nothing(), oracle(seeds=(0, 1)))
    with pytest.raises(InputError, match="have different seeds"):
        find_references(half(), file)
    (file.parent / "oracle.json").write_bytes(nothing().to_json())
    with pytest.raises(InputError, match="should be the reference 'oracle', but is a result of"):
        find_references(half(), file)
    (file.parent / "oracle.json").unlink()
    with pytest.raises(InputError, match="autophagy run oracle --suite small, with the same"):
        find_references(half(), file)


def test_references_given_by_hand_are_used_as_they_are(tmp_path, monkeypatch, capsys):
    """Such as those of a GPU, compared with methods of the same GPU."""
    given = [load_result(frozen_file("small", name)) for name in REFERENCES]
    file = lay(tmp_path / "cuda" / "small", load_result(STORED), *given)
    own = [file.parent / f"{name}.json" for name in REFERENCES]
    assert cli(monkeypatch, "score", file, own[0], "--json") == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files["nothing"] == str(own[0])
    assert files["oracle"] == str(frozen_file("small", "oracle"))
