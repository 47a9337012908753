"""Which references score a result: the frozen ones, true and refused when stale, or its own."""

import json
import shutil
from functools import cache
from pathlib import Path

import pytest

import benchmark
from benchmark import Mitigation
from benchmark.basics.errors import InputError
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.results import references
from benchmark.results.references import find_frozen, find_references, frozen_file
from benchmark.results.schema import load_result
from benchmark.runs.freeze import freeze
from benchmark.tasks.suites import load_suite
from leaderboard.board.entries import read_board
from tests import tiny
from tests.board import toys
from tests.test_against import blank
from tests.test_run import cli
from tests.test_score_command import clean, half, nothing

SUITES = ["quick", "small", "closed"]
# How far processors differ by rounding. Where a model is trained on given items: by 2e-4 nats,
# digits by 5e-5 in the log distance.
# Where it is trained on what a model wrote, a rounding flips a token and with it the rest of a
# block: by up to .04 in three generations of float32, by .08 where the frozen were bf16's.
GIVEN, SAMPLED = 1e-3, 0.15
COMPARED = 2  # generations


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
    found = find_frozen(suite, hashes(chosen.tasks), chosen.seeds)
    assert list(found) == list(REFERENCES), "run the references and freeze them"
    for name, result in found.items():
        assert result.failures == []
        assert result.method.source == find_method(name).source
        assert result.references == dict.fromkeys(REFERENCES, "frozen")
        assert list(result.tasks) == [task.name for task in chosen.tasks]


class Stops(LineageMemory):
    """A lineage, begun or new, that is interrupted when it has so many generations."""

    def __init__(self, generations: int, begun: LineageMemory | None = None) -> None:
        super().__init__()
        self.generations = generations
        if begun is not None:
            self.records, self.published = dict(begun.records), dict(begun.published)
            self.models = dict(begun.models)

    def save(self, t, *rest):
        super().save(t, *rest)
        if t + 1 == self.generations:
            raise KeyboardInterrupt


@pytest.fixture(scope="session")
def begin(shared_cache):
    """Of a task's name: the task, and its generation 0, which all methods have in common."""

    @cache
    def run_first(name):
        (task,) = load_suite("quick").choose(name)
        store = Stops(1)
        with pytest.raises(KeyboardInterrupt):
            run_lineage(task, Mitigation, 0, store, shared_cache)
        return task, store

    return run_first


def read_frozen(name, task):
    """The primary metric of a frozen lineage, generation by generation."""
    (kept,) = find_frozen("quick", hashes([task]), (0,))[name].tasks[task.name].lineages
    return kept.curve(task.evaluation.primary)


def test_the_frozen_generation_0_is_what_the_code_gives(begin):
    """The task's hash covers its definition, not the code that runs it: the code is run."""
    task, begun = begin("digits-web")
    new = begun.records[0]["profile"][task.evaluation.primary]
    assert [new] * 2 == pytest.approx(
        [read_frozen(name, task)[0] for name in REFERENCES], abs=GIVEN
    )


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["digits-web", "speeches-web"])
@pytest.mark.parametrize("name", REFERENCES)
def test_frozen_numbers_are_what_the_code_gives(name, chosen, begin, shared_cache):
    task, begun = begin(chosen)
    store = Stops(COMPARED, begun)
    with pytest.raises(KeyboardInterrupt):
        run_lineage(task, find_method(name).load(), 0, store, shared_cache)
    for t, old in enumerate(read_frozen(name, task)[:COMPARED]):
        sampled = name == "nothing" and t > 0
        new = store.records[t]["profile"][task.evaluation.primary]
        assert new == pytest.approx(old, abs=SAMPLED if sampled else GIVEN), t


def test_a_run_uses_frozen_references_and_says_so(frozen_run, tmp_path):
    results = benchmark.run("anchor", workers=1, out=tmp_path / "a")
    assert list(results) == ["anchor", "nothing", "clean"]
    used = {"nothing": "frozen", "clean": "frozen"}
    assert [result.references for result in results.values()] == [used] * 3
    assert list(results["clean"].tasks) == list(tiny.REPLACE)
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
    assert named["nothing"].references == {"nothing": "own", "clean": "frozen"}


def test_other_seeds_and_tasks_are_run(frozen_run):
    tasks = hashes(tiny.PROFILED.tasks)
    assert find_frozen("quick", tasks, (0,))
    assert find_frozen("quick", tasks, (0, 1)) == {}
    assert find_frozen("quick", tasks | {"digits-replace": "another hash"}, (0,)) == {}
    assert find_frozen("other", tasks, (0,)) == {}


def test_only_a_whole_true_run_can_be_frozen(frozen_run, tmp_path):
    def spoiled(name: str, change) -> Path:
        folder = tmp_path / name
        shutil.copytree(frozen_run / "quick", folder)
        document = json.loads((folder / "clean.json").read_text())
        change(document)
        (folder / "clean.json").write_text(json.dumps(document))
        return folder

    def fail(document):
        generation = document["tasks"]["digits-replace"]["lineages"][0]["generations"][-1]
        generation |= {"status": "diverged", "message": "it diverged"}

    for name, change, sentence in [
        ("part", lambda d: d["tasks"].pop("digits-replace"), "not a run of all of suite 'quick'"),
        ("old", lambda d: d["tasks"]["digits-replace"].update(hash="0"), "other versions"),
        ("failed", fail, "it diverged"),
        ("source", lambda d: d["method"].update(source="0"), "another clean.py"),
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
    assert document["files"]["clean"] == str(tmp_path / "frozen" / "quick" / "clean.json")


# --- the rule ----------------------------------------------------------------------------------


def lay(folder, *results):
    """Writes results into a folder; the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{result.method.name}.json" for result in results]
    for file, result in zip(files, results, strict=True):
        file.write_bytes(result.to_json())
    return files[0]


def test_frozen_references_win_over_those_that_a_result_brings(tmp_path, monkeypatch, capsys):
    """Nobody is scored against references that he chose himself, whoever scores."""
    with toys.frozen(tmp_path / "frozen"):
        kind = {name: toys.result(name, origin="own") for name in REFERENCES}
        kind["clean"] = kind["nothing"].model_copy(update={"method": kind["clean"].method})
        claim = toys.result("anchor", 0.3, origin="own")
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
    file = lay(tmp_path / "results" / "small", half(), nothing(), clean())
    beside = [file.parent / f"{name}.json" for name in REFERENCES]
    assert list(find_references(half(), file)) == beside
    lay(tmp_path / "references" / "small" / "half", nothing())  # one alone is not enough
    assert list(find_references(half(), file)) == beside
    with pytest.raises(InputError, match=r"references/small/half/clean\.json is not there"):
        find_references(half(), file, beside=False)
    lay(tmp_path / "references" / "small" / "half", clean())
    sent = [tmp_path / "references" / "small" / "half" / f"{name}.json" for name in REFERENCES]
    assert list(find_references(half(), file)) == sent
    assert list(find_references(half(), file, wanted=["clean"])) == sent[1:]


def test_references_must_be_comparable_and_what_they_are_called(tmp_path):
    file = lay(tmp_path / "small", half(), nothing(), clean(seeds=(0, 1)))
    with pytest.raises(InputError, match="have different seeds"):
        find_references(half(), file)
    (file.parent / "clean.json").write_bytes(nothing().to_json())
    with pytest.raises(InputError, match="should be the reference 'clean', but is a result of"):
        find_references(half(), file)
    (file.parent / "clean.json").unlink()
    with pytest.raises(InputError, match="autophagy run clean --suite small, with the same"):
        find_references(half(), file)


def test_references_given_by_hand_do_not_win_over_frozen_ones(tmp_path, monkeypatch, capsys):
    """`score runs/small/*.json` is no way to be scored against references of one's choice ..."""
    with toys.frozen(tmp_path / "frozen"):
        cheap = toys.result("nothing", origin="own")
        for task in cheap.tasks.values():
            for lineage in task.lineages:
                for generation in lineage.generations[1:]:
                    generation.profile[task.primary] += 5
        words = [toys.store(tmp_path, some) for some in (toys.result("anchor", 0.3), cheap)]
        assert cli(monkeypatch, "score", *words, "--json") == 0
        files = json.loads(capsys.readouterr().out)["files"]
        assert files["nothing"] == str(frozen_file("small", "nothing"))


@pytest.mark.parametrize("command", ["score", "report"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_reference_of_ones_own_may_be_given_first(
    tmp_path, monkeypatch, capsys, command, order
):  # fmt: skip
    """`score runs/quick/clean.json leaderboard/results/quick/anchor.json`, in whatever order."""
    with toys.frozen(tmp_path / "frozen"):
        mine = toys.result("clean", origin="own")
        for task in mine.tasks.values():
            task.lineages[0].generations[1].profile[task.primary] += 0.01
        words = [toys.store(tmp_path / "own", mine), toys.store(tmp_path, toys.result("anchor"))]
        options = ["--json"] if command == "score" else ["--out", tmp_path / "page"]
        monkeypatch.setattr("benchmark.report.page.draw_panels", blank)
        assert cli(monkeypatch, command, *words[::order], *options) == 0
        if command == "score":
            files = json.loads(capsys.readouterr().out)["files"]
            assert files == {
                "anchor": str(words[1]),
                **{name: str(frozen_file("small", name)) for name in REFERENCES},
            }
        else:
            assert ">anchor<" in (tmp_path / "page" / "report.html").read_text()


def test_unless_the_results_were_scored_against_their_own(tmp_path, monkeypatch, capsys):
    """... but those of a GPU are compared with those of the same GPU."""
    with toys.frozen(tmp_path / "frozen"):
        own = [toys.result(name, origin="own") for name in ("anchor", *REFERENCES)]
        for task in own[1].tasks.values():
            for lineage in task.lineages:
                lineage.generations[1].profile[task.primary] += 0.01
        file, lower, _ = (toys.store(tmp_path / "cuda", some) for some in own)
        assert cli(monkeypatch, "score", file, lower, "--json") == 0
        files = json.loads(capsys.readouterr().out)["files"]
        assert files["nothing"] == str(lower)
        assert files["clean"] == str(frozen_file("small", "clean"))
