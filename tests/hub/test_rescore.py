"""Re-scoring: the uploaded samples give the claimed numbers, or it is said which do not."""

import errno
import json
import sys
from dataclasses import replace

import pytest
import torch

import benchmark.tasks.suites
from benchmark.basics.errors import Unprinted
from benchmark.basics.files import read_tensors, write_tensors
from benchmark.basics.machine import GPU, find_gpu
from benchmark.basics.processor import describe
from benchmark.commands.main import main
from benchmark.commands.terminal import Terminal
from benchmark.lineage.loop import open_world
from benchmark.results.schema import load_result
from benchmark.submission.rescore import describe_agreement, rescore_claim
from benchmark.submission.trust import find_state, load_trust
from benchmark.tasks.images.evaluators import ImageEvaluator
from tests import tiny

TASKS = {task.modality: task.name for task in tiny.PROFILED.tasks}
TEXT = f"{TASKS['text']}-seed0"


@pytest.fixture
def uploaded(parts, tmp_path):
    """The claim and the folder of its samples, as in the dataset."""
    for part in parts:
        path = tmp_path / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part.read())
    return tmp_path / "results/quick/tail_quota.json", tmp_path / "samples/quick/tail_quota"


@pytest.fixture
def only(uploaded, tmp_path, monkeypatch):
    """A function that leaves one task in suite "quick" and in what was uploaded."""

    def narrow(modality):
        task = next(task for task in tiny.PROFILED.tasks if task.modality == modality)
        suite = replace(tiny.PROFILED, tasks=(task,))
        monkeypatch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: suite)
        for file in (uploaded[0], *tmp_path.glob("references/**/*.json")):
            result = load_result(file)
            result.tasks = {task.name: result.tasks[task.name]}
            file.write_bytes(result.to_json())
        return task

    return narrow


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
        (task.name, task.generations) for task in tiny.PROFILED.tasks
    ]
    for row in rows:
        assert row.agrees
        assert row.recomputed == pytest.approx(row.claimed, abs=1e-6)


@pytest.mark.parametrize("modality", TASKS)
def test_a_better_number_than_the_samples_give_is_found(
    uploaded, only, monkeypatch, capsys, modality
):
    claim, samples = uploaded
    chosen = only(modality)
    task, metric = chosen.name, chosen.evaluation.primary
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
    capsys.readouterr()
    assert command(monkeypatch, claim, "--samples", samples) == 1
    said = capsys.readouterr()
    assert (said.out, "which is final" in said.err) == ("", True)  # before anything is recomputed


def test_what_follows_from_samples_says_whose_references_it_is_scored_against(
    uploaded, only, monkeypatch, capsys
):
    claim, samples = uploaded
    only("image")
    rows = rescore_claim(load_result(claim), samples)
    said = describe_agreement(load_result(claim), claim, rows)
    assert said.endswith("so were its references, which nobody recomputed")
    monkeypatch.setattr("benchmark.submission.rescore.are_frozen", lambda *_: True)
    assert describe_agreement(load_result(claim), claim, rows).endswith("that were sent")


def test_what_a_gpu_computed_is_said_and_not_rejected(uploaded, monkeypatch, capsys):
    claim, samples = uploaded
    document = json.loads(claim.read_text())
    document["hardware"] = f"{describe()}, {GPU}NVIDIA H100 80GB HBM3"
    claim.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    assert command(monkeypatch, claim, "--samples", samples, "--reject") == 1
    assert "was computed on a GPU (NVIDIA H100 80GB HBM3)" in " ".join(
        capsys.readouterr().err.split()
    )
    assert load_trust(claim) is None
    assert find_gpu(describe()) == ""


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
@pytest.mark.parametrize(
    "generation", [0, *(pytest.param(t, marks=pytest.mark.slow) for t in (1, 2))]
)
def test_uploads_of_another_form_are_named(uploaded, only, kind, spoil, said, generation):
    claim, samples = uploaded
    only("text")
    file = samples / f"{TEXT}-{kind}-{generation:02d}.safetensors"
    write_tensors(file, spoil(read_tensors(file)))

    def problem():
        return find(rescore_claim(load_result(claim), samples), "text").problem

    assert said in problem()
    file.write_bytes(b"0" * 3_000_000)
    assert "bytes: it is none of this task" in problem()
    file.write_bytes(b"not safetensors")
    assert "cannot be used" in problem()
    file.unlink()
    assert "is not there" in problem()


@pytest.mark.parametrize("kind", ["F4", "F6_E2M3", "F8_E8M0", None])
def test_an_upload_that_safetensors_reads_and_torch_does_not_costs_its_lineage(
    uploaded, only, kind
):
    claim, samples = uploaded
    if kind is not None:
        only("text")
    offsets = {
        "dtype": kind,
        "shape": [8],
        "data_offsets": [0, {"F4": 4, "F6_E2M3": 6}.get(kind, 8)],
    }
    header = {"tokens": offsets} if kind else {"__metadata__": None}
    text = json.dumps(header).encode()
    content = (
        len(text).to_bytes(8, "little") + text + bytes(offsets["data_offsets"][1] if kind else 0)
    )
    (samples / f"{TEXT}-samples-01.safetensors").write_bytes(content)
    rows = rescore_claim(load_result(claim), samples)
    assert "samples-01.safetensors cannot be used" in find(rows, "text").problem
    if kind is None:
        assert find(rows, "image").agrees
        assert find(rows, "pair").agrees


def test_every_generation_must_be_there_and_follow(uploaded, only):
    claim, samples = uploaded
    only("text")
    for generation in (0, 1, 2):
        for kind in ("samples", "model"):
            file = samples / f"{TEXT}-{kind}-{generation:02d}.safetensors"
            kept = file.read_bytes()
            file.unlink()
            row = find(rescore_claim(load_result(claim), samples), "text")
            assert not row.agrees
            assert f"{kind}-{generation:02d}.safetensors is not there" in row.problem
            file.write_bytes(kept)
        result = load_result(claim)
        of = result.tasks[TASKS["text"]]
        of.lineages[0].generations[generation].profile[of.primary] -= 0.05
        row = find(rescore_claim(result, samples), "text")
        assert (row.generation, row.agrees) == (generation, False)
        assert row.excess > 1


@pytest.mark.parametrize("modality", ["image", "text", "pair"])
@pytest.mark.parametrize("part", ["real", "heldout", "trusted"])
@pytest.mark.parametrize(
    ("generation", "share"),
    [
        (2, 0.1),
        *(pytest.param(*more, marks=pytest.mark.slow) for more in ((1, 0.1), (1, 1.0), (2, 1.0))),
    ],
)
def test_samples_that_are_real_items_are_refused(uploaded, only, modality, generation, part, share):
    """Whatever label they carry, in whatever order, of this era or of an earlier one."""
    claim, samples = uploaded
    task = only(modality)
    file = samples / f"{task.name}-seed0-samples-{generation:02d}.safetensors"
    tensors = read_tensors(file)
    real = getattr(open_world(task, 0)(generation - 1), part)
    count = min(len(real), int(share * task.n))
    for name, values in tensors.items():
        if values[0].numel() > 1:  # labels stay
            values[-count:] = real[name][:count].flip(0)
    write_tensors(file, tensors)
    row = find(rescore_claim(load_result(claim), samples), modality)
    assert not row.agrees
    assert f"holds {count} real items" in row.problem


@pytest.mark.parametrize("modality", ["image", "text", "pair"])
def test_samples_that_nobody_can_tell_from_real_items_are_refused(uploaded, only, modality):
    claim, samples = uploaded
    task = only(modality)
    file = samples / f"{task.name}-seed0-samples-01.safetensors"
    tensors, real = read_tensors(file), open_world(task, 0)(1).real
    for name, values in tensors.items():
        if values[0].numel() > 1:
            made = real[name][: len(values)].clone()
            flat = made.view(len(made), -1)
            one = torch.ones_like(flat[:, 0])
            if made.dtype == torch.uint8 or not made.is_floating_point():
                flat[:, 3] = torch.where(flat[:, 3] > 0, flat[:, 3] - one, one)
            else:
                flat[:, 3] += 1 / 300
            tensors[name] = made
    write_tensors(file, tensors)
    row = find(rescore_claim(load_result(claim), samples), modality)
    assert not row.agrees
    assert "differ from real ones less than anybody sees" in row.problem


def test_labels_that_would_be_a_mark_are_found(uploaded, only, monkeypatch):
    claim, samples = uploaded
    only("image")
    misread = iter([0.0, 1.0, 0.0])  # of generation 0, of generation 1, of generation 0 again
    monkeypatch.setattr(ImageEvaluator, "misread", lambda *_: next(misread))
    row = find(rescore_claim(load_result(claim), samples), "image")
    assert (row.generation, row.agrees) == (1, False)
    assert "samples-01.safetensors: 100% of the labels published are not what" in row.problem


def test_what_agrees_claims_no_more_than_the_claim(uploaded, monkeypatch, capsys):
    """Numbers that follow from samples say nothing of who made these."""
    claim, samples = uploaded
    assert command(monkeypatch, claim, "--samples", samples, "--by", "Ada") == 0
    state = find_state(claim.read_bytes(), load_trust(claim))
    assert (state.name, state.by) == ("re-scored", "Ada")
    assert "follow from the samples that were sent" in state.reason


@pytest.mark.parametrize("honest", [True, False])
def test_what_was_found_is_kept_though_it_cannot_be_printed(uploaded, only, monkeypatch, honest):
    claim, samples = uploaded
    task = only("image")
    if not honest:
        next(samples.glob(f"{task.name}-*-model-*")).unlink()

    def unprinted(*words, **options):
        raise Unprinted from OSError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(Terminal, "print", unprinted)
    assert command(monkeypatch, claim, "--samples", samples, "--reject") == 1
    state = find_state(claim.read_bytes(), load_trust(claim))
    assert state.name == ("re-scored" if honest else "rejected")


def find(rows, modality):
    return next(row for row in rows if row.task == TASKS[modality])
