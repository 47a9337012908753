"""What is measured of pairs and shown of them, by cases whose answer is known."""

import math

import pytest
import torch
from torch import Tensor

from benchmark import Items
from benchmark.basics.seeds import stream
from benchmark.metrics.numbers import divergence, expected_kinds
from benchmark.tasks.pairs.evaluators import NumeralEvaluator, embed_meaning
from benchmark.tasks.pairs.language import (
    WORDS,
    read_captions,
)
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.pairs.numerals import (
    power_law,
)
from benchmark.tasks.pairs.reader import Reader
from benchmark.tasks.pairs.shown import COLUMNS, LEFT, shown
from benchmark.tasks.parts import Era
from tests.pairs import Silent, open_era, permuted


@pytest.fixture
def era() -> LawEra:
    return open_era(4)


# --- what is measured --------------------------------------------------------------------------


def profile(
    samples: Items, era: Era, evaluator: NumeralEvaluator | None = None
) -> dict[str, float]:
    evaluator = evaluator or NumeralEvaluator()
    return evaluator.profile(Silent(), torch.nn.Module(), samples, era)  # type: ignore[arg-type]


def test_permuted_captions_move_the_joint_distance_and_neither_half(era):
    evaluator, shares = NumeralEvaluator(), (0.0, 0.05, 0.25, 1.0)
    found = [profile(permuted(era.real, share), era, evaluator) for share in shares]
    joint = [p["log_frechet_joint"] for p in found]
    assert joint == sorted(joint)
    assert joint[-1] - joint[0] > 1
    for alone in ("log_frechet", "log_frechet_caption", "numbers", "number_kl", "recall"):
        assert len({round(p[alone], 6) for p in found}) == 1
    agreement = [p["agreement"] for p in found]
    assert agreement[0] >= 0.98
    assert agreement == sorted(agreement, reverse=True)
    assert found[0]["hand_agreement"] > 0.95


def test_held_out_pairs_themselves_are_at_no_distance(era):
    found = profile(era.heldout, era)
    assert found["log_frechet_joint"] < math.log(0.5)
    assert found["recall"] == found["caption_recall"] == found["caption_coverage"] == 1
    real = profile(era.real, era)
    assert real["numbers_left"] == pytest.approx(1, abs=0.1)


def test_one_pair_over_and_over_agrees_perfectly_and_is_far_away(era):
    reader = Reader()
    digits = reader.read(reader.features(era.real["image"]))
    agreeing = reader.agreement(digits, read_captions(era.real["tokens"])).all(1)
    (best,) = torch.nonzero(agreeing)[0].tolist()
    few = era.real.take(torch.full((300,), best))
    # Not exactly equal: a distance needs features that vary.
    found, real = profile(few, era), profile(era.real, era)
    assert found["agreement"] == 1
    assert found["log_frechet_joint"] > real["log_frechet_joint"] + 1.5
    assert found["numbers"] == 1
    assert found["numbers_left"] < 0.02
    assert found["recall"] == 0


def test_captions_that_nobody_can_read_are_a_result(era):
    nonsense = torch.full_like(era.real["tokens"], WORDS.index("hundred"))
    found = profile(Items(image=era.real["image"], tokens=nonsense), era)
    assert all(map(math.isfinite, found.values()))
    assert found["agreement"] == found["numbers"] == found["hand_agreement"] == 0
    assert found["number_kl"] > 10
    assert embed_meaning(read_captions(nonsense)).sum(1).tolist() == [1.0] * len(nonsense)


def test_numbers_left_and_their_divergence_have_the_values_of_their_definitions():
    law = torch.tensor([0.5, 0.5, 0.0])
    assert expected_kinds(law, 1) == 1
    assert expected_kinds(law, 2) == 1.5
    assert divergence(law, law) == 0
    assert divergence(torch.tensor([1.0, 0.0, 0.0]), law) == pytest.approx(math.log(2))
    drawn = torch.multinomial(power_law(1.0), 2_000, True, generator=stream("draws"))
    assert expected_kinds(power_law(1.0), 2_000) == pytest.approx(len(drawn.unique()), abs=35)


def test_a_row_of_pairs_over_a_strip_that_empties(era):
    right, _ = shown(era.real, None)
    wrong, texts = shown(permuted(era.real, 1.0), None)
    few, _ = shown(era.real.take(slice(0, COLUMNS)), None)
    assert texts is None
    assert right.shape == wrong.shape == few.shape
    assert right.dtype == torch.uint8

    def red(page: Tensor) -> int:
        return int((page[..., 0].int() - page[..., 1].int() > 60).sum())

    def named(page: Tensor) -> int:
        return int((page == torch.tensor(LEFT)).all(2).sum())

    assert red(wrong) > 100 + red(right)
    assert named(right) > 20 * named(few) > 0
