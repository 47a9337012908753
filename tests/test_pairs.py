"""Pairs: what captions say, what real pairs are, what the two models make, what is measured."""

import itertools
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from baselines import agreement_filter, balanced_numbers, crossmodal_anchor
from baselines.mutual_information_filter import MutualInformationFilter
from baselines.recaption import Recaption
from baselines.repaint import Repaint
from benchmark import Access, Items, Mitigation, Sampling, TrainingSet
from benchmark.basics.cache import NoCache
from benchmark.basics.errors import BudgetError, MethodError
from benchmark.basics.seeds import stream
from benchmark.interface.find import find_method
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.lineage.loop import open_world, run_lineage
from benchmark.lineage.marks import write_marked
from benchmark.lineage.store import LineageMemory
from benchmark.metrics.numbers import divergence, expected_kinds
from benchmark.runs.sandbox import Bounds, isolate_method
from benchmark.runs.sandbox.models import build_model, pack_architecture
from benchmark.tasks.pairs import generator as generators
from benchmark.tasks.pairs.codec import cut_digits, join_digits
from benchmark.tasks.pairs.evaluators import PairEvaluator, embed_meaning
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
    write_captions,
)
from benchmark.tasks.pairs.networks import Writer, count_nats
from benchmark.tasks.pairs.numerals import (
    NumeralsEra,
    Pool,
    draw_evenly,
    power_law,
    spread_hands,
)
from benchmark.tasks.pairs.reader import Reader
from benchmark.tasks.pairs.shown import COLUMNS, LEFT, shown
from benchmark.tasks.parts import Era
from benchmark.tasks.suites import load_suite, load_task, shrink_task
from benchmark.tasks.task import Task
from tests.system import needs_bubblewrap

TINY = {
    "width": 16, "blocks": 1, "reading": 8, "writing": 8, "batch": 16, "steps": 4,
    "sampling_steps": 2,
}  # fmt: skip


def tiny(task: Task, **changes: Any) -> Task:
    less = [replace(recipe, **TINY) for recipe in (task.generator, *task.foreign)]  # type: ignore[type-var]
    task = replace(shrink_task(task), generator=less[0], foreign=tuple(less[1:]), n=60)
    return replace(task, **changes)


WEB = tiny(load_task("numerals-web"))
GENERATOR = WEB.generator.build()


@pytest.fixture(scope="module")
def world():
    """The moving world of the suite at a smaller size: its first, middle and last era."""
    task = load_task("numerals-web")
    task = replace(task, n=1_000, data=replace(task.data, heldout=1_000))
    open_ = open_world(task, 0)
    return {t: open_(t) for t in (0, 4, 8)}


@pytest.fixture(scope="module")
def era(world) -> NumeralsEra:
    return world[4]


@pytest.fixture(scope="module")
def model(era):
    return GENERATOR.train(TrainingSet(era.real), stream("model"))


def open_round(model: Any, generator: Any = GENERATOR, modality: str = "pair", **granted) -> Round:
    everything = {Access.MODEL: model} | {Access[name]: what for name, what in granted.items()}
    limits = Limits(generator.steps * generator.batch, 200, 10_000)
    return Round(
        1, 100, modality, stream("round"), everything, generator, Ledger(), limits, trained=True
    )


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


def test_eras_are_new_and_the_same_when_asked_again(world):
    pictures = [set(era.real.fingerprints()) for era in world.values()]
    assert all(len(a) == 1_000 and not a & b for a, b in itertools.permutations(pictures, 2))
    small = replace(WEB, generations=8, data=replace(WEB.data, eras=8))
    first, second = (open_world(small, 3) for _ in range(2))
    second(0)
    assert first(5).real.digest() == second(5).real.digest()
    assert first(5).real.digest() != open_world(small, 4)(5).real.digest()


def test_wordings_drift_and_numbers_keep_to_their_law(world):
    shares = {}
    for t, era in world.items():
        said = read_captions(era.heldout["tokens"])
        assert said.readable.all()
        assert said.number.min() >= 1
        found = said.number.bincount(minlength=1_000)
        assert (found - 1_000 * era.law).abs().max() <= 1.000001
        shares[t] = float((said.wording == 3).double().mean())
    assert shares == pytest.approx({0: 0.1, 4: 0.3, 8: 0.5}, abs=0.002)


def test_the_fast_world_moves_the_law_and_the_static_one_nothing():
    stress = {task.name: task for task in load_suite("stress").tasks}
    fast, static = (
        open_world(replace(tiny(stress[f"numerals-web-{name}"]), generations=8), 0)
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


def test_the_reader_reads_real_pairs_of_every_era(world):
    reader = Reader()
    for era in world.values():
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

    class Watched(generators.PairGenerator):
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
    weights = {"image": torch.arange(1_000.0)}
    GENERATOR.train(TrainingSet(era.real, weights), stream("model"))
    assert given == {"Painter": weights["image"], "Writer": None}


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


def test_marks_act_on_pictures_and_on_captions_of_what_is_published(model):
    def favour(written: Tensor, logits: Tensor) -> Tensor:
        bias = torch.zeros(logits.shape[1])
        bias[::2] = 0.5
        return logits + bias

    how = Sampling(logits=favour, pixels=lambda images: images // 2 * 2)
    write = partial(write_marked, GENERATOR, model, 60, lambda: stream("sample"))
    plain, marked = write(Sampling(), "plain"), write(how, "marked")
    assert marked.scored.digest() == plain.scored.digest()
    assert torch.equal(marked.published["image"], plain.scored["image"] // 2 * 2)
    assert not torch.equal(marked.published["tokens"], plain.scored["tokens"])
    assert until_end(marked.published["tokens"]).any(1).all()


# --- what is measured --------------------------------------------------------------------------


class Silent:
    """A generator whose model cannot be asked anything."""

    def loss(self, model: Any, items: Items) -> float:
        return 0.0

    def log_prior(self, model: Any, items: Items) -> Tensor:
        return torch.zeros(len(items))


def profile(samples: Items, era: Era, evaluator: PairEvaluator | None = None) -> dict[str, float]:
    return (evaluator or PairEvaluator()).profile(Silent(), torch.nn.Module(), samples, era)  # type: ignore[arg-type]


def permuted(items: Items, share: float) -> Items:
    """Captions handed round among the first `share` of pairs."""
    rows = torch.arange(len(items))
    rows[: round(share * len(items))] = rows[: round(share * len(items))].roll(1)
    return Items(image=items["image"], tokens=items["tokens"][rows])


def test_permuted_captions_move_the_joint_distance_and_neither_half(era):
    evaluator, shares = PairEvaluator(), (0.0, 0.05, 0.25, 1.0)
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


# --- methods -----------------------------------------------------------------------------------


def test_the_agreement_filter_drops_what_disagrees_and_keeps_a_tenth(era):
    verify = load_task("numerals-web").verifier.build()  # type: ignore[union-attr]
    round_ = open_round(None, VERIFIER=verify)
    half = permuted(era.real, 0.5)
    kept = agreement_filter.AgreementFilter().curate(half, round_).items
    assert 450 < len(kept) < 600
    nonsense = Items(image=half["image"], tokens=half["tokens"] * 0 + 20)
    assert len(agreement_filter.AgreementFilter().curate(nonsense, round_)) == 100


def test_the_mutual_information_filter_keeps_what_the_picture_tells(model, era):
    round_ = open_round(model)
    kept = MutualInformationFilter().curate(era.real, round_).items
    tells = round_.log_prob(era.real) - round_.log_prob(era.real, blind=True)
    kept_tells = round_.log_prob(kept) - round_.log_prob(kept, blind=True)
    assert len(kept) == 500
    assert kept_tells.min() >= tells.median() - 1e-4


@pytest.mark.parametrize(("method", "kept"), [(Recaption, "image"), (Repaint, "tokens")])
def test_recaption_and_repaint_change_one_column(method, kept, model, era):
    few = era.real.take(slice(0, 50))
    made = method().curate(few, open_round(model)).items
    for column in ("image", "tokens"):
        assert torch.equal(made[column], few[column]) == (column == kept)


def test_the_crossmodal_anchor_is_for_the_painter_alone(era):
    round_ = open_round(None, RESERVE=era.trusted)
    made = crossmodal_anchor.CrossmodalAnchor().curate(era.real, round_)
    trusted = len(era.trusted)
    assert made.weights["image"][:trusted].sum() == pytest.approx(1 / 3)  # type: ignore[index]
    assert made.weights["tokens"][:trusted].sum() == 0  # type: ignore[index]
    assert made.weights["tokens"].sum() == pytest.approx(1, abs=1e-4)  # type: ignore[index]


def test_balanced_numbers_limit_what_is_captioned_alike():
    one, other = caption_of(1, 0, 0), caption_of(342, 0, 0)
    tokens = torch.tensor([one] * 90 + [other] * 110)
    made = balanced_numbers.BalancedNumbers().curate(Items(tokens=tokens), open_round(None))
    assert isinstance(made.weights, Tensor)
    assert made.weights[:90].sum() == pytest.approx(2, abs=1e-4)
    assert made.weights[90:].sum() == pytest.approx(2, abs=1e-4)


def test_wordless_methods_leave_other_modalities_alone():
    crawl = Items(tokens=write_captions(*torch.ones(3, 20, dtype=torch.int64)))
    round_ = open_round(None, modality="text", VERIFIER=None, RESERVE=None)
    methods = [
        agreement_filter.AgreementFilter, balanced_numbers.BalancedNumbers, Repaint, Recaption,
        crossmodal_anchor.CrossmodalAnchor, MutualInformationFilter,
    ]  # fmt: skip
    for method in methods:
        made = method().curate(crawl, round_)
        assert made.items is crawl
        assert made.weights is None


NEW = (
    "agreement_filter", "balanced_numbers", "crossmodal_anchor", "mutual_information_filter",
    "recaption", "repaint",
)  # fmt: skip
OLD = (
    "covariance_matching", "deduplicate", "density_ratio", "detector_resample", "farthest_point",
    "guidance", "neon", "nucleus", "oracle", "sims", "temperature", "token_editing",
    "truncated_cross_entropy", "verifier_filter", "watermark_green_list",
)  # fmt: skip


@pytest.fixture(scope="module")
def quick_task() -> Task:
    """Numbers only, so that a lineage takes a second."""
    return replace(WEB, evaluation=OneNumber())


@dataclass(frozen=True)
class OneNumber:
    primary: str = "log_frechet_joint"

    def build(self) -> Any:
        return self

    def profile(self, generator, model, samples, era) -> dict[str, float]:
        return {self.primary: generator.loss(model, era.heldout)}


@pytest.mark.parametrize("name", [*NEW, *OLD])
def test_a_lineage_of_pairs_with_every_kind_of_method(name, quick_task):
    records = run_lineage(quick_task, find_method(name).load(), 0, LineageMemory(), NoCache())
    assert [record["status"] for record in records] == ["ok"] * 3, records[-1].get("message")


EVERYTHING = '''
import torch
from benchmark import Access, Items, Mitigation, Sampling, TrainingSet

class Everything(Mitigation):
    """Uses all that only pairs have."""
    access = frozenset(Access) - {Access.PROVENANCE}

    def curate(self, crawl, round):
        tells = round.log_prob(crawl) - round.log_prob(crawl, blind=True)
        kept = crawl.take(tells.argsort()[: len(crawl) // 2])
        items = Items.concat([round.fill(kept, "tokens"), round.fill(kept, "image")])
        rates = torch.rand(2, len(items), generator=round.rng)
        return TrainingSet(items, {"image": rates[0], "tokens": rates[1]}, steps=round.steps - 1)

    def loss(self, per_element, outputs):
        return per_element * (1.5 if outputs.dim() == 3 else 0.5)

    def adjust(self, model, round):
        return round.finetune(round.reserve, 1)

    def sampling(self, round):
        return Sampling(temperature=0.95, guidance=0.1, negative=round.model,
                        logits=lambda written, logits: logits + 0.01,
                        pixels=lambda images: images ^ 1)
'''


@needs_bubblewrap
def test_a_run_in_the_sandbox_gives_the_same_numbers(tmp_path):
    file = tmp_path / "everything.py"
    file.write_text(EVERYTHING)
    found = []
    with isolate_method(file, None, Bounds(seconds=60)) as isolated:
        for method in (find_method(file).load(), isolated):
            store = LineageMemory()
            records = run_lineage(WEB, method, 0, store, NoCache())
            assert records[-1]["status"] == "ok", records[-1]["message"]
            said = [{k: r[k] for k in ("profile", "ledger", "training_set")} for r in records]
            found.append((said, [items.digest() for items in store.published.values()]))
    assert found[0] == found[1]
