"""Recorded training is the training of `fit`. Without a GPU nothing is recorded: a recording's
actions are called themselves, with the same static tensors, in the same order."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from benchmark import Sampling, TrainingSet
from benchmark.basics.errors import Diverged
from benchmark.basics.seeds import stream
from benchmark.tasks.images import unet
from benchmark.tasks.text import gpt2_network
from benchmark.tasks.text.language import make_chooser
from benchmark.tasks.text.writing import Writer
from benchmark.tasks.training import graphs
from benchmark.tasks.training.fit import fit, pace, visits
from tests.hub import tiny
from tests.pairs import loss_of_part
from tests.tiny import era_of

TASKS = tiny.toys()


@pytest.fixture(scope="module", autouse=True)
def copies(tmp_path_factory) -> Iterator[None]:
    with tiny.copies(tiny.write, tmp_path_factory.mktemp("copies")):
        yield


@pytest.fixture(params=("cifar10-replace", "stories-replace"))
def setup(request, monkeypatch):
    """(generator, real items) with no recording kept."""
    monkeypatch.setattr(graphs, "_steps", graphs.Recent(graphs.KEPT))
    monkeypatch.setattr(graphs, "_passes", graphs.Recent(1))
    task = TASKS[request.param]
    generator = task.generator.build()
    return generator, era_of(task.data.build(), 24, 8, "graphs").real


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What is freed is freed by its last reference; a cycle would keep it."""
    gc.disable()
    yield
    gc.enable()


def nothing() -> None:
    """What comes after a step."""


def hook(per_element: Tensor, outputs: Tensor) -> Tensor:
    return per_element * (per_element < per_element.mean()) + 0.01 * outputs.square().mean()


def both(generator, data: TrainingSet, steps: int = 12, model=None, lr: float = 1e-3):
    """Weights by `training.fit` and by `graphs.fit`, and how often each called what comes after."""
    torch.manual_seed(0)
    start = generator.blank() if model is None else model
    found = []
    for recorded in (False, True):
        rng, calls = stream("fit"), []
        objective = generator.objective(data, None, rng)
        trained = copy.deepcopy(start)

        def after(calls=calls, trained=trained) -> None:
            calls.append(float(next(trained.parameters()).detach().sum()))

        if recorded:
            rates = [lr * pace(i, steps, 0.1) for i in range(steps)]
            rows = visits(len(data), generator.batch, steps, rng)
            graphs.fit(trained, objective, rows, rates, 0.01, 1.0, after)
        else:
            fit(trained, objective, len(data), steps, generator.batch, lr, rng, after=after)
        found.append((tiny.weights(trained), calls))
    return found


def test_a_training_with_a_hook_is_not_recorded(setup):
    """A hook is arbitrary Python; a replay would not call it."""
    generator, real = setup
    data = TrainingSet(real)
    assert generator.objective(data, hook, stream("h")).family is None
    assert generator.objective(data, None, stream("h")).family == generator.family


@pytest.mark.parametrize("weighted", [False, True])
def test_recorded_training_is_the_training(setup, weighted):
    generator, real = setup
    weights = torch.rand(len(real), generator=stream("w")) if weighted else None
    (plain, seen), (recorded, seen_too) = both(generator, TrainingSet(real, weights))
    # AdamW moves a weight whose gradient is next to nothing by the sign of its rounding.
    assert (
        (plain - recorded).abs().mean()
        < 1e-6
        < (plain - tiny.weights(generator.blank())).abs().mean()
    )
    assert len(seen) == len(seen_too) == 12
    assert seen == pytest.approx(seen_too, abs=1e-3)  # what comes after a step sees its weights


@pytest.mark.parametrize("part", ["painter", "writer"])
def test_recorded_training_of_pairs_is_the_training(part, monkeypatch):
    monkeypatch.setattr(graphs, "_steps", graphs.Recent(graphs.KEPT))
    task = TASKS["icons-replace"]
    generator = task.generator.build()
    real = era_of(task.data.build(), 24, 8, "graphs").real
    assert loss_of_part(generator, part, real, hook, stream("h")).family is None
    torch.manual_seed(0)
    start = getattr(generator.blank(), part)
    plain, recorded = copy.deepcopy(start), copy.deepcopy(start)
    rng = stream("fit")
    fit(plain, loss_of_part(generator, part, real, None, rng), len(real), 6, 8, 1e-3, rng)
    rng = stream("fit")
    loss = loss_of_part(generator, part, real, None, rng)
    assert loss.family == (part, generator.family)
    rates = [1e-3 * pace(i, 6, 0.1) for i in range(6)]
    graphs.fit(recorded, loss, visits(len(real), 8, 6, rng), rates, 0.01, 1.0, nothing)
    one, other, first = map(tiny.weights, (plain, recorded, start))
    # AdamW moves a weight whose gradient is next to nothing by the sign of its rounding.
    assert (one - other).abs().mean() < 0.01 * (one - first).abs().mean()


def test_a_recording_serves_one_training_after_another(setup):
    """Nothing of an earlier training is left in it: neither weights nor the optimiser's moments."""
    generator, real = setup
    first = both(generator, TrainingSet(real))[1][0]
    both(generator, TrainingSet(real), steps=7, lr=1e-2)
    assert torch.equal(both(generator, TrainingSet(real))[1][0], first)
    assert len(graphs._steps.kept) == 1


def test_a_trained_model_keeps_its_weights_when_the_next_is_trained(setup):
    generator, real = setup
    rng = stream("fit")
    objective = generator.objective(TrainingSet(real), None, rng)

    def trained(steps: int):
        rows = visits(len(real), generator.batch, steps, rng)
        return graphs.fit(generator.blank(), objective, rows, [1e-3] * steps, 0.01, 1.0, nothing)

    one = trained(3)
    before = tiny.weights(one).clone()
    trained(3)
    assert torch.equal(tiny.weights(one), before)


def test_a_loss_that_is_not_finite_is_a_divergence(setup):
    generator, real = setup
    broken = generator.blank()
    with torch.no_grad():
        next(broken.parameters()).fill_(torch.nan)
    with pytest.raises(Diverged):
        both(generator, TrainingSet(real), model=broken, steps=2)
    objective = generator.objective(TrainingSet(real), None, stream("d"))
    rows = visits(24, 8, 2, stream("d"))
    with pytest.raises(Diverged):
        graphs.fit(broken, objective, rows, [1e-3] * 2, 0.01, 1.0, nothing)


def test_small_updates_are_not_lost_in_bf16(setup, monkeypatch):
    """A weight near one has bf16 neighbours 0.004 to 0.008 apart; 60 steps of 1e-4 move it.

    Small networks compute so on a GPU, unrecorded."""
    generator, real = setup
    bf16 = torch.autocast("cpu", torch.bfloat16)
    moved = []
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        model, rng = generator.blank(), stream("b")
        before = tiny.weights(model)
        objective = generator.objective(TrainingSet(real), None, rng)
        if dtype == torch.bfloat16:
            monkeypatch.setattr(generator, "arithmetic", lambda: bf16)
        fit(model, objective, len(real), 60, 8, 1e-4, rng, dtype=dtype)
        assert next(model.parameters()).dtype == torch.float32
        moved.append(tiny.weights(model) - before)
    assert torch.nn.functional.cosine_similarity(*moved, dim=0) > 0.7


def test_the_least_recently_used_recording_goes():
    recent = graphs.Recent(2)
    made = []
    for key in "abacab":
        recent.get(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]


def test_a_compiled_pass_is_the_models_with_products_in_bf16():
    generator = TASKS["cifar10-replace"].generator.build()
    model, other = generator.blank(), generator.blank()
    x = torch.randn(6, *generator.shape, generator=stream("x"))
    given = (torch.full((6,), 500.0), torch.arange(6))
    with torch.no_grad():
        for network in (model, other):  # the second one's weights replace the first one's
            ready = graphs.Compiled(network, generator.family, rows=6)
            with torch.autocast("cpu", torch.bfloat16):
                own, fast = network(x, *given).sample, ready(x, *given).sample
            assert torch.allclose(own.float(), fast.float(), atol=3e-2)
            part = ready(x[:2], *(y[:2] for y in given)).sample  # not of that many rows: itself
            assert torch.equal(part, network(x[:2], *(y[:2] for y in given)).sample)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("cifar10-replace", None),
        pytest.param("stories-replace", None, marks=pytest.mark.slow),
        pytest.param("icons-replace", "painter", marks=pytest.mark.slow),
        ("icons-replace", "writer"),
    ],
)
def test_the_networks_can_be_compiled_whole(name, part):
    """No part of a training step's forward pass makes the compiler fall back to Python."""
    generator = TASKS[name].generator.build()
    real = era_of(TASKS[name].data.build(), 24, 8, "graphs").real
    network = generator.blank()
    if part is None:
        objective = generator.objective(TrainingSet(real), None, stream("c"))
    else:
        objective, network = (
            loss_of_part(generator, part, real, None, stream("c")),
            getattr(network, part),
        )
    inputs = objective.inputs(*objective.draw(torch.arange(8)))
    torch._dynamo.reset()
    whole = torch.compile(
        lambda model, *x: objective.score(objective.predict(model, *x), *x),
        backend="eager", fullgraph=True, dynamic=False,
    )  # fmt: skip
    own = objective.score(objective.predict(network, *inputs), *inputs)
    assert torch.allclose(whole(network, *inputs), own)


@pytest.mark.parametrize(
    ("compilers", "named", "headers", "lack"),
    [
        (("gcc",), None, True, ""),
        (("clang",), None, True, ""),
        (("cc",), None, True, "a C compiler"),  # Triton does not look for it ...
        (("cc",), "cc", True, ""),  # ... unless it is named
        (("gcc",), "absent", True, "the C compiler that CC names, 'absent'"),
        (("gcc",), None, False, "Python's headers"),
        ((), None, True, "a C compiler"),
    ],
)
def test_what_triton_lacks_is_not_compiled(compilers, named, headers, lack, tmp_path, monkeypatch):
    for name in compilers:
        (tmp_path / name).touch(0o755)
    if headers:
        (tmp_path / "Python.h").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    if named is not None:
        monkeypatch.setenv("CC", named)
    monkeypatch.setattr(graphs.sysconfig, "get_paths", lambda scheme: {"include": str(tmp_path)})
    assert graphs.find_lack().startswith(lack)
    assert bool(graphs.find_lack()) == bool(lack)
    asked = []
    monkeypatch.setattr(torch, "compile", lambda function, dynamic: asked.append(function))
    graphs.compiled(nothing, torch.device("cuda"))
    assert asked == ([] if lack else [nothing])


def test_own_passes_are_the_libraries():
    torch.manual_seed(0)
    model = gpt2_network.build_gpt2(50, 16, 2, 2, 12).eval()
    tokens = torch.randint(50, (3, 12), generator=stream("t"))
    with torch.no_grad():
        theirs = model.transformer(input_ids=tokens).last_hidden_state
        assert torch.allclose(gpt2_network.hidden_of(model, tokens), theirs, atol=1e-5)
        network = unet.build_unet(8, (8, 8), (False, True), 1, 4, 10).eval()
        x = torch.randn(65, 3, 8, 8, generator=stream("x"))
        given = (torch.ones(65), torch.zeros(65, dtype=torch.int64))
        own = network(x, *given).sample
        for part in network.modules():
            if isinstance(part, unet.Doubling):
                part.__class__ = part.__class__.__mro__[1]
        assert torch.allclose(network(x, *given).sample, own, atol=1e-5)


def test_samples_do_not_depend_on_what_was_compiled_before():
    generator = TASKS["cifar10-replace"].generator.build()
    model = generator.blank()
    plain = generator.sample(model, 10, stream("s"), Sampling())
    assert torch.equal(
        generator.sample(model, 10, stream("s"), Sampling())["image"], plain["image"]
    )


def written_by(writer: Writer, model, seed: str = "u") -> Tensor:
    uniform = torch.rand(4, 12, generator=stream(seed))
    return writer.write(model, 0, uniform, make_chooser(Sampling()))


@pytest.fixture
def speaker() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return gpt2_network.build_gpt2(50, 16, 2, 2, 12).eval()


def test_a_model_that_diverges_leaves_nothing_in_a_kept_writer(speaker):
    writer = Writer(speaker, 4, 12, recorded=True)
    before = written_by(writer, speaker)
    broken = copy.deepcopy(speaker)
    with torch.no_grad():
        broken.transformer.wpe.weight[8:] = torch.inf  # places that the next text reaches late
    with pytest.raises(Diverged):
        written_by(writer, broken)
    assert torch.equal(written_by(writer, speaker), before)


def test_what_is_kept_serves_others_though_a_hook_in_inference_mode_made_it(speaker):
    with torch.inference_mode():
        writer, norm = Writer(speaker, 4, 12, recorded=True), torch.nn.LayerNorm(4)
        kept = graphs.Pass(norm)
        before = written_by(writer, speaker)
    assert torch.equal(written_by(writer, speaker), before)
    kept(norm, norm, torch.zeros(1, 4))
    kept(writer, norm, torch.zeros(1, 4))  # takes its weights over again


def test_at_the_end_of_a_lineage_no_recording_holds_memory(setup):
    generator, real = setup
    both(generator, TrainingSet(real), steps=2)
    assert graphs._steps.kept
    graphs.forget_recordings()
    assert not any(recent.kept for recent in graphs.Recent.all)


@pytest.mark.parametrize("recorded", [False, True])
def test_a_writer_is_freed_when_nobody_needs_it(recorded, speaker, without_collector):
    writer = Writer(speaker, 4, 12, recorded=recorded)
    written_by(writer, speaker)
    gone = weakref.ref(writer)
    del writer
    assert gone() is None


def test_a_step_is_freed_when_nobody_needs_it(setup, without_collector):
    generator, real = setup
    both(generator, TrainingSet(real), steps=2)
    (gone,) = map(weakref.ref, graphs._steps.kept.values())
    graphs._steps.kept.clear()
    assert gone() is None


def test_a_compiled_pass_keeps_no_model_and_no_model_keeps_it(without_collector, monkeypatch):
    monkeypatch.setattr(graphs, "_passes", graphs.Recent(1))
    generator = TASKS["cifar10-replace"].generator.build()
    ready = graphs.Compiled(generator.blank(), generator.family, rows=6)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        ready(torch.randn(6, *generator.shape), torch.full((6,), 500.0), torch.arange(6))
    model, kept = weakref.ref(ready), weakref.ref(ready.shared)
    del ready
    assert model() is None
    graphs._passes.kept.clear()
    assert kept() is None
