"""`autophagy cache`: what it shows, what it deletes, and that nothing wrong follows."""

import os
import re
import time

import pytest
import torch
from filelock import FileLock

import benchmark
from benchmark.basics.cache import FolderCache
from benchmark.interface.names import REFERENCES
from benchmark.results.schema import load_result
from benchmark.runs.jobs import find_spent
from benchmark.submission.verify import recall_seeds
from tests.test_run import cli

DAY = 86_400


@pytest.fixture
def full(tmp_path):
    """A cache with three entries of about 8 kB, last used 3, 2 and 1 days ago."""
    cache = FolderCache(tmp_path / "cache")
    for days, key in ((3, "a"), (2, "b"), (1, "c")):
        cache.get("model", key, lambda: {"x": torch.zeros(1000, dtype=torch.float64)})
        path = max(cache.folder.glob("*.safetensors"), key=os.path.getmtime)
        os.utime(path, (time.time() - days * DAY,) * 2)
    return cache


def keys(cache):
    """Which of a, b and c are still kept."""
    kept = []
    for key in "abc":
        made = []
        before = len(cache.entries())
        cache.get("model", key, lambda made=made: made.append(1) or {"x": torch.zeros(1)})
        if not made:
            kept.append(key)
        assert len(cache.entries()) == before + len(made)
    return "".join(kept)


def test_the_longest_unused_goes_first(full):
    assert [entry.kind for entry in full.entries()] == ["model"] * 3
    assert len(full.prune(keep_bytes=17_000)) == 1
    assert keys(full) == "bc"


def test_what_was_not_used_for_long_goes(full):
    full.get("model", "a", dict)  # used now
    full.prune(unused_since=time.time() - 1.5 * DAY)
    assert keys(full) == "ac"


def test_an_entry_in_use_stays(full):
    path = full.entries()[0].path
    with FileLock(str(path.with_suffix(".lock"))):
        deleted = full.prune(keep_bytes=0)
    assert len(deleted) == 2
    assert path.exists()


def test_show_and_prune_on_a_run(finished_run, tmp_path, monkeypatch, capsys):
    out = finished_run.out
    before = load_result(finished_run.result_of("nothing"))
    recall_seeds(out / "seeds" / "digest.json")  # as `autophagy verify` keeps them there
    assert cli(monkeypatch, "cache", "show", "--out", out) == 0
    shown = capsys.readouterr().out
    assert "shared: model" in shown
    assert "quick: samples and models of nothing" in shown

    assert cli(monkeypatch, "cache", "prune", "--out", out, "--samples", "--keep-mb", "0") == 0
    assert "Freed " in capsys.readouterr().out
    assert not list(out.rglob("*.safetensors"))
    assert cli(monkeypatch, "samples", "nothing", "--out", out) == 1
    assert "on digits-replace, seed 0, were pruned: delete" in capsys.readouterr().err
    results = [finished_run.result_of(name) for name in REFERENCES]
    for path in results:  # drawing every entry takes seconds
        found = load_result(path)
        for task in found.tasks.values():
            for generation in task.lineages[0].generations:
                generation.profile = {task.primary: generation.profile[task.primary]}
        path.write_bytes(found.to_json())
    assert cli(monkeypatch, "report", *results, "--out", tmp_path / "report") == 0
    again = benchmark.run("nothing", workers=1, out=out)
    assert again["nothing"].tasks == before.tasks


def test_what_was_computed_on_a_gpu_is_shown_and_pruned_too(
    finished_run, tmp_path, monkeypatch, capsys
):
    out, gpu = tmp_path / "out", tmp_path / "out" / "cuda"
    out.mkdir()
    finished_run.out.rename(gpu)
    code = gpu / "cache" / "compiled" / "ab" / "step.py"
    code.parent.mkdir(parents=True)
    code.write_bytes(bytes(2_000_000))
    assert cli(monkeypatch, "cache", "show", "--out", out) == 0
    lines = capsys.readouterr().out.splitlines()
    for what in ("shared: model", "quick: samples and models of nothing"):
        (line,) = [line for line in lines if what in line]
        assert line.strip().startswith("cuda, ")
    (line,) = [line for line in lines if "cuda, shared: compiled code" in line]
    assert line.split()[4:6] == ["1", "2.0"]
    assert cli(monkeypatch, "cache", "prune", "--out", out, "--samples", "--keep-mb", "0") == 0
    assert not list(out.rglob("*.safetensors"))
    assert code.exists()


def test_unfinished_lineages_keep_their_samples(finished_run, monkeypatch):
    out = finished_run.out
    finished_run.result_of("nothing").unlink()  # as if the run had been interrupted
    assert cli(monkeypatch, "cache", "prune", "--out", out, "--samples") == 0
    left = {path.parent.parent.name for path in (out / "quick").rglob("samples-*")}
    assert left == {"nothing"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "--out", "nowhere"), "there is no folder nowhere"),
        (("prune", "--out", "."), "say what to delete: --unused-days, --keep-mb or --samples"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli(monkeypatch, "cache", *words) == 1
    assert capsys.readouterr().err.startswith(f"autophagy: {sentence}")


@pytest.mark.parametrize("what", ["shared", "samples"])
def test_what_was_freed_before_something_cannot_be_deleted_is_said(
    what, finished_run, full, monkeypatch, capsys
):
    if what == "shared":
        out, words, kept = full.folder.parent, ("--keep-mb", "0"), full.entries()[1].path
        bad = kept.with_suffix(".lock")
    else:
        out, words = finished_run.out, ("--samples",)
        bad = kept = list(find_spent(out))[1]
    bad.unlink()
    bad.mkdir()  # as if another user's
    assert cli(monkeypatch, "cache", "prune", "--out", out, *words) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Freed 0.0 MB" if what == "shared" else "Freed 0.")
    assert re.fullmatch(f"autophagy: cannot use {bad}: Is a directory; see .*\n", said.err)
    assert kept.exists()
