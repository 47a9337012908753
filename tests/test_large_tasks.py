"""Suite `large` at a toy size: pretrained models that are tuned, by one process and by two.

Nothing here is a result: networks of a few thousand numbers, tuned for two steps.
"""

import copy
import os
from dataclasses import replace

import pytest
import torch

from benchmark import Sampling, TrainingSet
from benchmark.basics import ranks
from benchmark.basics.errors import Diverged, InputError, WorkerLost
from benchmark.basics.seeds import stream
from benchmark.hub.copies import describe_absence
from benchmark.hub.repos import list_repos
from benchmark.interface.find import find_method
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.shared import SharedStore
from benchmark.lineage.store import LineageFolder, LineageMemory
from benchmark.runs import worker
from benchmark.runs.grid import run
from benchmark.runs.jobs import Outcome, plan
from benchmark.runs.sandbox import isolate_method
from benchmark.runs.worker import launch_ranks
from benchmark.tasks.images.adapter import Adapter
from benchmark.tasks.suites import load_suite
from tests.hub import tiny, tiny_large
from tests.rounding import assert_same_but_for_rounding
from tests.system import needs_bubblewrap
from tests.tiny import ONE_A_HOOK, era_of

TASKS = tiny_large.toys()
GENERATORS = ("imagenette-replace", "wikitext-replace")
TUNED = 12  # steps of the model of most tests


@pytest.fixture(scope="module", autouse=True)
def copies(tmp_path_factory):
    with tiny.copies(tiny_large.write, tmp_path_factory.mktemp("copies")):
        yield


@pytest.fixture(
    scope="module",
    params=[pytest.param(GENERATORS[0], marks=pytest.mark.slow), *GENERATORS[1:]],
)
def setup(request, copies):
    """(generator, a tuned model, real items, held-out items)."""
    task = TASKS[request.param]
    task = replace(task, generator=replace(task.generator, lr=3e-2))
    generator = task.generator.build()
    splits = era_of(task.data.build(), 24, 8, "generators")
    model = generator.train(TrainingSet(splits.real), stream("train"), steps=TUNED)
    return generator, model, splits.real, splits.heldout


def test_the_suite_is_as_it_is_announced():
    suite = load_suite("large")
    names = ["imagenette-replace", "imagenette-web", "wikitext-replace", "wikitext-web"]
    assert [task.name for task in suite.tasks] == names
    assert len({task.hash for task in suite.tasks}) == 4
    repos = {repo.name for repo in list_repos(suite.tasks)}
    assert {"frgfm/imagenette", "Salesforce/wikitext", "openai-community/gpt2"} <= repos
    exist = {"image": 9_469, "text": 60_000}  # Imagenette's training images; texts, at least
    assert all(task.n + 2 * task.reserve <= exist[task.modality] for task in suite.tasks)


# One with a loss, one with an archive.
QUICK = ("truncated_cross_entropy", "accumulate_subsample")


@pytest.mark.parametrize(
    "name",
    [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in ONE_A_HOOK if n not in QUICK)],
)
def test_a_baseline_runs_unchanged(name, shared_cache):
    for task in (TASKS[name] for name in ("imagenette-web", "wikitext-replace")):
        task = replace(task, generations=1)
        records = run_lineage(task, find_method(name).load(), 0, LineageMemory(), shared_cache)
        if [r["status"] for r in records] != ["inapplicable"]:
            assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 2


def test_tuning_begins_with_the_pretrained_model_and_learns(setup):
    generator, model, real, heldout = setup
    # By .02 for images and 2.1 for text, over 3 seeds.
    assert generator.loss(model, heldout) < generator.loss(generator.blank(), heldout) - 0.01
    again = generator.train(TrainingSet(real), stream("train"), steps=TUNED)
    assert torch.equal(tiny.weights(model), tiny.weights(again))
    still = generator.train(TrainingSet(real), stream("f"), model=model, steps=2, rate=0.0)
    assert torch.allclose(tiny.weights(still), tiny.weights(model))
    before = tiny.weights(model).clone()
    generator.meter.take()
    tuned = generator.train(TrainingSet(real), stream("f"), model=model, steps=2)
    taken = generator.meter.take()
    assert taken["items"] == 2 * generator.batch
    assert taken["flop"] > 0
    assert torch.equal(tiny.weights(model), before)
    assert not torch.equal(tiny.weights(tuned), before)


def test_samples_have_the_published_form(setup, monkeypatch):
    generator, model, real, _ = setup
    samples = generator.sample(model, 10, stream("s"), Sampling())
    assert samples.same_kind(real)
    monkeypatch.setattr(type(generator), "at_once", 3)
    monkeypatch.setattr("benchmark.tasks.text.gpt2.WRITTEN", 3)
    parts = generator.sample(model, 10, stream("s"), Sampling())
    assert_same_but_for_rounding(parts, samples)


def test_nan_is_a_divergence(setup):
    generator, model, real, _ = setup
    broken = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(torch.nan)
    with pytest.raises(Diverged):
        generator.sample(broken, 3, stream("nan"), Sampling())
    with pytest.raises(Diverged):
        generator.train(TrainingSet(real), stream("nan"), model=broken, steps=2)


def test_an_adapter_keeps_only_itself(copies):
    generator = TASKS["imagenette-replace"].generator.build()
    model = generator.blank()
    assert isinstance(model, Adapter)
    base = model.base.network
    assert sum(t.numel() for t in model.state_dict().values()) < sum(
        p.numel() for p in base.parameters()
    )
    assert copy.deepcopy(model).base is model.base
    x, t = torch.randn(2, *generator.shape, generator=stream("x")), torch.tensor([10, 900])
    words = generator.prompts[torch.tensor([0, 3])]
    base.disable_adapters()
    alone = base(x, t, encoder_hidden_states=words).sample
    base.enable_adapters()
    assert torch.equal(model(x, t, encoder_hidden_states=words).sample, alone)
    other = generator.prompts[torch.tensor([1, 3])]
    assert not torch.equal(model(x, t, encoder_hidden_states=other).sample[0], alone[0])


def test_pretrained_text_is_that_of_the_whole_network(copies):
    """The first tokens, and where a block begins, mean the same after the cut."""
    task = TASKS["wikitext-replace"]
    generator = task.generator.build()
    whole = task.evaluation.build().reader
    tokens = era_of(task.data.build(), 4, 2, "cut").real["tokens"]
    start = torch.full((len(tokens), 1), whole.start)
    given = torch.cat([start, tokens[:, :-1]], 1)
    expected = whole.network(input_ids=given).logits[..., : generator.start]
    cut = generator.predict(generator.blank(), tokens)[..., : generator.start]
    assert torch.allclose(cut, expected, atol=1e-5)


@needs_bubblewrap
@pytest.mark.slow
def test_adapters_cross_into_the_sandbox(shared_cache):
    method = find_method("neon")
    stores = [LineageMemory(), LineageMemory()]
    with isolate_method(method.file) as cls:
        for store, hooks in zip(stores, (cls, method.load()), strict=True):
            task = replace(TASKS["imagenette-replace"], generations=1)
            records = run_lineage(task, hooks, 0, store, shared_cache)
            assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 2
    assert stores[0].published[1].digest() == stores[1].published[1].digest()


# --- several processes ------------------------------------------------------------------------


def job(task, method, out, count=2):
    out.mkdir(exist_ok=True)
    return plan([find_method(method)], "large", [TASKS[task]], [0], out, ranks=count)[0]


def close(one, two):
    """Whether two stores hold the same lineage but for rounding."""
    for t in range(3):
        for name, tensor in one.model(t).items() if t == 2 else ():
            other = two.model(t)[name]
            near = torch.isclose(tensor, other, atol=2e-5)
            # Where float32 lies between two of bf16's numbers, the next one may be kept.
            assert near.double().mean() > 0.99, name
            assert torch.allclose(tensor, other, atol=2e-5, rtol=2**-7), name
        a, b = (next(iter(store.samples(t).columns.values())).double() for store in (one, two))
        assert ((a - b).abs() <= 1).double().mean() > 0.97


@pytest.mark.slow
def test_two_processes_make_the_lineage_of_one(tmp_path):
    name = "imagenette-replace"
    alone, both = (job(name, "nothing", tmp_path / str(count), count) for count in (1, 2))
    first, second = worker.work(alone), worker.work(both)
    assert first.error is None
    assert second.error is None
    assert [g.status for g in second.lineage.generations] == ["ok"] * 3
    assert second.lineage.generations[1].ledger == first.lineage.generations[1].ledger
    close(LineageFolder(alone.folder), LineageFolder(both.folder))


def stops(job):
    """Rank 1 dies when generation 1 is done."""
    save = SharedStore.save

    def once(self, t, *rest):
        save(self, t, *rest)
        if ranks.broadcast(t) == 1 and ranks.rank() == 1:
            os._exit(9)

    SharedStore.save = once
    return worker.together(job)


@pytest.mark.slow
def test_a_lineage_goes_on_when_one_of_its_processes_died(tmp_path):
    words = ("wikitext-replace", "truncated_cross_entropy")  # its own loss
    alone, both = (job(*words, tmp_path / str(count), count) for count in (1, 2))
    outcome = launch_ranks(stops, both)
    assert isinstance(outcome.error, WorkerLost)
    assert "one of its 2 processes died" in str(outcome.error)
    kept = {file: file.read_bytes() for file in both.folder.glob("gen-*.json")}
    assert len(kept) == 2
    assert worker.work(both).error is None
    assert all(file.read_bytes() == content for file, content in kept.items())
    worker.work(alone)
    close(LineageFolder(alone.folder), LineageFolder(both.folder))


def fails(job):
    if ranks.rank() == 0:
        return Outcome(job, None, InputError("the disk is full"))
    ranks.broadcast()  # waits for rank 0, in vain
    return Outcome(job, None)


@pytest.mark.slow
def test_an_error_of_the_first_process_is_that_of_all(tmp_path):
    outcome = launch_ranks(fails, job("wikitext-replace", "nothing", tmp_path))
    assert isinstance(outcome.error, InputError)
    assert str(outcome.error) == "the disk is full"


def test_what_is_missing_is_prefetched_for_its_suite():
    repos = list_repos(load_suite("large").tasks)
    assert "run autophagy prefetch --suite large" in describe_absence(repos, suite="large")


def test_who_cannot_share_says_so(tmp_path):
    with pytest.raises(InputError, match="suite 'quick' trains a lineage in one process"):
        run("nothing", suite="quick", ranks=2, out=tmp_path)
    task = TASKS["wikitext-replace"]
    generator = replace(task.generator, batch=7).build()
    real = era_of(task.data.build(), 8, 2, "odd").real
    with pytest.raises(InputError, match="a batch of 7 cannot be shared out to 1 GPUs in parts"):
        generator.train(TrainingSet(real), stream("odd"))
