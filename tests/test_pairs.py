"""Pairs: what captions say, what real pairs are, and what the two models make of them."""

import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from benchmark import Items, Mitigation, Sampling, TrainingSet
from benchmark.basics.cache import NoCache
from benchmark.basics.errors import BudgetError, MethodError
from benchmark.basics.seeds import draw_evenly, stream
from benchmark.lineage.loop import open_world, run_lineage
from benchmark.lineage.marks import write_marked
from benchmark.lineage.store import LineageMemory
from benchmark.runs.sandbox.models import build_model, pack_architecture
from benchmark.tasks.pairs import generator as generators
from benchmark.tasks.pairs.codec import cut_digits, join_digits
from benchmark.tasks.pairs.language import (
    END,
    LENGTH,
    WORDS,
    caption_of,
    digits_of,
    join_words,
    list_captions,
    read_captions,
    until_end,
)
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.pairs.networks import Writer, count_nats
from benchmark.tasks.pairs.numerals import (
    Pool,
    power_law,
    spread_hands,
)
from benchmark.tasks.pairs.reader import Reader
from benchmark.tasks.suites import load_suite, load_task, shrink_task
from tests import tiny
from tests.pairs import GENERATOR, SIZE, WEB, open_era, open_round, train_model

ERAS = (0, 4, 8)


@pytest.fixture
def era() -> LawEra:
    return open_era(4)


@pytest.fixture
def model() -> nn.Module:
    return train_model()


# --- the language ------------------------------------------------------------------------------


def test_every_caption_says_one_thing_and_fits_its_row():
    captions = list_captions()
    assert all(len(row) == LENGTH and row[-1] == END for row in captions)
    for number, wording, hand in [(342, 0, 0), (342, 1, 2), (7, 2, 1), (999, 3, 0), (10, 0, 1)]:
        said = read_captions(torch.tensor([caption_of(number, wording, hand)]))
        assert [int(x) for x in said] == [number, wording, hand]
    assert {number for number, _, _ in captions.values()} == set(range(1_000))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((342, 0, 0), "three hundred forty two"), ((342, 1, 0), "three hundred and forty two"),
        ((342, 2, 1), "bold three four two"), ((42, 3, 2), "thin 0 4 2"),
        ((300, 1, 0), "three hundred"),
        ((15, 0, 0), "fifteen"), ((0, 0, 0), "zero"), ((940, 0, 0), "nine hundred forty"),
    ],
)  # fmt: skip
def test_a_number_in_words(said, words):
    assert join_words(caption_of(*said)) == words


def test_what_two_wordings_share_counts_as_the_first_and_nonsense_as_nothing():
    assert read_captions(torch.tensor([caption_of(42, 1, 0)])).wording.item() == 0
    nonsense = torch.tensor([[WORDS.index("hundred")] * LENGTH])
    assert not read_captions(nonsense).readable.any()


# --- the data ----------------------------------------------------------------------------------


def test_eras_are_new_and_the_same_when_asked_again():
    pictures = [set(era.real.fingerprints()) for era in map(open_era, ERAS)]
    assert all(len(a) == SIZE and not a & b for a, b in itertools.permutations(pictures, 2))
    small = replace(WEB, generations=8, data=replace(WEB.data, eras=8))
    first, second = (open_world(small, 3) for _ in range(2))
    second(0)
    assert first(5).real.digest() == second(5).real.digest()
    assert first(5).real.digest() != open_world(small, 4)(5).real.digest()


def test_wordings_drift_and_numbers_keep_to_their_law():
    shares = {}
    for t in ERAS:
        era = open_era(t)
        said = read_captions(era.heldout["tokens"])
        assert said.readable.all()
        assert said.number.min() >= 1
        found = said.number.bincount(minlength=1_000)
        assert (found - SIZE * era.law).abs().max() <= 1.000001
        shares[t] = float((said.wording == 3).double().mean())
    assert shares == pytest.approx({0: 0.1, 4: 0.3, 8: 0.5}, abs=0.002)


def test_the_fast_world_moves_the_law_and_the_static_one_nothing():
    stress = {task.name: task for task in load_suite("stress").tasks}
    fast, static = (
        open_world(replace(tiny.tiny(stress[f"numerals-web-{name}"]), generations=8), 0)
        for name in ("fast", "static")
    )
    assert torch.equal(fast(0).law, power_law(1.1))
    assert torch.equal(static(0).law, static(2).law)
    assert stress["numerals-web-static"].data.slant == 0


def test_digits_are_shown_evenly():
    labels = torch.arange(10).repeat(7)
    images = torch.randint(256, (70, 1, 28, 28), dtype=torch.uint8, generator=stream("images"))
    figures = digits_of(draw_evenly(power_law(1.0), 600, stream("numbers")))
    chosen = Pool(Items(image=images, label=labels)).choose(
        figures, spread_hands(600, stream("hands")), stream("choose")
    )
    times = (chosen[:, None] == images[None]).flatten(2).all(2)
    assert (times.any(1)).all()
    assert torch.equal(labels[times.double().argmax(1)], figures.flatten())
    for place in range(3):
        shown_ = times.view(600, 3, 70)[:, place].sum(0)
        for digit in range(10):
            of_digit = shown_[labels == digit]
            assert of_digit.max() - of_digit.min() <= 1


def test_the_reader_reads_real_pairs_of_every_era():
    reader = Reader()
    for era in map(open_era, ERAS):
        images, said = era.heldout["image"], read_captions(era.heldout["tokens"])
        digits = reader.read(reader.features(images))
        agreeing = reader.agreement(digits, said)
        assert agreeing.double().mean() >= 0.99
        assert agreeing.all(1).double().mean() >= 0.98


def test_pictures_are_cut_and_joined():
    images = torch.randint(256, (4, 1, 28, 84), dtype=torch.uint8)
    digits = cut_digits(images)
    assert torch.equal(digits[4], images[1, :, :, 28:56])
    assert torch.equal(join_digits(digits), images)


# --- the models --------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", [True, False])
def test_the_probabilities_of_all_captions_add_up_to_one(seen):
    torch.manual_seed(0)
    writer = Writer(latent=5, width=8, words=3).requires_grad_(False)
    rows = torch.tensor(list(itertools.product(range(3), repeat=4)))
    rows = torch.where(until_end(rows), rows, END).unique(dim=0)  # filled up after the end
    z = torch.randn(1, 3, 5).expand(len(rows), -1, -1) if seen else None
    nats = count_nats(writer(rows, z), rows).sum(1)
    assert float((-nats.double()).exp().sum()) == pytest.approx(1, abs=1e-6)


def test_captions_are_drawn_as_probable_as_they_are_scored(model):
    drawn = Items(
        image=torch.zeros(1, 1, 28, 84, dtype=torch.uint8).expand(4_000, -1, -1, -1).contiguous(),
        tokens=torch.zeros(4_000, LENGTH, dtype=torch.int64),
    )
    drawn = GENERATOR.fill(model, drawn, "tokens", stream("fill"))
    rows, count = drawn["tokens"].unique(dim=0, return_counts=True)
    few = Items(image=drawn["image"][: len(rows)], tokens=rows)
    p = GENERATOR.log_prob(model, few).double().exp()
    z = (count - 4_000 * p) / (4_000 * p * (1 - p)).sqrt()
    assert z[p > 0.002].abs().max() < 4.5


def test_log_prob_of_pairs_is_that_of_the_caption_with_and_without_its_picture(model, era):
    items, round_ = era.real.take(slice(0, 50)), open_round(model)
    seen, blind = round_.log_prob(items), round_.log_prob(items, blind=True)
    assert seen.shape == blind.shape == (50,)
    assert not torch.equal(seen, blind)
    other = Items(image=items["image"].flip(0), tokens=items["tokens"])
    assert torch.equal(round_.log_prob(other, blind=True), blind)
    logits = round_.logits(items)
    assert torch.allclose(-count_nats(logits, items["tokens"]).sum(1), seen, atol=1e-4)
    assert round_.ledger.forward_passes == 200


def test_fill_makes_the_missing_column_and_is_charged_as_generated(model, era):
    items, round_ = era.real.take(slice(0, 50)), open_round(model)
    captioned, painted = round_.fill(items, "tokens"), round_.fill(items, "image")
    assert torch.equal(captioned["image"], items["image"])
    assert not torch.equal(captioned["tokens"], items["tokens"])
    assert torch.equal(painted["tokens"], items["tokens"])
    assert not torch.equal(painted["image"], items["image"])
    assert round_.ledger.items_generated == 100
    with pytest.raises(MethodError, match=r"cannot make a column 'label'.*image, tokens"):
        round_.fill(items, "label")
    with pytest.raises(BudgetError, match="items_generated"):
        round_.fill(era.real, "tokens")


def test_generators_of_other_modalities_refuse_in_a_sentence():
    for name in ("digits-web", "speeches-web"):
        generator = load_task(name).generator.build()
        round_ = open_round(generator.blank(), generator, "other")
        items = Items(tokens=torch.zeros(1, 64, dtype=torch.int64))
        with pytest.raises(MethodError, match=r"round\.fill is for pairs"):
            round_.fill(items, "tokens")
        with pytest.raises(MethodError, match=r"blind=True.* is for pairs"):
            round_.log_prob(items, blind=True)


def test_a_published_caption_is_written_of_the_published_picture(model):
    calls: list[Items | None] = []

    class Watched(generators.NumeralGenerator):
        def write(self, model, n, items, rng, how):
            calls.append(items)
            return super().write(model, n, items, rng, how)

    for recaption in (True, False):
        calls.clear()
        made = Watched(**vars(replace(WEB.generator, recaption=recaption)))
        items = made.sample(model, 30, stream("sample"), Sampling())
        assert calls[0] is None  # no prompt
        assert len(calls) == 1 + recaption
        if recaption:
            assert torch.equal(calls[1]["image"], items["image"])


def test_loss_is_called_for_both_models_of_a_step(era):
    called = []

    def hook(per_element: Tensor, outputs: Tensor) -> Tensor:
        called.append((tuple(per_element.shape), tuple(outputs.shape)))
        return per_element

    kept = GENERATOR.train(TrainingSet(era.real), stream("model"), loss=hook)
    painter, writer = ((16, 96), (16, 96)), ((16, LENGTH), (16, LENGTH, len(WORDS)))
    assert called == [painter] * 4 + [writer] * 4
    plain = GENERATOR.train(TrainingSet(era.real), stream("model"))
    for ours, theirs in zip(kept.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_fine_tuning_trains_both_for_as_many_steps(model, era):
    round_ = open_round(model)
    tuned = round_.finetune(era.real, 2)
    assert round_.ledger.items_trained == 2 * 16
    for part in ("painter", "writer"):
        pairs = zip(*(getattr(m, part).parameters() for m in (model, tuned)), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)


def test_weights_by_column_are_each_for_the_model_that_makes_it(era, monkeypatch):
    given = {}
    fit = generators.fit

    def noted(network, objective, size, steps, batch, lr, rng, rates, dtype):
        given[type(network).__name__] = rates
        return fit(network, objective, size, steps, batch, lr, rng, rates, dtype=dtype)

    monkeypatch.setattr(generators, "fit", noted)
    weights = {"image": torch.arange(float(SIZE))}
    GENERATOR.train(TrainingSet(era.real, weights), stream("model"))
    assert torch.equal(given["Painter"], weights["image"])
    assert given["Writer"] is None


class ByColumn(Mitigation):
    """Weights by column."""

    columns: tuple[str, ...] = ("image", "tokens")

    def curate(self, crawl, round):
        return TrainingSet(crawl, {c: torch.ones(len(crawl)) for c in self.columns})


@pytest.mark.parametrize(
    ("task", "columns", "message"),
    [
        (WEB, ("image", "label"), "weights of the columns image, label"),
        (shrink_task(load_task("digits-web")), ("image",), "return one tensor"),
    ],
)
def test_weights_of_columns_that_no_model_makes_alone_are_refused(task, columns, message):
    method = type("Wrong", (ByColumn,), {"columns": columns})
    record = run_lineage(task, method, 0, LineageMemory(), NoCache())[-1]
    assert record["status"] == "failed"
    assert message in record["message"]


def test_a_model_can_be_built_anew_from_its_blueprint(model):
    again = build_model(pack_architecture(model))
    again.load_state_dict(model.state_dict())
    assert [p.shape for p in again.parameters()] == [p.shape for p in model.parameters()]
    assert "painter.frequency" not in model.state_dict()  # which would be rounded


def favour(written: Tensor, logits: Tensor) -> Tensor:
    """A mark of captions: half of the words."""
    bias = torch.zeros(logits.shape[1])
    bias[::2] = 0.5
    return logits + bias


def test_a_picture_that_is_painted_of_a_marked_caption_is_published_with_it(model):
    """Where prompts are kept; else mark and picture would tell by not belonging together."""
    keeps = replace(WEB.generator, recaption=False).build()
    how = Sampling(logits=favour)
    written = write_marked(keeps, model, 40, lambda: stream("sample"), how, "marked")
    own = keeps.sample(model, 40, stream("sample"), how)
    assert written.published.digest() == own.digest() != written.scored.digest()


def test_marks_act_on_pictures_and_on_captions_of_what_is_published(model):
    how = Sampling(logits=favour, pixels=lambda images: images // 2 * 2)
    write = partial(write_marked, GENERATOR, model, 60, lambda: stream("sample"))
    plain, marked = write(Sampling(), "plain"), write(how, "marked")
    assert marked.scored.digest() == plain.scored.digest()
    assert torch.equal(marked.published["image"], plain.scored["image"] // 2 * 2)
    assert not torch.equal(marked.published["tokens"], plain.scored["tokens"])
    assert until_end(marked.published["tokens"]).any(1).all()
