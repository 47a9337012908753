"""The contract between harness and mitigation: access, budget, and every breach of it."""

import random
import re

import numpy as np
import pytest
import torch
from torch import nn

from benchmark import Access, Items, Mitigation, Sampling, TrainingSet
from benchmark.basics.errors import AccessError, BudgetError, MethodError
from benchmark.basics.seeds import stream
from benchmark.interface.round import ROUND, Ledger, Limits, Round

WHAT = {
    Access.ARCHIVE: lambda r: r.archive,
    Access.RESERVE: lambda r: r.reserve,
    Access.PROVENANCE: lambda r: r.provenance,
    Access.MODEL: lambda r: r.model,
    Access.WATERMARK: lambda r: r.key,
    Access.VERIFIER: lambda r: r.verify(items(3)),
}
MODEL_WORK = {
    "log_prob": lambda r: r.log_prob(items(3)),
    "logits": lambda r: r.logits(items(3)),
    "steps": lambda r: r.steps,
    "features": lambda r: r.features(items(3)),
    "sample": lambda r: r.sample(3),
    "finetune": lambda r: r.finetune(items(3), steps=1),
}
WEIGHTS = ("model", "finetune")  # what hands out weights


def items(n: int) -> Items:
    return Items(x=torch.arange(n))


class Toy:
    """A generator that does nothing."""

    steps, batch = 5, 10

    def log_prob(self, model, items):
        return torch.zeros(len(items))

    features = logits = log_prob

    def sample(self, model, n, rng, how):
        return items(n)

    def train(self, data, rng, loss=None, model=None, steps=None, rate=1.0):
        return model


def make_round(*access: Access, trained: bool = True) -> Round:
    granted = {
        Access.ARCHIVE: (items(5),),
        Access.RESERVE: items(4),
        Access.PROVENANCE: (torch.tensor([-1, -1, 0]),),
        Access.MODEL: torch.nn.Identity(),
        Access.WATERMARK: 42,
        Access.VERIFIER: lambda items: torch.zeros(len(items)),
    }
    return Round(
        generation=1,
        n=10,
        modality="image",
        rng=stream("round"),
        granted={a: granted[a] for a in access},
        generator=Toy(),
        ledger=Ledger(),
        limits=Limits(items_trained=50, items_generated=20, forward_passes=30),
        trained=trained,
    )


@pytest.mark.parametrize("access", list(Access))
def test_what_is_declared_is_given_and_nothing_else(access):
    assert WHAT[access](make_round(access)) is not None
    everything_else = make_round(*(a for a in Access if a != access))
    with pytest.raises(AccessError, match=f"Access.{access.name}"):
        WHAT[access](everything_else)


@pytest.mark.parametrize("work", [*MODEL_WORK, "model"])
def test_weights_of_the_generation_before_are_memory_that_is_declared(work):
    ask = MODEL_WORK.get(work, WHAT[Access.MODEL])
    if work in WEIGHTS:
        with pytest.raises(AccessError, match=rf"round\.{work} in curate .* Access\.ARCHIVE, too"):
            ask(make_round(Access.MODEL, trained=False))
    else:
        ask(make_round(Access.MODEL, trained=False))
    ask(make_round(Access.MODEL, Access.ARCHIVE, trained=False))
    ask(make_round(Access.MODEL, trained=True))


def test_the_model_that_is_handed_out_is_a_copy():
    round_ = make_round(Access.MODEL)
    own = torch.nn.Linear(2, 2)
    round_.renew(own)
    assert round_.model is round_.model is not own
    with torch.no_grad():
        round_.model.weight.zero_()
    assert own.weight.abs().sum() > 0


@pytest.mark.parametrize("work", MODEL_WORK)
def test_work_with_the_own_model_needs_model_access(work):
    MODEL_WORK[work](make_round(Access.MODEL))
    with pytest.raises(AccessError, match=r"Access\.MODEL"):
        MODEL_WORK[work](make_round(*(a for a in Access if a != Access.MODEL)))


def test_the_table_says_all_that_a_round_offers():
    """What is not in it cannot be reached from the sandbox."""
    harness_only = {"renew"}
    assert {name for name in vars(Round) if not name.startswith("_")} - harness_only == set(ROUND)
    assert {ROUND[name].access for name in MODEL_WORK} == {Access.MODEL}
    assert {offer.access for offer in ROUND.values()} == set(Access)


@pytest.mark.parametrize("access", list(Access))
def test_what_is_not_declared_is_not_inside_the_round(access):
    """Not only refused: no attribute, however private, holds it."""
    round_ = make_round(*(a for a in Access if a != access))
    assert access not in round_._granted
    if access == Access.MODEL:
        assert round_._generator is None


def test_the_ledger_counts_auxiliary_work():
    round_ = make_round(*Access)
    round_.log_prob(items(7))
    round_.logits(items(4))
    round_.features(items(5))
    round_.verify(items(2))
    round_.sample(6)
    round_.finetune(items(3), steps=2)
    assert round_.ledger == Ledger(items_trained=20, items_generated=6, forward_passes=18)
    assert len(round_.reserve) == 4
    assert len(round_.reserve) == 4
    assert round_.ledger.real_items == 4


def test_real_items_of_two_sources_are_counted_together():
    round_ = make_round(Access.RESERVE, Access.PROVENANCE)
    assert len(round_.provenance) == 1
    assert round_.ledger.real_items == 2
    for _ in range(2):
        assert len(round_.reserve) == 4
        assert round_.ledger.real_items == 6


@pytest.mark.parametrize("what", ["log_prob", "features", "logits", "verify", "finetune"])
@pytest.mark.parametrize(("given", "said"), [(None, "takes Items, not NoneType"),
                                             (items(3).take([]), "about no items")])  # fmt: skip
def test_questions_about_nothing_are_answered_in_words(what, given, said):
    more = {"steps": 1} if what == "finetune" else {}
    with pytest.raises(MethodError, match=f"round.{what} .*{said}"):
        getattr(make_round(*Access), what)(given, **more)


def test_work_beyond_the_budget_is_refused_and_not_counted():
    round_ = make_round(Access.MODEL)
    for work in (
        lambda: round_.log_prob(items(31)),
        lambda: round_.logits(items(31)),
        lambda: round_.sample(21),
    ):
        with pytest.raises(BudgetError, match="limit"):
            work()
    assert round_.ledger == Ledger()


def test_fine_tuning_is_paid_from_the_steps_of_the_generation():
    round_ = make_round(Access.MODEL)
    assert round_.steps == 5
    round_.finetune(items(3), steps=2)
    with pytest.raises(
        BudgetError,
        match=r"round\.finetune asks for 4 of this generation's 5 optimiser steps, 3 are left: "
        r"keep some back .* TrainingSet\(items, steps=round\.steps - 4\)",
    ):
        round_.finetune(items(3), steps=4)
    round_.finetune(items(3), steps=3)
    assert round_.ledger == Ledger(items_trained=50)


class KeepsSteps(Mitigation):
    """Trains for `SHARE` of the steps, and spends `SPENT` on fine-tuning."""

    access = frozenset({Access.MODEL})
    TRAINED: int | None = None
    SPENT = 0

    def curate(self, crawl, round):
        return TrainingSet(crawl, steps=self.TRAINED)

    def adjust(self, model, round):
        return round.finetune(round.sample(8), self.SPENT) if self.SPENT else model


@pytest.mark.parametrize(("trained", "spent", "steps"), [(None, 0, 4), (3, 1, 4), (2, 0, 2)])
def test_training_and_fine_tuning_share_the_steps(trained, spent, steps, tasks, lineage):
    method = type("M", (KeepsSteps,), {"TRAINED": trained, "SPENT": spent})
    records, batch = lineage(method), tasks["digits-replace"].generator.batch
    assert [r["status"] for r in records] == ["ok"] * 3
    assert [r["ledger"]["items_trained"] for r in records] == [4 * batch, *[steps * batch] * 2]


@pytest.mark.parametrize(
    ("trained", "spent", "sentence"),
    [
        (None, 1, r"M\.adjust at generation 1: round\.finetune asks for 1 of .* 0 are left"),
        (4, 4, r"M\.adjust at generation 1: round\.finetune asks for 4 of .* 0 are left"),
        (5, 0, r"M\.curate at generation 1 asks for 5 optimiser steps .* 1 to 4 of .* are left"),
        (0, 0, r"M\.curate at generation 1 asks for 0 optimiser steps"),
        (2.5, 0, r"M\.curate at generation 1: steps must be a whole number, got 2\.5"),
    ],
)
def test_twice_as_long_cannot_be_had(trained, spent, sentence, lineage):
    records = lineage(type("M", (KeepsSteps,), {"TRAINED": trained, "SPENT": spent}))
    assert [r["status"] for r in records] == ["ok", "failed"]
    assert re.match(sentence, records[1]["message"])


def test_the_steps_of_training_are_spent_when_loss_is_called(lineage):
    class Twice(Mitigation):
        access = frozenset({Access.MODEL, Access.ARCHIVE})

        def curate(self, crawl, round):
            self.crawl, self.round = crawl, round
            return TrainingSet(crawl)

        def loss(self, per_element, outputs):
            self.round.finetune(self.crawl, 1)
            return per_element

    records = lineage(Twice)
    assert [r["status"] for r in records] == ["ok", "failed"]
    said = r"Twice\.loss at generation 1: round\.finetune asks for 1 of .* 0 are left"
    assert re.match(said, records[1]["message"])


def test_fine_tuning_on_nothing_is_said():
    round_ = make_round(Access.MODEL)
    for given in (items(0), items(3).take([])):
        with pytest.raises(MethodError, match=r"finetune was asked about no items"):
            round_.finetune(given, steps=1)
    assert round_.ledger == Ledger()


def test_nothing_is_refunded_and_no_step_is_free():
    round_ = make_round(Access.MODEL)
    with pytest.raises(BudgetError, match="items_generated cannot change by -5"):
        round_.sample(-5)
    for steps in (0, -1):
        with pytest.raises(MethodError, match=f"at least one step, got {steps}"):
            round_.finetune(items(3), steps=steps)
    assert round_.ledger == Ledger()


def curate(function):
    return type("Method", (Mitigation,), {"curate": function})


def breach(name):
    def change_in_place(self, crawl, round):
        crawl["image"].zero_()
        return TrainingSet(crawl)

    def repeat(self, crawl, round):
        return TrainingSet(Items.concat([crawl, crawl]))

    def other_kind(self, crawl, round):
        return TrainingSet(Items(image=crawl["image"].float(), label=crawl["label"]))

    def relabel(self, crawl, round):
        label = crawl["label"].clone()
        label[:2] = torch.tensor([0, 10])
        return TrainingSet(Items(image=crawl["image"], label=label))

    def weigh(weights):
        return lambda self, crawl, round: TrainingSet(crawl, weights(len(crawl)))

    return {
        "nothing": (lambda self, crawl, round: None, "returned NoneType: return a TrainingSet"),
        "items": (lambda self, crawl, round: crawl, "returned Items: return a TrainingSet"),
        "empty": (lambda self, crawl, round: TrainingSet(crawl.take([])), "empty training set"),
        "nan": (weigh(lambda n: torch.full((n,), torch.nan)), "weights that are not finite"),
        "negative": (weigh(lambda n: torch.full((n,), -1.0)), "negative or all zero"),
        "zero": (weigh(torch.zeros), "negative or all zero"),
        "shape": (weigh(lambda n: torch.ones(n - 1)), r"real weights of shape \({n},\)"),
        "in place": (change_in_place, "in place: work on a copy"),
        "too many": (repeat, "returned {twice} items, more than the {n} it had access to"),
        "other kind": (other_kind, "must return items like the crawl's"),
        "reserve": (lambda self, crawl, round: round.reserve, r"needs Access\.RESERVE"),
        "no class": (relabel, r"items whose label are 0 to 10: only 0 to 9 exist"),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["nothing", "items", "empty", "nan", "negative", "zero", "shape", "in place", "too many",
     "other kind", "no class", "reserve"],
)  # fmt: skip
def test_a_breach_of_curate_is_recorded_with_one_sentence(name, tasks, lineage):
    function, sentence = breach(name)
    n = tasks["digits-replace"].n
    records = lineage(curate(function))
    assert [r["status"] for r in records] == ["ok", "failed"]
    assert records[1]["message"].startswith("Method.curate at generation 1")
    assert "\n" not in records[1]["message"]
    assert re.search(sentence.format(n=n, twice=2 * n), records[1]["message"])


MARKS = frozenset({Access.WATERMARK})


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        (
            {"loss": lambda self, per_element, outputs: per_element.mean()},
            r"Method\.loss at generation 1 must return a torch\.float32 \({batch}, 32\) tensor",
        ),
        (
            {"adjust": lambda self, model, round: None},
            r"Method\.adjust at generation 1: a NoneType is no model of the lineage: give a Latent",
        ),
        (
            {"sampling": lambda self, round: 0.5},
            r"Method\.sampling at generation 0 returned float: return a Sampling",
        ),
        (
            {"sampling": lambda self, round: Sampling(temperature=0.0)},
            r"Method\.sampling at generation 0 returned temperature 0\.0: it must be above 0",
        ),
        (
            {"sampling": lambda self, round: Sampling(guidance=float("nan"))},
            r"Method\.sampling at generation 0 returned guidance nan and top_k 0",
        ),
        (
            {"sampling": lambda self, round: Sampling(guidance=-1, negative=nn.Linear(1, 1))},
            r"Method\.sampling at generation 0 returned guidance -1 with a negative model: it must",
        ),
        (
            {"sampling": lambda self, round: Sampling(pixels=abs)},
            r"Method\.sampling at generation 0 marks its output: declare Access\.WATERMARK",
        ),
        (
            {"sampling": lambda self, round: Sampling(pixels=lambda x: 1 / 0), "access": MARKS},
            r"Method\.sampling at generation 0, pixels raised ZeroDivisionError",
        ),
        (
            {"sampling": lambda self, round: Sampling(pixels=torch.Tensor.float), "access": MARKS},
            r"pixels must return a torch\.uint8 \({n}, 1, 28, 28\) tensor, got torch\.float32",
        ),
        (
            {"__init__": lambda self: 1 / 0},
            r"Method\(\) at generation 0 raised ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_breach_of_another_hook_is_recorded(attributes, sentence, tasks, lineage):
    records = lineage(type("Method", (Mitigation,), attributes))
    task = tasks["digits-replace"]
    sentence = sentence.format(n=task.n, batch=task.generator.batch)
    assert records[-1]["status"] == "failed"
    assert re.match(f".*{sentence}", records[-1]["message"])


def test_global_random_numbers_are_reproducible_too(lineage):
    class Careless(Mitigation):
        def curate(self, crawl, round):
            order = np.random.permutation(len(crawl))[: random.randint(20, 30)]
            return TrainingSet(crawl.take(order), torch.rand(len(order)))

    first = lineage(Careless, folder="first")
    torch.rand(5), np.random.rand(3), random.random()
    assert [r["profile"] for r in lineage(Careless, folder="second")] == [
        r["profile"] for r in first
    ]


def test_all_hooks_act(lineage):
    """Each hook changes the lineage, on its own, from the generation on where it acts."""

    class Half(Mitigation):
        def curate(self, crawl, round):
            return TrainingSet(crawl.take(slice(0, len(crawl) // 2)))

    class Weighted(Mitigation):
        def curate(self, crawl, round):
            return TrainingSet(crawl, torch.rand(len(crawl), generator=round.rng))

    class Masked(Mitigation):
        def loss(self, per_element, outputs):
            return per_element * (per_element < 1)

    class Doubled(Mitigation):
        def adjust(self, model, round):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.mul_(1.1)
            return model

    class Cold(Mitigation):
        def sampling(self, round):
            return Sampling(temperature=0.5)

    plain = [r["profile"] for r in lineage(Mitigation, folder="plain")]
    for method in (Half, Weighted, Masked, Doubled, Cold):
        changed = [r["profile"] for r in lineage(method, folder=method.__name__)]
        assert (changed[0] == plain[0]) == (method is not Cold)  # generation 0 is common
        assert changed[1] != plain[1]


def test_a_new_instance_each_generation_keeps_nothing(lineage):
    class Remembers(Mitigation):
        def curate(self, crawl, round):
            assert not hasattr(self, "seen")
            self.seen = True
            return TrainingSet(crawl)

    assert [r["status"] for r in lineage(Remembers)] == ["ok"] * 3


def test_the_model_is_the_previous_one_in_curate_and_the_new_one_in_adjust(lineage):
    class Looks(Mitigation):
        access = frozenset({Access.MODEL, Access.ARCHIVE})

        def curate(self, crawl, round):
            Looks.previous = [p.clone() for p in round.model.parameters()]
            return TrainingSet(crawl)

        def adjust(self, model, round):
            own = zip(round.model.parameters(), model.parameters(), strict=True)
            assert all(torch.equal(a, b) for a, b in own)
            pairs = zip(model.parameters(), Looks.previous, strict=True)
            assert not all(torch.equal(a, b) for a, b in pairs)
            return model

    assert [r["status"] for r in lineage(Looks)] == ["ok"] * 3
