"""The results that come with the benchmark are of the methods and tasks as they are now."""

import runpy
from pathlib import Path

import pytest

from benchmark.basics.cache import NoCache
from benchmark.interface.access import Access
from benchmark.interface.find import find_method
from benchmark.interface.names import REFERENCES
from benchmark.lineage.loop import open_world
from benchmark.lineage.web import Web
from benchmark.lineage.workshop import Workshop
from benchmark.results.references import read_with_references
from benchmark.results.schema import load_result
from benchmark.results.standings import rank_results
from benchmark.submission.trust import find_state, load_rerun, load_trust
from benchmark.tasks.suites import load_suite
from tests.stored import skip_if_stale

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "leaderboard" / "results").glob("*/*.json"))
TRUST = sorted((ROOT / "leaderboard" / "results").glob("*/trust/*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_published_result_is_of_this_method_on_these_tasks(file):
    skip_if_stale()
    result, suite = load_result(file), load_suite(file.parent.name)
    submitted = ROOT / "submissions" / file.stem / "method.py"
    method = find_method(submitted if submitted.exists() else file.stem)
    if submitted.exists():
        shown = ROOT / "leaderboard" / "submissions" / file.stem / "card.yaml"
        assert shown.read_text() == submitted.with_name("card.yaml").read_text()
    assert (result.method.name, result.suite) == (method.name, suite.name)
    assert result.method.source == method.source, "the method changed: run it again"
    assert {Access[name] for name in result.method.access} == method.access
    assert {name: task.hash for name, task in result.tasks.items()} == {
        task.name: task.hash for task in suite.tasks
    }
    for task in result.tasks.values():
        assert tuple(lineage.seed for lineage in task.lineages) == suite.seeds


@pytest.mark.parametrize("file", TRUST, ids=lambda file: f"{file.parents[1].name}/{file.stem}")
def test_the_record_of_every_re_run_that_is_named_is_there(file):
    result = file.parents[1] / file.name
    state = find_state(result.read_bytes(), load_trust(result))
    assert state.record_sha256 or state.name != "re-run"
    if state.record_sha256:
        assert load_rerun(result, state).agrees == (state.name == "re-run")


@pytest.mark.parametrize("suite", sorted({file.parent.name for file in FILES}))
def test_those_of_a_suite_are_one_table(suite):
    skip_if_stale()
    files = [file for file in FILES if file.parent.name == suite]
    found = rank_results(read_with_references(files))
    assert {standing.method for standing in found} == {
        *(file.stem for file in files),
        *REFERENCES,
    }


@pytest.mark.parametrize(
    "task",
    [
        pytest.param(task, marks=pytest.mark.slow if task.modality == "pair" else ())
        for task in load_suite("quick").tasks
    ],
    ids=lambda task: task.name,
)
def test_the_submission_that_knows_the_public_seeds_knows_them_and_no_other(task):
    """What the demonstration claims to do, it does: else its rejection would show nothing."""
    found = runpy.run_path(str(ROOT / "submissions" / "known_seeds" / "method.py"))
    crawls = [
        Web(open_world(task, seed), task.schedule, task.n, None, None).crawl(
            0, Workshop(task, seed, NoCache()).rng(0, "crawl")
        )[0]
        for seed in (0, 1)
    ]
    known = [found["checksum"](crawl) in found["KnownSeeds"].known for crawl in crawls]
    assert known == [True, False]
