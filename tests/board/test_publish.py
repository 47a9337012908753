"""Results of the baselines are stored with their samples, if they are what they say."""

import json

import pytest

import benchmark.tasks.suites
from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.results.gallery import Gallery, Shown, load_gallery
from benchmark.results.schema import load_result
from benchmark.submission.trust import load_trust
from benchmark.tasks.suites import load_suite
from leaderboard.board.opening import choose_shown_tasks
from leaderboard.board.source import HERE
from leaderboard.publishing.publish import pick_shown, publish_result
from tests import tiny
from tests.stored import skip_if_stale


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A result of `anchor`, said to be scored against frozen references."""
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
    monkeypatch.setattr("benchmark.submission.claim.find_frozen", lambda *_: {"nothing": None})
    file = finished.copy(tmp_path).result_of("anchor")
    result = load_result(file)
    result.references = dict.fromkeys(result.references, "frozen")
    file.write_bytes(result.to_json())
    return file


def test_a_result_and_its_samples_are_stored(run, tmp_path):
    publish_result(run, tmp_path / "board")
    assert (tmp_path / "board/results/quick/anchor.json").read_bytes() == run.read_bytes()
    gallery = load_gallery(tmp_path / "board/gallery/quick/anchor.json")
    assert set(gallery.tasks) == set(tiny.REPLACE)
    trust = load_trust(tmp_path / "board/results/quick/anchor.json")
    assert [(step.state, step.by) for step in trust.steps] == [("measured", "the maintainers")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": {"source": "0" * 64}}, "another version of the baseline anchor"),
        ({"references": {"nothing": "own", "clean": "own"}}, "against its own references"),
        ({"benchmark_version": "9"}, "of version '9'"),
    ],
)
def test_what_does_not_belong_there_is_refused(run, tmp_path, change, reason):
    document = json.loads(run.read_text())
    for key, value in change.items():
        document[key] = document[key] | value if isinstance(value, dict) else value
    run.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    with pytest.raises(InputError, match=reason):
        publish_result(run, tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_a_copy_of_a_reference_leaves_the_gallery_of_its_own_run(run, tmp_path, monkeypatch):
    """Every run has a copy of the frozen references, without their samples."""
    monkeypatch.setattr("leaderboard.publishing.publish._check_frozen", lambda *_: None)
    own = run.with_name("clean.json")
    copy = tmp_path / "runs_of_others" / "quick" / own.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(own.read_bytes())
    for file in (own, copy):
        publish_result(file, tmp_path / "board")
    gallery = load_gallery(tmp_path / "board/gallery/quick/clean.json")
    assert set(gallery.tasks) == set(tiny.REPLACE)


def test_of_many_tasks_the_first_of_each_modality_is_shown():
    names = [task.name for task in load_suite("stress").tasks]
    gallery = Gallery(tasks={name: Shown(seed=0, texts={0: "here"}) for name in names})
    kept = pick_shown(gallery, "stress").tasks
    assert sorted(kept) == ["digits-web-adoption", "numerals-web-static", "speeches-web-adoption"]
    assert pick_shown(gallery, "small").tasks == {}


@pytest.mark.parametrize("kind", ["results", "gallery"])
def test_results_and_galleries_come_in_pairs(kind):
    skip_if_stale()
    other = {"results": "gallery", "gallery": "results"}[kind]
    files = sorted((HERE / kind).glob("*/*.json"))
    assert files
    for file in files:
        if file.stem in REFERENCES:
            continue
        assert (HERE / other / file.parent.name / file.name).exists(), file
        if kind == "gallery":
            result = load_result(HERE / other / file.parent.name / file.name)
            assert set(json.loads(file.read_text())["tasks"]) == {
                name
                for name, task in result.tasks.items()
                if task.lineages[0].generations[0].status != "inapplicable"
                and name in {shown.name for shown in choose_shown_tasks(file.parent.name)}
            }
