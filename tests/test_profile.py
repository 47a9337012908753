"""Every entry of the profile: reference packages, closed forms, extremes, determinism, cost."""

import contextlib
import gc
import io
import math
import time
import weakref
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from prdc import compute_prdc
from scipy.spatial.distance import cdist
from torch import nn
from vendi_score import vendi as vendi_package

from benchmark.basics.seeds import stream
from benchmark.interface.generator import Generator, Sampling
from benchmark.interface.items import Items, TrainingSet
from benchmark.metrics import ngrams
from benchmark.metrics.diversity import variance_ratio, vendi
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.kernel import kernel_distance
from benchmark.metrics.meanings import list_metrics
from benchmark.metrics.memorisation import above_chance, nearer_to_train
from benchmark.metrics.modes import Modes
from benchmark.metrics.neighbours import prdc
from benchmark.metrics.tails import isolated, rarest, tail_mass
from benchmark.tasks.parts import Era, Evaluator
from benchmark.tasks.suites import SUITE_NAMES, load_suite, load_task
from benchmark.tasks.task import Task
from tests.tiny import TOY_TASKS, era_of

TEXT_ONLY = {
    "distinct_1", "distinct_2", "distinct_3", "repetition", "reference_loss", "bits_per_byte",
    "own_entropy", "own_confident", "heldout_confident", "known_words",
}  # fmt: skip


def normal(n: int, d: int, *words: object) -> torch.Tensor:
    return torch.randn(n, d, generator=stream("profile", *words))


# --- against reference packages -----------------------------------------------------------


@pytest.mark.parametrize("n", [60, 150])
def test_prdc_equals_the_reference_package(n):
    real, generated = normal(n, 6, 1), 0.8 * normal(n, 6, 2) + 0.2
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        expected = compute_prdc(real.double().numpy(), generated.double().numpy(), nearest_k=5)
    assert prdc(real, generated) == pytest.approx({k: float(v) for k, v in expected.items()})


@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 50)])
def test_vendi_equals_the_reference_package(n, d):
    x = torch.nn.functional.normalize(normal(n, d, 3).double(), dim=1).numpy()
    assert vendi(torch.from_numpy(x)) == pytest.approx(vendi_package.score_K(x @ x.T), rel=1e-8)


def test_kernel_distance_of_whole_sets_is_the_unbiased_estimate():
    x, y = normal(80, 6, 4).double(), 1.2 * normal(80, 6, 5).double() + 0.3
    a, b, c = (((u @ v.T).numpy() / 6 + 1) ** 3 for u, v in ((x, x), (y, y), (x, y)))
    within = sum((k.sum() - np.trace(k)) / (80 * 79) for k in (a, b))
    assert kernel_distance(x, y) == pytest.approx(within - 2 * c.mean(), rel=1e-9)


def test_memorisation_equals_a_scipy_computation():
    train, heldout, made = normal(70, 5, 6), normal(30, 5, 7), normal(50, 5, 8)
    to_train, to_heldout = (
        cdist(made.double().numpy(), x.double().numpy()).min(1) for x in (train, heldout)
    )
    assert nearer_to_train(train, heldout, made) == (to_train < to_heldout).mean()


def test_the_isolated_items_are_those_with_the_farthest_fifth_neighbour():
    x = normal(300, 4, 9).double().numpy()
    radius = np.sort(cdist(x, x), axis=1)[:, 5]
    expected = radius >= np.sort(radius)[-30]
    assert isolated(torch.from_numpy(x)).tolist() == expected.tolist()


def test_ngram_statistics_equal_counting_by_hand():
    tokens = torch.randint(5, (30, 12), generator=stream("tokens")).numpy()
    source = tokens[:3, ::-1]
    for n in (1, 2, 3, 4):
        grams = [[tuple(row[i : i + n]) for i in range(13 - n)] for row in tokens.tolist()]
        known = {tuple(row[i : i + n]) for row in source.tolist() for i in range(13 - n)}
        everything = [gram for row in grams for gram in row]
        again = sum(len(row) - len(set(row)) for row in grams)
        copies = sum(gram in known for gram in everything)
        assert ngrams.distinct(tokens, n) == len(set(everything)) / len(everything)
        assert ngrams.repetition(tokens, n) == again / len(everything)
        assert ngrams.copied(tokens, source, n) == copies / len(everything)


# --- closed forms and extremes ------------------------------------------------------------


def test_vendi_counts_orthogonal_items_and_collapses_to_one():
    assert vendi(torch.eye(7)) == pytest.approx(7)
    assert vendi(torch.eye(7)[[0, 0, 1, 1]]) == pytest.approx(2)
    assert vendi(normal(1, 7, 1).repeat(50, 1)) == pytest.approx(1, abs=1e-6)


def test_variance_ratio_is_the_square_of_a_scale_and_zero_at_full_collapse():
    x = normal(200, 5, 10)
    assert variance_ratio(x, 0.5 * x + 3) == pytest.approx(0.25, rel=1e-5)
    assert variance_ratio(x, x[:1].repeat(9, 1)) == 0
    with pytest.raises(ValueError, match="differ"):
        variance_ratio(x[:1].repeat(9, 1), x)


def test_kernel_distance_is_unbiased_and_copes_with_unequal_and_small_sets():
    same = [kernel_distance(normal(90, 4, "a", i), normal(140, 4, "b", i)) for i in range(30)]
    assert abs(np.mean(same)) < 3 * np.std(same) / math.sqrt(30)
    assert min(same) < 0
    assert kernel_distance(normal(90, 4, 1), normal(140, 4, 2) + 1) > 10 * max(same)
    with pytest.raises(ValueError, match="at least 2"):
        kernel_distance(normal(1, 4, 1), normal(5, 4, 2))


def test_memorisation_is_zero_for_real_items_and_one_for_a_copy():
    train, heldout, fresh = normal(900, 4, 11), normal(300, 4, 12), normal(2000, 4, 13)
    real = above_chance(nearer_to_train(train, heldout, fresh), 0.75)
    assert real == pytest.approx(0, abs=0.15)
    assert above_chance(nearer_to_train(train, heldout, train), 0.75) == 1
    assert nearer_to_train(train, heldout, heldout) == 0
    assert above_chance(1.0, 1.0) == 0


def test_total_variation_of_equal_disjoint_and_half_overlapping_histograms():
    p, q = histogram(torch.tensor([0, 0, 1, 1]), 4), histogram(torch.tensor([[1, 2]]), 4)
    assert p.tolist() == [0.5, 0.5, 0, 0]
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == 0.5
    assert total_variation(p, histogram(torch.tensor([3]), 4)) == 1


def test_the_tail_is_the_rarest_tenth_and_its_mass_is_relative():
    counts = torch.tensor([50, 3, 40, 7])
    real = torch.arange(4).repeat_interleave(counts)
    tail = rarest(histogram(real, 4))
    assert tail.tolist() == [False, True, False, True]  # 3 + 7 of 100
    assert tail_mass(tail, real, real) == 1
    assert tail_mass(tail, real, torch.tensor([0, 2, 0, 2, 3])) == pytest.approx(2)
    assert tail_mass(tail, real, torch.zeros(9, dtype=torch.int64)) == 0
    assert tail_mass(tail, torch.zeros(4, dtype=torch.int64), real) == pytest.approx(0.4)


def test_items_between_modes_are_ambiguous_and_centres_are_not():
    centres = 10 * torch.eye(4)
    x = centres.repeat_interleave(50, 0) + 0.1 * normal(200, 4, 14)
    modes = Modes(x, 40)
    spread = Modes(x, 40).ambiguity(normal(100, 4, 15) + 2.5)
    assert modes.ambiguity(modes.centres) == pytest.approx(0, abs=1e-4)
    assert 0.9 < spread <= 1
    assert torch.equal(modes.centres, Modes(x, 40).centres)


# --- the whole profile in both modalities -------------------------------------------------


@dataclass
class Scene:
    evaluator: Evaluator
    generator: Generator
    model: nn.Module
    era: Era

    def profile(self, samples: Items) -> dict[str, float]:
        return self.evaluator.profile(self.generator, self.model, samples, self.era)


def scene(task: Task) -> Scene:
    era = era_of(task.data.build(), task.n, task.reserve, "scene")
    torch.manual_seed(0)
    generator = task.generator.build()
    return Scene(task.evaluation.build(), generator, generator.blank().eval(), era)


@pytest.fixture(scope="module", params=["digits-replace", "speeches-replace"])
def toy(request: pytest.FixtureRequest) -> Scene:
    return scene(TOY_TASKS[request.param])


def test_toy_sizes_give_finite_floats_and_leave_the_global_random_state(toy: Scene):
    before = torch.get_rng_state()
    for samples in (toy.era.real, toy.era.trusted, toy.era.real.take([0] * 30)):
        profile = toy.profile(samples)
        assert {type(value) for value in profile.values()} == {float}
        assert all(map(math.isfinite, profile.values())), profile
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_samples_give_the_same_numbers_in_a_new_evaluator(toy: Scene):
    samples = toy.era.real
    first = toy.profile(samples)
    torch.manual_seed(99)
    toy.evaluator = type(toy.evaluator)()
    assert toy.profile(samples) == first


@pytest.mark.parametrize("name", ["digits-replace", "speeches-replace"])
def test_real_items_are_looked_at_once_an_era_and_forgotten_with_it(name, monkeypatch):
    task = TOY_TASKS[name]
    toy = scene(task)
    seen, outputs = [], toy.evaluator.outputs
    monkeypatch.setattr(toy.evaluator, "outputs", lambda x: seen.append(len(x)) or outputs(x))
    other = era_of(task.data.build(), task.n, task.reserve, "other scene")
    eras, samples = [toy.era, other, toy.era, other], toy.era.trusted
    found = [toy.evaluator.profile(toy.generator, toy.model, samples, era) for era in eras]
    assert len(seen) == 4 + 2 * 2  # of every profile the samples, of every era held-out and pool
    assert found[0] == found[2] != found[1] == found[3]
    known = weakref.ref(other)
    del other, eras
    gc.collect()
    assert known() is None


def test_a_copy_of_the_training_set_is_memorised_and_other_real_items_are_not(toy: Scene):
    copy, real = toy.profile(toy.era.real), toy.profile(toy.era.heldout)
    assert copy["memorisation"] == 1
    assert real["memorisation"] <= 0
    assert real["frechet"] == pytest.approx(0, abs=1e-6)
    assert (real["precision"], real["recall"], real["coverage"]) == (1, 1, 1)
    assert real["variance_ratio"] == 1
    assert real["histogram_distance"] == 0


def test_full_collapse_to_one_item_shows_in_every_entry_of_diversity(toy: Scene):
    collapsed = toy.profile(toy.era.real.take([0] * 60))
    healthy = toy.profile(toy.era.real)
    assert collapsed["vendi"] == pytest.approx(1, abs=1e-4)
    assert collapsed["variance_ratio"] == pytest.approx(0, abs=1e-6)
    assert collapsed["recall"] == 0
    for worse_when_higher in ("frechet", "kernel_distance", "histogram_distance"):
        assert collapsed[worse_when_higher] > healthy[worse_when_higher]


def test_every_number_has_its_sentence(toy: Scene):
    entries = list_metrics(toy.profile(toy.era.real))
    assert len(entries) >= 12
    assert [e.name for e in entries if not (e.meaning.endswith(".") and e.good)] == []


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_the_primary_metric_of_every_task_has_its_sentence(suite):
    entries = list_metrics(task.evaluation.primary for task in load_suite(suite).tasks)
    assert all(entry.meaning for entry in entries)


def test_both_modalities_have_the_same_names():
    names = []
    for name in ("digits-replace", "speeches-replace"):
        made = scene(TOY_TASKS[name])
        names.append(set(made.profile(made.era.real)))
    images, text = names
    assert text - images == TEXT_ONLY
    assert images < text


def test_text_statistics_agree_with_the_model_they_come_from():
    """An untrained model's reference loss and bits per byte, by hand."""
    text = scene(TOY_TASKS["speeches-replace"])
    profile = text.profile(text.era.heldout)
    tokens = text.era.heldout["tokens"]
    size = sum(len(s) for s in text.generator.publisher.text(text.era.heldout))
    bits = profile["heldout_loss"] * tokens.numel() / math.log(2)
    assert profile["bits_per_byte"] == pytest.approx(bits / size)
    shuffled = tokens[:, torch.randperm(64, generator=stream("shuffle"))]
    assert profile["reference_loss"] < text.profile(Items(tokens=shuffled))["reference_loss"] - 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits-replace", "speeches-replace"])
def test_a_profile_costs_less_than_a_third_of_a_small_generation(name: str):
    """About 12% and 13% on one idle core; a third leaves room for other processors, busy ones."""
    task, clock, share = load_task(name, "closed"), time.process_time, 10
    small = scene(task)
    began = clock()
    steps = task.generator.steps // share
    model = small.generator.train(TrainingSet(small.era.real), stream("t"), steps=steps)
    training = clock() - began
    began = clock()
    samples = small.generator.sample(model, task.n, stream("s"), Sampling())
    generation = share * training + clock() - began
    small.profile(samples)  # imports, and what is computed once a lineage
    began = clock()
    small.profile(samples)
    cost = clock() - began
    assert cost < 0.33 * (generation + cost)


def test_the_evaluate_metrics_wrap_the_same_functions():
    from benchmark.metrics import portable

    tokens = torch.randint(6, (9, 12), generator=stream("portable")).numpy()
    source = tokens[:2] + 1

    def compute(kind: type, **options: object) -> dict[str, float]:
        return kind(keep_in_memory=True).compute(predictions=tokens.tolist(), **options)

    assert compute(portable.Distinct)["distinct_2"] == ngrams.distinct(tokens, 2)
    assert compute(portable.Repetition, n=3) == {"repetition": ngrams.repetition(tokens, 3)}
    copied = compute(portable.CopiedNgrams, source=source.tolist(), n=2)
    assert copied == {"copied": ngrams.copied(tokens, source, 2)}
    shares = [np.bincount(x.ravel(), minlength=8) / x.size for x in (tokens, source)]
    found = compute(portable.TokenHistogram, source=source.tolist())["histogram_distance"]
    assert found == pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2)
    with pytest.raises(ValueError, match="inhomogeneous"):
        portable.Distinct(keep_in_memory=True).compute(predictions=[[1, 2, 3], [1]])


@pytest.mark.parametrize("n", [1, 2, 8])
def test_sorted_n_grams_are_counted_as_numpy_counts_them(n):
    rng = np.random.default_rng(n)
    tokens, source = rng.integers(4, size=(30, 12)), rng.integers(4, size=(50, 20))
    own, known = ngrams.ngrams(tokens, n), ngrams.ngrams(source, n)
    assert ngrams.copied(tokens, source, n) == np.isin(own, known).mean()
    assert ngrams.distinct(tokens, n) == len(np.unique(own)) / own.size
    once = ngrams.Copied(source, n)
    assert [once.share(x) for x in (source, tokens)] == [1, ngrams.copied(tokens, source, n)]
