"""A submission from its template to a verified entry, with the real sandbox and the real client."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants

import benchmark.tasks.suites
from benchmark.commands.main import main
from benchmark.results.schema import load_result
from benchmark.submission import trial
from benchmark.submission.trust import find_state, load_trust
from benchmark.tasks.suites import Suite, load_task
from benchmark.tasks.task import Task
from tests import tiny
from tests.hub import LoopbackHub
from tests.system import needs_bubblewrap

OWN = Path(__file__).parents[1] / "submissions" / "tail_quota"


def cli(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Exit status of `autophagy WORDS` in this process."""
    monkeypatch.setattr(sys, "argv", ["autophagy", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def learning(task: Task) -> Task:
    """Tiny, but trained until it makes a difference what it is trained on: scores need that."""
    task = tiny.tiny(task)
    return replace(task, generator=replace(task.generator, steps=40))


@needs_bubblewrap
@pytest.mark.slow
def test_a_pull_request_is_checked_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Sent by one, then fetched, re-scored and run again in the sandbox by another."""
    suite = Suite("quick", "one task", (learning(load_task("digits-replace", "closed")),), (0,))
    monkeypatch.setattr(trial, "shrink_task", tiny.tiny)
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: suite)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    folder = tmp_path / "tail_quota"
    shutil.copytree(OWN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert cli(monkeypatch, "run", folder / "method.py", "--workers", 1) == 0
    result = tmp_path / "runs" / "quick" / "tail_quota.json"
    with LoopbackHub() as hub:
        repo = hub.create("datasets", "org/results")
        monkeypatch.setenv("HF_TOKEN", hub.token)
        where = ("--repo", "org/results", "--endpoint", hub.url)
        assert cli(monkeypatch, "submit", folder, "--result", result, *where) == 0
        words = ("--findings", tmp_path / "ours", *where)
        assert cli(monkeypatch, "queue", *words) == 0
        assert "autophagy verify --from-pr 1" in capsys.readouterr().out
        more = ("--seeds", f"{2**62},{2**62 + 1}", "--workers", 1, "--comment")
        status = cli(monkeypatch, "verify", "--from-pr", 1, *more, *words)
        (comment,) = repo.requests[0].comments
    state = find_state(result.read_bytes(), load_trust(result, tmp_path / "ours"))
    assert (status, state.name) in ((0, "re-run"), (1, "re-scored"))
    (kept,) = (tmp_path / "ours/results/quick/verified").glob("tail_quota-*.json")
    record = json.loads(kept.read_text())
    assert record["seeds"] == [str(2**62), str(2**62 + 1)]
    assert ("It agrees" in comment) == record["agrees"]


@needs_bubblewrap
@pytest.mark.slow
def test_from_new_to_verified(tmp_path, monkeypatch, capsys):
    """On a task of another modality than above; the trial is as large as any author's."""
    suite = Suite("quick", "one task", (learning(load_task("numerals-replace", "closed")),), (0,))
    monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: suite)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    assert cli(monkeypatch, "new", "tail_quota") == 0
    folder = tmp_path / "submissions" / "tail_quota"
    for file in OWN.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    assert cli(monkeypatch, "validate", folder, "--json") == 0
    document = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert document["passed"]
    assert {check["status"] for check in document["checks"]} == {"ok"}

    assert cli(monkeypatch, "run", folder / "method.py", "--workers", 1) == 0
    result = tmp_path / "runs" / "quick" / "tail_quota.json"

    with LoopbackHub() as hub:
        repo = hub.create("datasets", "org/results")
        monkeypatch.setenv("HF_TOKEN", hub.token)
        words = ("submit", folder, "--result", result, "--repo", "org/results")
        assert cli(monkeypatch, *words, "--endpoint", hub.url) == 0
        assert "Opened a pull request" in capsys.readouterr().out
        repo.merge(1)
        files = repo.refs["main"].files
    dataset = tmp_path / "dataset"
    for path, blob in files.items():
        (dataset / path).parent.mkdir(parents=True, exist_ok=True)
        (dataset / path).write_bytes(blob.content)

    claim = dataset / "results" / "quick" / "tail_quota.json"
    assert load_result(claim) == load_result(result)
    assert find_state(claim.read_bytes(), load_trust(claim)).name == "self-reported"
    samples = dataset / "samples" / "quick" / "tail_quota"
    assert cli(monkeypatch, "rescore", claim, "--samples", samples) == 0
    assert find_state(claim.read_bytes(), load_trust(claim)).name == "re-scored"

    words = ("verify", dataset / "submissions" / "tail_quota", "--result", claim, "--workers", 1)
    status = cli(monkeypatch, *words, "--seeds", f"{2**62},{2**62 + 1}")
    (kept,) = (claim.parent / "verified").glob(f"{claim.stem}-*.json")
    record = json.loads(kept.read_text())
    assert record["seeds"] == [str(2**62), str(2**62 + 1)]
    assert not record["seeds_drawn"]
    assert np.isfinite(list(record["comparison"].values())).all()
    state = find_state(claim.read_bytes(), load_trust(claim))
    assert (status, state.name) == ((0, "re-run") if record["agrees"] else (1, "re-scored"))
