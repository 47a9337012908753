"""Options that make a task harder: what they change, and that nothing else changes."""

from dataclasses import replace
from typing import ClassVar

import pytest
import torch

from benchmark import FOREIGN, Access, Items, Mitigation, Sampling
from benchmark.basics.errors import BudgetError, InputError
from benchmark.basics.seeds import stream
from benchmark.lineage.loop import open_world, run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.tasks.images.recipes import ImageLaundering
from benchmark.tasks.parts import ReserveBias
from benchmark.tasks.schedules import Web
from benchmark.tasks.suites import load_suite, load_task, shrink_task
from benchmark.tasks.text.recipes import TextLaundering
from benchmark.theory.tasks import gaussian_task
from tests import tiny

STRESS = {task.name: task for task in load_suite("stress").tasks}
SIZES = {"tiny": lambda task: tiny.recorded(tiny.tiny(task)), "toy": shrink_task}


@pytest.fixture(params=["tiny", pytest.param("toy", marks=pytest.mark.slow)])
def stress(request):
    """The tasks of suite `stress` by name, at a small size."""
    return {name: SIZES[request.param](task) for name, task in STRESS.items()}


def test_an_option_changes_the_hash_only_where_it_is_set():
    plain = load_task("digits-web")
    options = {
        "adoption": [0.5, 1.0],
        "laundering": [ImageLaundering(), ImageLaundering(quality=50), TextLaundering()],
        "reserve_bias": [ReserveBias(0, 4), ReserveBias(0, 5)],
    }
    changed = [replace(plain, **{k: v}).hash for k, values in options.items() for v in values]
    assert len({plain.hash, *changed}) == 1 + len(changed)


@pytest.mark.parametrize("make", [
    lambda: replace(load_task("digits-web"), adoption=1.5),
    lambda: ImageLaundering(share=-1),
    lambda: TextLaundering(replaced=2),
])  # fmt: skip
def test_a_share_is_between_0_and_1(make):
    with pytest.raises(InputError, match="is a share between 0 and 1, got"):
        make()


class Sees(Mitigation):
    """Notes every crawl with its provenance."""

    access = frozenset({Access.ARCHIVE, Access.PROVENANCE})
    crawls: tuple[Items, ...] = ()
    made: tuple[torch.Tensor, ...] = ()

    def curate(self, crawl, round):
        type(self).crawls, type(self).made = (*round.archive, crawl), tuple(round.provenance)
        return super().curate(crawl, round)


class Stamps(Sees):
    """Marks by a corner pixel, which no digit reaches."""

    access = Sees.access | {Access.WATERMARK}

    def sampling(self, round):
        def stamp(images):
            images = images.clone()
            images[:, 0, 0, 0] = 120 + round.generation
            return images

        return Sampling(pixels=stamp)


def test_half_of_the_foreign_output_carries_the_mark_of_generation_0(stress, shared_cache):
    run_lineage(stress["digits-web-adoption"], Stamps, 0, LineageMemory(), shared_cache)
    foreign = Stamps.crawls[2]["image"][Stamps.made[2] == FOREIGN]
    own = Stamps.crawls[2]["image"][Stamps.made[2] == 1]
    assert (own[:, 0, 0, 0] == 121).all()
    assert 0.2 < (foreign[:, 0, 0, 0] == 120).double().mean() < 0.8
    assert ((foreign[:, 0, 0, 0] == 120) | (foreign[:, 0, 0, 0] < 100)).all()


class Inks(Stamps):
    """A mark of generation 0's model, random numbers and access, noted whenever it is asked for."""

    access = Stamps.access | {Access.MODEL}
    asked: ClassVar[list[tuple[object, ...]]] = []

    def sampling(self, round):
        weights = [w.sum().item() for w in round.model.state_dict().values()]
        drawn = [torch.rand((), generator=round.rng).item(), torch.rand(()).item()]
        held = len(round.archive), [len(made) for made in round.provenance]
        self.asked.append((round.generation, weights, drawn, held))
        return super().sampling(round)


def test_what_is_adopted_was_made_of_what_generation_0_had(stress, shared_cache):
    Inks.asked.clear()
    task = stress["digits-web-adoption"]
    run_lineage(task, Inks, 0, LineageMemory(), shared_cache)
    first = [asked for asked in Inks.asked if asked[0] == 0]
    assert len(first) == 1 + task.generations  # of its own, and for every later crawl
    assert first[0][3] == (0, [task.n])
    for asked in first[1:]:
        assert asked == first[0]


class Constructed(Inks):
    """Takes of the global numbers before it is asked, and would train further if it were let."""

    def __init__(self):
        self.first = torch.rand(()).item()

    def sampling(self, round):
        try:
            round.finetune(round.sample(4), steps=1)
        except BudgetError:
            self.asked.append((round.generation, self.first))
        return super().sampling(round)


def test_who_is_asked_for_adoption_is_made_and_bounded_as_at_generation_0(stress, shared_cache):
    Inks.asked.clear()
    task = replace(stress["digits-web-adoption"], generations=1)
    records = run_lineage(task, Constructed, 0, LineageMemory(), shared_cache)
    assert [record["status"] for record in records] == ["ok", "ok"]
    own, adopted = [asked for asked in Inks.asked if asked[0] == 0 and len(asked) == 2]
    assert own == adopted
    drawn = [asked[2] for asked in Inks.asked if asked[0] == 0 and len(asked) > 2]
    assert drawn[0] == drawn[1]


def test_nobody_asks_a_method_without_a_mark_what_to_adopt(stress, shared_cache):
    class Counts(Mitigation):
        made = 0

        def __init__(self):
            type(self).made += 1

    task = stress["digits-web-adoption"]
    run_lineage(task, Counts, 0, LineageMemory(), shared_cache)
    assert Counts.made == 1 + task.generations


def test_a_continued_lineage_crawls_the_same_laundered_and_marked_items(stress, shared_cache):
    task = replace(stress["digits-web-adoption"], laundering=ImageLaundering())
    store = LineageMemory()
    first = run_lineage(task, Stamps, 0, store, shared_cache)[2]
    crawls, items = [c.digest() for c in Stamps.crawls], store.published[2].digest()
    assert first["kept"] == {"real": 1.0, "own": 1.0, "foreign": 1.0, "synthetic": 1.0}
    del store.records[2]
    again = run_lineage(task, Stamps, 0, store, shared_cache)[2]
    assert [c.digest() for c in Stamps.crawls] == crawls
    assert store.published[2].digest() == items
    assert again["profile"] == first["profile"]


@pytest.mark.parametrize("name", ["digits-web-laundered", "speeches-web-laundered"])
def test_half_of_the_own_items_are_laundered_and_nothing_else(name, stress, shared_cache):
    store = LineageMemory()
    run_lineage(stress[name], Sees, 0, store, shared_cache)
    column = "image" if "digits" in name else "tokens"
    original = {row.numpy().tobytes() for row in store.published[1][column]}
    crawl, made = Sees.crawls[2], Sees.made[2]
    own = [row.numpy().tobytes() in original for row in crawl[column][made == 1]]
    assert 0.25 < sum(own) / len(own) < 0.75
    # What the profile and the next generation's archive hold is of one kind and size.
    assert crawl.same_kind(store.published[1])
    real = {row.numpy().tobytes() for row in open_world(stress[name], 0)(2).real[column]}
    assert all(row.numpy().tobytes() in real for row in crawl[column][made == -1])


def test_laundering_is_seeded_keeps_labels_and_touches_its_share():
    items = tiny.era_of(load_task("digits-web").data.build(), 200, 10, "l").real
    launder = ImageLaundering(share=0.25, quality=60, shift=1).build()
    one, two, other = (launder(items, stream(s)) for s in ("a", "a", "b"))
    assert one.digest() == two.digest() != other.digest()
    assert torch.equal(one["label"], items["label"])
    changed = (one["image"] != items["image"]).flatten(1).any(1).sum()
    assert changed == 50
    assert launder(items, stream("a"))["image"].dtype == torch.uint8


def test_laundered_text_is_published_text():
    """Encoding it again changes nothing more than it does for real text."""
    items = tiny.era_of(load_task("speeches-web").data.build(), 200, 10, "l").real
    task = load_task("speeches-web")
    publisher = task.generator.build().publisher
    laundered = TextLaundering(share=1.0, replaced=0.2).build()(items, stream("a"))
    assert laundered["tokens"].shape == items["tokens"].shape

    def same(items: Items) -> float:
        again = publisher.publish(items["tokens"])["tokens"][:, :50]
        return (again == items["tokens"][:, :50]).all(1).double().mean().item()

    assert same(laundered) > same(items) - 0.1
    kept = (laundered["tokens"] == items["tokens"])[:, :8].double().mean()  # before lengths differ
    assert 0.4 < kept < 0.95


def test_a_biased_reserve_of_digits_holds_some_classes_and_nothing_else_is_biased():
    source = load_task("digits-web").data.build()
    fair = tiny.era_of(source, 2000, 200, "bias")
    source.bias = ReserveBias(0, 4)
    biased = tiny.era_of(source, 2000, 200, "bias")
    assert set(fair.trusted["label"].tolist()) == set(range(10))
    assert set(biased.trusted["label"].tolist()) == set(range(5))
    assert len(biased.trusted) == len(fair.trusted)
    low = [(era.real["label"] < 5).double().mean().item() for era in (fair, biased)]
    assert low == pytest.approx([0.5, 0.5], abs=0.02)
    assert biased.heldout.digest() == fair.heldout.digest()
    with pytest.raises(InputError, match=r"500 trusted digits asked for, \d+ exist"):
        tiny.era_of(source, 2000, 500, "bias")


def test_a_task_without_classes_or_years_says_so(shared_cache):
    task = replace(gaussian_task(Web(), 20, 2, 3), reserve_bias=ReserveBias(0, 1))
    with pytest.raises(InputError, match="'gaussian-web' cannot bias its reserve"):
        run_lineage(task, Mitigation, 0, LineageMemory(), shared_cache)


def test_the_stress_suite_leaves_the_others_alone():
    known = {task.hash for name in ("small", "closed") for task in load_suite(name).tasks}
    assert not known & {task.hash for task in STRESS.values()}
    options = ("adoption", "laundered", "biased-reserve", "static", "fast")
    assert {f"digits-web-{option}" for option in options} <= set(STRESS)


@pytest.mark.parametrize("name", [task.name for task in load_suite("small").tasks])
def test_suite_quick_goes_the_way_of_small_in_fewer_strides(name):
    small, quick = load_task(name, "small"), load_task(name, "quick")
    rest = {"generations": 8, "schedule": small.schedule, "data": small.data}
    assert replace(quick, **rest) == small  # items, steps, evaluation, foreign models: the same
    ways = [
        (
            getattr(task.data, "speed" if task.modality == "text" else "slant") * task.generations,
            task.schedule.draws(task.generations, 1_000)[0].count / 1_000,
            1 + (task.generations - 1) // task.schedule.every,  # foreign models that publish
        )
        for task in (small, quick)
    ]
    assert ways[1] == pytest.approx(ways[0], abs=0.02)
    assert load_suite("quick").seeds == load_suite("small").seeds[:1]
