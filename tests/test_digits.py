"""The digits' world: what an era holds, how it leans, and what its frozen parts have seen."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.basics.seeds import stream
from benchmark.interface.items import Items
from benchmark.metrics.frechet import frechet_distance
from benchmark.tasks import assets
from benchmark.tasks.images import digits
from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.images.networks import DigitClassifier, DigitFeatures
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.images.tasks import MNIST_SHA256
from benchmark.tasks.images.tasks import digits as digits_task
from benchmark.tasks.parts import Era, ReserveBias, World
from benchmark.tasks.schedules import Web
from tests.tiny import era_of

ERAS = 8


def source(slant: float = 3.0, heldout: int = 2_000) -> digits.DigitsSource:
    return digits.DigitsSource(MNIST_SHA256, heldout, slant, ERAS)


def world(seed: int = 0, n: int = 300, reserve: int = 30, slant: float = 3.0) -> World:
    return source(slant, 100).world(n, reserve, lambda t, what: stream(seed, t, what))


def rows(items: Items) -> list[bytes]:
    return [row.numpy().tobytes() for row in items["image"]]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits are handed out as they are in the file, so that they can be recognised."""
    keep_plain(monkeypatch)


def keep_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unchanged:
        def pass_through(self, items: Items) -> Items:
            return items

    monkeypatch.setattr(digits, "ImagePublisher", Unchanged)
    monkeypatch.setattr(digits, "change_images", lambda images, slant, rng: images)


# --- what an era holds ---------------------------------------------------------------------------


def test_digits_are_mnist_and_all_different():
    known = digits.load_digits()
    assert known["image"].dtype == torch.uint8
    assert torch.bincount(known["label"]).tolist() == [500] * 10
    assert len(set(rows(known))) == 5_000


def same(one: Era, other: Era) -> bool:
    return all(vars(one)[part].digest() == vars(other)[part].digest() for part in vars(one))


def test_equal_arguments_give_equal_eras_in_whatever_order():
    one, two, other = world(), world(), world(seed=1)
    forth, back = [one(t) for t in (0, 1, 2)], [two(t) for t in (2, 1, 0)]
    assert all(same(a, b) for a, b in zip(forth, reversed(back), strict=True))
    assert not same(one(1), other(1))


@pytest.mark.parametrize("slant", [0.0, 3.0])
def test_no_real_item_was_there_before(slant):
    """Not in a world that stands still either; nor is an item in two parts of an era."""
    eras = [world(slant=slant)(t) for t in range(4)]
    everything = [row for era in eras for part in vars(era).values() for row in rows(part)]
    assert len(everything) == 4 * (300 + 100 + 30)
    assert len(set(everything)) == len(everything)


@settings(deadline=None, max_examples=15)
@given(
    n=st.integers(1, 3_600), reserve=st.integers(1, 400), heldout=st.integers(1, 2_500),
    seed=st.integers(0, 9), t=st.integers(0, 9),
)  # fmt: skip
def test_parts_share_no_digit_and_held_out_ones_are_shown_equally_often(
    n, reserve, heldout, seed, t
):
    with pytest.MonkeyPatch.context() as patch:
        keep_plain(patch)
        eras = source(heldout=heldout).world(n, reserve, lambda t, what: stream(seed, t, what))
        now, later = eras(t), eras(t + 1)
    real, trusted, kept = rows(now.real), rows(now.trusted), rows(now.heldout)
    assert (len(real), len(trusted), len(kept)) == (n, reserve, heldout)
    assert len(set(real)) == n  # no digit twice in a crawl
    assert len(set(trusted)) == reserve
    assert not set(real) & set(trusted)
    assert not (set(real) | set(trusted)) & set(kept)
    often = [kept.count(digit) for digit in set(kept)]
    assert max(often) - min(often) <= 1
    assert len(often) == min(heldout, digits.HELDOUT)
    # Once held out, held out for the whole lineage.
    assert not (set(rows(later.real)) | set(rows(later.trusted))) & set(kept)


@pytest.mark.usefixtures("plain")
def test_the_standard_task_shows_every_held_out_digit_twice_in_every_era():
    task = digits_task(Web())
    eras = [era_of(task.data.build(), task.n, task.reserve, "seed", t=t) for t in range(3)]
    kept = [sorted(rows(era.heldout)) for era in eras]
    assert kept[0] == kept[1] == kept[2]
    assert kept[0][::2] == kept[0][1::2]
    assert len(set(kept[0])) == 1_000
    assert [len(era.trusted) for era in eras] == [task.n // 10] * 3


@pytest.mark.usefixtures("plain")
def test_which_digits_are_held_out_depends_on_the_seed():
    one, other = (set(rows(world(seed)(0).heldout)) for seed in range(2))
    assert len(one & other) < 50  # of 100 each, out of 5,000


def test_a_biased_reserve_holds_its_classes_only_and_nothing_else_changes():
    biased = source()
    biased.bias = ReserveBias(2, 4)
    fair, era = (era_of(s, 500, 200, "bias", t=2) for s in (source(), biased))
    assert era.trusted["label"].unique().tolist() == [2, 3, 4]
    assert fair.trusted["label"].unique().tolist() == list(range(10))
    assert era.real["label"].unique().tolist() == list(range(10))
    assert era.heldout.digest() == fair.heldout.digest()


@pytest.mark.parametrize(
    ("n", "reserve", "sentence"),
    [(3_601, 10, "3601 real digits asked for, 3600 exist"),
     (10, 401, "401 trusted digits asked for, 400 exist")],
)  # fmt: skip
def test_more_digits_than_there_are_is_a_sentence(n, reserve, sentence):
    with pytest.raises(InputError, match=sentence):
        era_of(source(), n, reserve, "too many")


# --- how it leans --------------------------------------------------------------------------------


def lean(images: Tensor) -> float:
    """By how much the images' ink goes to the right for each row up, from its second moments."""
    ink = images[:, 0].double()
    ink = ink / ink.sum((1, 2), keepdim=True)
    y, x = torch.meshgrid(*2 * [torch.arange(28.0, dtype=torch.float64)], indexing="ij")
    y, x = ((v - (ink * v).sum((1, 2), keepdim=True)) for v in (y, x))
    return -((ink * x * y).sum((1, 2)) / (ink * y * y).sum((1, 2))).median().item()


@pytest.mark.parametrize("slant", [0.0, 3.0, 6.0])
def test_every_part_of_the_world_leans_further_by_the_same_angle(slant):
    eras = source(slant, 400).world(400, 400, lambda t, what: stream("lean", t, what))
    chosen = {t: eras(t) for t in (0, 4, 8)}
    for part in ("real", "heldout", "trusted"):
        found = {t: lean(vars(era)[part]["image"]) for t, era in chosen.items()}
        for t in chosen:
            moved = math.tan(math.radians(slant * (t - 4)))
            assert found[t] - found[4] == pytest.approx(moved, abs=0.05)


def test_a_slant_of_each_image_is_the_slant_of_all():
    images = digits.load_digits()["image"][:50]
    one, each = (change_images(images, s, stream("s")) for s in (7.0, torch.full((50,), 7.0)))
    assert torch.equal(one, each)
    mixed = change_images(images, torch.tensor([7.0, -7.0]).repeat_interleave(25), stream("s"))
    assert torch.equal(mixed[:25], one[:25])
    assert not torch.equal(mixed[25:], one[25:])


# --- what the frozen parts have seen -------------------------------------------------------------


def psnr(one: Tensor, other: Tensor) -> float:
    error = (one.double() - other.double()).square().mean((1, 2, 3))
    return (10 * torch.log10(255**2 / error)).mean().item()


@pytest.mark.parametrize("slant", [-24.0, -12.0, 0.0, 12.0, 24.0])
def test_codec_and_classifiers_know_digits_of_every_slant(slant):
    """The codec keeps digits and hardly changes them twice; no slant is read worse."""
    publisher, known = ImagePublisher(), digits.load_digits().take(slice(0, 5_000, 5))
    label = known["label"]
    raw = Items(image=change_images(known["image"], slant, stream("again", slant)), label=label)
    once = publisher.pass_through(raw)
    twice = publisher.pass_through(once)
    assert psnr(raw["image"], once["image"]) > 23
    assert psnr(once["image"], twice["image"]) > 34
    first, second = publisher.encode(once), publisher.encode(twice)
    assert (second - first).norm() < 0.08 * first.norm()
    frozen = (("features", DigitFeatures, 0.98), ("verifier", DigitClassifier, 0.97))
    for name, kind, least in frozen:
        network = assets.load_network(f"digits-{name}.safetensors", kind)
        with torch.no_grad():
            right = network.logits(once["image"]).argmax(1) == label
        assert right.double().mean() > least


@pytest.mark.slow
@pytest.mark.parametrize("slant", [3.0, 6.0])
def test_two_real_sets_of_an_era_are_equally_far_apart_in_every_era(slant):
    """At t = 0, T/2 and T, over two seeds; models on clean data are at 1.3 and more."""
    task = digits_task(Web(), slant=slant)
    outputs = task.evaluation.build().outputs
    distances = torch.zeros(2, 3)
    for seed in range(2):
        for place, t in enumerate((0, 4, 8)):
            era = era_of(task.data.build(), task.n, task.reserve, "floor", seed, t=t)
            distances[seed, place] = frechet_distance(outputs(era.real), outputs(era.heldout))
    mean = distances.log().mean(0)
    assert mean.max() - mean.min() < 0.3
    assert mean.max() < 0.8


def test_features_are_white_and_tell_the_classes():
    network = assets.load_network("digits-features.safetensors", DigitFeatures)
    known = digits.load_digits().take(slice(0, 5_000, 2))
    rng = stream("white")
    slant = 24 * (2 * torch.rand(len(known), generator=rng) - 1)
    images = change_images(known["image"], slant, rng)
    with torch.no_grad():
        features = network(images)
        assert torch.allclose(network.classify(features), network.logits(images), atol=1e-3)
    variances = torch.linalg.eigvalsh(torch.cov(features.T))
    assert variances.min() > 0.5
    assert variances.max() < 1.6
    assert features.mean(0).abs().max() < 0.2
