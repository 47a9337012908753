"""Re-scoring: the uploaded samples give the claimed numbers, or it is said which do not."""

import json
import sys

import pytest
import torch

from benchmark.basics.files import read_tensors, write_tensors
from benchmark.commands.main import main
from benchmark.results.schema import load_result
from benchmark.submission.folder import read_folder
from benchmark.submission.rescore import rescore_claim
from benchmark.submission.trust import find_state, load_trust
from benchmark.submission.upload import list_parts

SPEECHES = "speeches-replace-seed0"


@pytest.fixture
def uploaded(finished, tmp_path):
    """The claim and the folder of its samples, as in the dataset."""
    result = load_result(finished.result)
    for part in list_parts(read_folder(finished.folder), result, finished.result):
        path = tmp_path / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part.read())
    return tmp_path / "results/quick/tail_quota.json", tmp_path / "samples/quick/tail_quota"


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["autophagy", "rescore", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return stop.code or 0
    return 0


def test_honest_samples_give_the_claimed_numbers(uploaded):
    claim, samples = uploaded
    rows = rescore_claim(load_result(claim), samples)
    assert [(row.task, row.generation) for row in rows] == [
        ("digits-replace", 2),
        ("speeches-replace", 2),
    ]
    for row in rows:
        assert row.agrees
        assert row.recomputed == pytest.approx(row.claimed, abs=1e-6)


@pytest.mark.parametrize(
    ("task", "metric"), [("digits-replace", "log_frechet"), ("speeches-replace", "heldout_loss")]
)
def test_a_better_number_than_the_samples_give_is_found(
    uploaded, monkeypatch, capsys, task, metric
):
    claim, samples = uploaded
    document = json.loads(claim.read_text())
    document["tasks"][task]["lineages"][0]["generations"][2]["profile"][metric] *= 0.99
    claim.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    assert command(monkeypatch, claim, "--samples", samples) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert f"does not agree: {task}, seed 0." in out
    assert load_trust(claim) is None
    assert command(monkeypatch, claim, "--samples", samples, "--reject") == 1
    state = find_state(claim.read_bytes(), load_trust(claim))
    assert (state.name, task in state.reason) == ("rejected", True)
    assert command(monkeypatch, claim, "--samples", samples) == 1


def spoil_tokens(tensors):
    tensors["tokens"][0, 0] = 30_000
    return tensors


def spoil_weights(tensors):
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    return tensors


@pytest.mark.parametrize(
    ("kind", "spoil", "said"),
    [
        ("samples", spoil_tokens, "that no item"),
        ("samples", lambda t: {"tokens": t["tokens"][:5]}, "does not hold 40 items"),
        ("samples", lambda t: {"image": t["tokens"]}, "does not hold 40 items"),
        ("samples", lambda t: t | {"extra": torch.zeros(3)}, "does not hold items"),
        ("model", spoil_weights, "not finite"),
        ("model", lambda t: dict(list(t.items())[1:]), "weights of a model of this task"),
    ],
)
@pytest.mark.parametrize("generation", [0, 1, 2])
def test_uploads_of_another_form_are_named(uploaded, kind, spoil, said, generation):
    claim, samples = uploaded
    file = samples / f"{SPEECHES}-{kind}-{generation:02d}.safetensors"
    write_tensors(file, spoil(read_tensors(file)))
    _, row = rescore_claim(load_result(claim), samples)
    assert not row.agrees
    assert said in row.problem
    file.write_bytes(b"0" * 3_000_000)
    assert "bytes: it is none of this task" in rescore_claim(load_result(claim), samples)[1].problem
    file.write_bytes(b"not safetensors")
    assert "cannot be used" in rescore_claim(load_result(claim), samples)[1].problem
    file.unlink()
    assert "is not there" in rescore_claim(load_result(claim), samples)[1].problem
