"""The speeches: windows that move, what is held out, the frozen base, and what is read of words."""

import math
from types import SimpleNamespace

import pytest
import torch

from benchmark import Items, Sampling, TrainingSet
from benchmark.basics.errors import InputError
from benchmark.basics.seeds import stream
from benchmark.tasks import assets
from benchmark.tasks.parts import ReserveBias
from benchmark.tasks.schedules import Web
from benchmark.tasks.suites import load_task, shorten_task
from benchmark.tasks.text import lexicon, llama, speeches
from benchmark.tasks.text.codec import TextPublisher
from benchmark.tasks.text.evaluators import measure_confidence
from benchmark.tasks.text.shown import find_typical, shown
from benchmark.tasks.text.speeches import Address


def rows(items: Items) -> set[bytes]:
    return {row.numpy().tobytes() for row in items["tokens"]}


def open_world(task, seed: int = 0, n: int = 100, reserve: int = 20, source=None):
    source = task.data.build() if source is None else source
    return source.world(n, reserve, lambda t, purpose: stream("speeches", seed, t, purpose))


@pytest.fixture(scope="module")
def task():
    return load_task("speeches-web")


@pytest.fixture
def lettered(monkeypatch):
    """Every address is replaced by a year's worth of a word of its own; blocks are passages."""
    years = range(1880, 2027)
    addresses = [Address(year, f"{''.join(chr(97 + int(c)) for c in str(year))} " * 2000)
                 for year in years]  # fmt: skip
    monkeypatch.setattr(speeches, "load_addresses", lambda sha=None: addresses)
    monkeypatch.setattr(
        speeches, "draw_blocks", lambda texts, count, *_: {text.split()[0] for text in texts}
    )
    return lambda word: int("".join(str(ord(c) - 97) for c in word))


# --- eras -------------------------------------------------------------------------------------


def test_the_window_moves_by_a_fixed_number_of_years(task):
    years = task.data.build().years
    assert [years(t) for t in (0, 1, 4, 8)] == [
        (1926, 1966), (1931, 1971), (1946, 1986), (1966, 2006),
    ]  # fmt: skip
    still = load_task("speeches-replace", "closed").data.build().years
    assert still(0) == still(8) == (1946, 1986)
    quick = load_task("speeches-web", "quick")
    assert quick.generations == quick.data.eras == 3
    assert [sum(quick.data.build().years(t)) / 2 for t in range(4)] == [1946, 1959, 1972, 1986]


def test_the_windows_of_every_suite_hold_enough_text():
    for name, t in (("speeches-web-fast", 8), ("speeches-web-biased-reserve", 0)):
        task = load_task(name, "stress")
        source = task.data.build()
        source.bias = task.reserve_bias
        era = open_world(task, 1, task.n, task.reserve, source)(t)
        assert [len(x) for x in (era.real, era.heldout, era.trusted)] == [2000, 400, 200]


def test_no_real_block_is_in_two_eras_and_nothing_is_on_two_sides(task):
    world = open_world(task, n=300)
    eras = [world(t) for t in range(3)]
    real = [rows(era.real) for era in eras]
    assert sum(map(len, real)) == len(set.union(*real)) == 900
    others = [rows(part) for era in eras for part in (era.heldout, era.trusted)]
    assert not set.union(*real) & set.union(*others)


def test_a_static_world_has_new_blocks_in_every_era_too():
    world = open_world(load_task("speeches-replace", "closed"), n=300)
    assert not rows(world(1).real) & rows(world(2).real)


def test_equal_seeds_give_equal_eras_in_any_order_and_others_do_not(task):
    one, two, other = open_world(task), open_world(task), open_world(task, seed=1)
    late, early = one(5), one(0)
    assert two(0).real.digest() == early.real.digest()
    for part in ("real", "heldout", "trusted"):
        first = getattr(late, part).digest()
        assert getattr(two(5), part).digest() == first
        assert getattr(other(5), part).digest() != first


def test_an_address_is_real_or_held_out_or_trusted_in_all_eras(task, lettered):
    world = open_world(task)
    eras = [world(t) for t in range(9)]
    real, heldout, trusted = (
        set.union(*(getattr(era, part) for era in eras)) for part in ("real", "heldout", "trusted")
    )
    assert not real & (heldout | trusted)
    assert not heldout & trusted
    for t, era in enumerate(eras):
        inside = set(map(lettered, era.real | era.heldout | era.trusted))
        assert inside == set(range(1926 + 5 * t, 1966 + 5 * t))
        assert 7 <= len(era.heldout) <= 9
        assert 3 <= len(era.trusted) <= 5


def test_the_seed_decides_which_addresses_are_held_out(task, lettered):
    kept = [frozenset(open_world(task, seed)(4).heldout) for seed in range(6)]
    assert len(set(kept)) > 3


def test_a_biased_reserve_is_of_its_years_and_apart(task, lettered):
    source = task.data.build()
    source.bias = ReserveBias(1890, 1930)
    world = open_world(task, source=source)
    first, last = world(0), world(8)
    years = set(map(lettered, first.trusted))
    assert years <= set(range(1890, 1931))
    assert len(years) == 33  # all but those held out
    assert last.trusted == first.trusted
    assert not first.trusted & (first.real | first.heldout)
    fair = open_world(task)
    for t in range(9):  # nothing that the fair reserve keeps aside comes into crawls
        assert world(t).real == fair(t).real - first.trusted
        assert world(t).heldout == fair(t).heldout


def test_too_few_passages_are_refused(task):
    source = task.data.build()
    source.bias = ReserveBias(1600, 1700)
    with pytest.raises(InputError, match="20 trusted passages asked for, 0 exist"):
        open_world(task, source=source)(0)
    with pytest.raises(InputError, match=r"90000 real passages asked for, \d+ exist"):
        open_world(task, n=90_000)(0)


def test_documents_take_turns_in_blocks():
    publisher = TextPublisher(8)
    texts = ["one " * 5_000, "two " * 5_000, "the " * 40]
    blocks = speeches.draw_blocks(texts, 60, publisher, stream("turns"), "real")
    words = [text.split()[1] for text in publisher.text(blocks)]
    assert words.count("one") == pytest.approx(words.count("two"), abs=1)
    assert 0 < words.count("the") < 10


# --- frozen parts -----------------------------------------------------------------------------


def test_no_frozen_part_was_trained_on_what_may_be_held_out():
    addresses = speeches.load_addresses()
    assert len(addresses) == 231
    assert all(a.text.isascii() for a in addresses)
    known, old = set(speeches.known_addresses()), set(speeches.old_addresses())
    assert old < known
    assert max(a.year for a in old) < 1890
    for seed in range(20):
        kept, aside = speeches.split_addresses(addresses, stream("known", seed))
        assert not kept & (known | aside)
        assert len(kept) in (26, 27)  # one of five from 1890 on
        assert min(a.year for a in kept | aside) >= 1890


def test_the_base_is_part_of_the_task(task):
    sha = assets.manifest()["speeches-base.safetensors"]["sha256"]
    assert task.generator.base == sha
    assert all(recipe.base == sha for recipe in task.foreign)
    assert sum(
        (assets.FOLDER / name).stat().st_size
        for name in assets.manifest()
        if name.startswith("speeches")
    ) < 3e6  # fmt: skip


def test_every_training_begins_with_the_base(task):
    generator = task.generator.build()
    base = assets.load_network("speeches-base.safetensors", llama.build_llama).state_dict()
    items = Items(tokens=torch.randint(1, 512, (16, 64), generator=stream("base")))

    def untrained(seed: int) -> dict[str, torch.Tensor]:
        silent = generator.train(
            TrainingSet(items), stream(seed), steps=1, rate=0.0, loss=lambda nats, _: nats
        )
        return silent.state_dict()

    for seed in range(2):
        assert all(torch.equal(value, base[name]) for name, value in untrained(seed).items())
    moved = generator.train(TrainingSet(items), stream(0), steps=1).state_dict()
    assert not all(torch.equal(value, base[name]) for name, value in moved.items())
    # What was trained before does not move the base of the next training.
    assert all(torch.equal(value, base[name]) for name, value in untrained(2).items())


def test_the_base_writes_what_the_old_addresses_hold(task):
    """It is no random network: 2.6 nats a token on text it was trained on, 6.2 without training."""
    generator = task.generator.build()
    texts = [a.text for a in speeches.old_addresses()[:20]]
    old = speeches.draw_blocks(texts, 100, generator.publisher, stream("old"), "real")
    assert generator.loss(generator.blank(), old) < 2.8


# --- confidence -------------------------------------------------------------------------------


def test_entropy_and_confident_tokens_of_a_distribution_by_hand():
    probabilities = torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    model = SimpleNamespace(
        logits=lambda _, items: probabilities.log().expand(len(items), 2, 4).clone()
    )
    tokens = torch.tensor([[0, 3]] * 29 + [[1, 2]])
    found = measure_confidence(model, None, Items(tokens=tokens))
    sure = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert found.entropy == pytest.approx((sure + math.log(4)) / 2)
    assert found.confident == pytest.approx(29 / 60)


def test_a_model_of_larger_logits_is_surer_of_itself(task):
    generator = task.generator.build()
    found = []
    for factor in (1, 2):
        model = generator.blank().eval()
        with torch.no_grad():
            model.lm_head.weight.mul_(factor)
        samples = generator.sample(model, 20, stream("cold"), Sampling())
        found.append(measure_confidence(generator, model, samples))
    plain, cold = found
    assert cold.entropy < plain.entropy
    assert cold.confident > plain.confident


# --- words ------------------------------------------------------------------------------------


def test_known_words_are_counted_without_the_ends_of_a_text():
    assert lexicon.share_known(["xq the Congress of zzyx states' qx"]) == pytest.approx(4 / 5)
    assert lexicon.share_known(["zz 12 -- zz"]) == 0
    real = speeches.load_addresses()[200].text
    assert lexicon.share_known([real]) == 1


def test_unknown_words_are_marked_and_cut_ones_are_not():
    text = "zz the Congrefs of 1984, don't qqx"
    assert lexicon.mark_unknown(text, "<", ">") == "zz the <Congrefs> of 1984, don't qqx"


def test_the_text_that_is_shown_is_the_one_of_median_loss():
    publisher = TextPublisher(64)
    text = speeches.load_addresses()[150].text
    real = publisher.pass_through([text[:240], text[1000:1240]])["tokens"]
    noise = torch.randint(1, 512, (2, 64), generator=stream("noise"))
    middle = real[:1].clone()
    middle[:, ::2] = noise[:1, ::2]
    items = Items(tokens=torch.cat([noise, middle, real]))
    assert find_typical(items) == 2
    picture, (line,) = shown(items, lambda: publisher)
    assert picture is None
    assert "«" in line
    real_line = shown(Items(tokens=real), lambda: publisher)[1][0]
    assert "«" not in real_line
    assert len(real_line) <= 240


def test_a_shorter_task_is_in_the_middle_of_the_longer_one(task):
    short = shorten_task(load_task("speeches-web"), 2).data.build()
    assert short.years(1) == task.data.build().years(4)
    assert Web().name in task.name
