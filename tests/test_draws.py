"""Random draws of the harness: streams that tell nothing, epochs by rate, and labels by share."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchmark import Items, TrainingSet
from benchmark.basics.seeds import number, stream
from benchmark.tasks.images.labels import (
    SHARES,
    add_label_shares,
    draw_labels,
    set_label_shares,
)
from benchmark.tasks.training.fit import visits

# --- streams -------------------------------------------------------------------------------------


def test_a_stream_is_its_words_and_nothing_else():
    a, b = (torch.rand(1_000, generator=stream("task", 3, 1, "crawl")) for _ in range(2))
    assert torch.equal(a, b)
    others = [("task", 3, 1, "method"), ("task", 4, 1, "crawl"), ("task", 3, 2, "crawl")]
    for words in others:
        assert not torch.equal(a, torch.rand(1_000, generator=stream(*words)))
    assert number("task", 1) == number("task", 1) != number("task", 2)


def test_no_seed_that_could_be_searched_for_makes_a_stream():
    """A Mersenne twister's usual seed has 32 bits: all could be tried until a crawl's order fits.
    Here the whole state is a hash, and the seed that a generator tells is the same for all."""
    generators = [stream("task", seed, 1, "method") for seed in range(3)]
    assert {g.initial_seed() for g in generators} == {0}
    words = [g.get_state()[24 : 24 + 8 * 624].view(torch.int64) for g in generators]
    assert len({tuple(w.tolist()) for w in words}) == 3
    # Of a state that a seed made, word i follows from word i - 1 (Matsumoto and Nishimura's rule).
    for state, follows in ((words[0], False), (torch.Generator().manual_seed(5).get_state(), True)):
        w = state if not follows else state[24 : 24 + 8 * 624].view(torch.int64)
        x = int(w[0])
        assert (1812433253 * (x ^ x >> 30) + 1 & 0xFFFFFFFF == int(w[1])) == follows


def test_a_stream_is_uniform_and_goes_on_after_it_was_saved():
    rng = stream("uniform")
    x = torch.rand(100_000, generator=rng)
    assert abs(x.mean().item() - 0.5) < 4 * (1 / 12 / len(x)) ** 0.5
    other = torch.Generator()
    other.set_state(rng.get_state())
    assert torch.equal(torch.rand(5, generator=rng), torch.rand(5, generator=other))


# --- sampling rates ------------------------------------------------------------------------------


def rows(size: int, steps: int, rates=None, batch: int = 16) -> torch.Tensor:
    return torch.stack(list(visits(size, batch, steps, stream("visits"), rates)))


@pytest.mark.parametrize("value", [1.0, 0.3, 7.0])
def test_equal_rates_are_exactly_shuffled_epochs(value):
    plain = rows(50, 25)
    assert torch.equal(rows(50, 25, torch.full((50,), value)), plain)
    for epoch in plain.flatten().split(50):
        assert sorted(epoch.tolist()) == list(range(50))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=40).filter(any))
def test_rows_are_visited_in_proportion_to_their_rates(numbers):
    """Closer than draws one by one would be, five standard errors."""
    rates = torch.tensor(numbers, dtype=torch.float32)
    drawn = rows(len(numbers), 60, rates)
    assert drawn.shape == (60, 16)
    share = torch.bincount(drawn.flatten(), minlength=len(numbers)) / drawn.numel()
    expected = rates / rates.sum()
    assert (share[rates == 0] == 0).all()
    error = (expected * (1 - expected) / drawn.numel()).sqrt()
    assert ((share - expected).abs() <= 5 * error + 2 / drawn.numel()).all()


def test_rates_of_zero_and_one_are_shuffled_epochs_of_those_rows():
    rates = torch.zeros(50)
    rates[10:30] = 1
    for epoch in rows(50, 25, rates).flatten().split(20):
        assert sorted(epoch.tolist()) == list(range(10, 30))


def test_rates_do_not_shrink_the_effective_batch():
    """Every batch is full of rows, however unequal the rates are."""
    rates = torch.cat([torch.full((20,), 10.0), torch.full((180,), 1.0)])
    drawn = rows(200, 100, rates)
    heavy = (drawn < 20).double().mean().item()
    assert heavy == pytest.approx(200 / 380, abs=0.02)
    assert min(len(set(batch.tolist())) for batch in drawn) >= 12


# --- labels --------------------------------------------------------------------------------------


def model_of(labels: list[int], weights=None, classes: int = 4) -> nn.Module:
    model = add_label_shares(nn.Identity(), classes)
    data = TrainingSet(Items(label=torch.tensor(labels)), weights)
    set_label_shares(model, data)
    return model


def test_labels_are_as_frequent_as_in_the_training_set():
    model = model_of([0] * 50 + [1] * 30 + [2] * 20)
    labels = draw_labels(model, 1_000, stream("labels"))
    assert torch.bincount(labels, minlength=4).tolist() == pytest.approx([500, 300, 200, 0], abs=1)
    assert labels[:100].unique().tolist() == [0, 1, 2]  # in random order


def test_weights_are_rates_of_labels_too():
    weights = torch.tensor([3.0, 1.0, 0.0, 0.0])
    labels = draw_labels(model_of([0, 1, 2, 3], weights), 400, stream("labels"))
    assert torch.bincount(labels, minlength=4).tolist() == pytest.approx([300, 100, 0, 0], abs=1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any), st.integers(1, 300))
def test_every_class_is_drawn_as_often_as_it_should_be_up_to_one(counts, n):
    labels = [k for k, count in enumerate(counts) for _ in range(count)]
    model = model_of(labels, classes=len(counts))
    drawn = torch.bincount(draw_labels(model, n, stream("l", n)), minlength=len(counts))
    expected = n * np.array(counts) / sum(counts)
    assert int(drawn.sum()) == n
    assert (np.abs(drawn.numpy() - expected) <= 1 + 1e-6).all()


def test_an_untrained_model_has_all_classes_alike_and_keeps_shares_exactly():
    model = add_label_shares(nn.Identity(), 10)
    assert model.state_dict()[SHARES].dtype == torch.float64
    assert model.get_buffer(SHARES).tolist() == [0.1] * 10
