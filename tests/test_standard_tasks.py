"""Suite `standard` at a toy size, over tiny repositories: every baseline, and the generators.

Nothing here is a result: networks of a few thousand numbers, trained for two steps.
"""

import copy
from dataclasses import replace
from functools import partial

import pyarrow.parquet as pq
import pytest
import torch
from transformers import GPT2LMHeadModel

from benchmark import Sampling, TrainingSet
from benchmark.basics.device import peak
from benchmark.basics.errors import Diverged, InputError
from benchmark.basics.seeds import stream
from benchmark.interface.find import find_method
from benchmark.interface.items import Items
from benchmark.interface.names import find_baselines as registry
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.metrics.meanings import list_metrics
from benchmark.runs.sandbox import isolate_method
from benchmark.tasks.images import pictures
from benchmark.tasks.images.pictures import turn_hue
from benchmark.tasks.images.shown import shown
from benchmark.tasks.kinds import Kinds
from benchmark.tasks.suites import load_suite
from benchmark.tasks.text import llama, stories
from benchmark.tasks.text.codec import cut_tokenizer
from benchmark.tasks.text.language import make_chooser
from benchmark.tasks.text.reader import Reader
from benchmark.tasks.training.meter import flop_of
from tests.hub import tiny
from tests.rounding import assert_same_but_for_rounding
from tests.system import needs_bubblewrap
from tests.tiny import ONE_A_HOOK, era_of

TASKS = tiny.toys()
GENERATORS = ("cifar10-replace", "stories-replace", "icons-replace")
FOR_PAIRS = ("agreement_filter", "watermark_green_list")  # in `make test` on icons, too


@pytest.fixture(scope="module", autouse=True)
def copies(tmp_path_factory):
    with tiny.copies(tiny.write, tmp_path_factory.mktemp("copies")):
        yield


@pytest.fixture(scope="module", params=GENERATORS)
def setup(request, copies):
    """(generator, a trained model, real items, held-out items)."""
    task = TASKS[request.param]
    generator = task.generator.build()
    splits = era_of(task.data.build(), 24, 8, "generators")
    model = generator.train(TrainingSet(splits.real), stream("train"), steps=30)
    return generator, model, splits.real, splits.heldout


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ONE_A_HOOK else pytest.mark.slow)
        for name in registry()
    ],
)
def test_a_baseline_runs_unchanged(name, shared_cache):
    """On the tasks with foreign generators, which are in need of everything."""
    for task in (TASKS["cifar10-web"], TASKS["stories-web"]):
        records = run_lineage(task, find_method(name).load(), 0, LineageMemory(), shared_cache)
        if [r["status"] for r in records] != ["inapplicable"]:
            assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 3


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in FOR_PAIRS else pytest.mark.slow)
        for name in registry()
    ],
)
def test_a_baseline_runs_unchanged_on_icons(name, shared_cache):
    task = TASKS["icons-web"]
    records = run_lineage(task, find_method(name).load(), 0, LineageMemory(), shared_cache)
    if [r["status"] for r in records] != ["inapplicable"]:
        assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 3


@pytest.mark.parametrize(
    "task", [pytest.param(t, marks=pytest.mark.slow if t == "icons-web" else ()) for t in TASKS]
)
def test_twice_the_same_is_the_same(task, shared_cache):
    profiles = []
    for _ in range(2):
        records = run_lineage(
            TASKS[task], find_method("anchor").load(), 0, LineageMemory(), shared_cache
        )
        profiles.append([r["profile"] for r in records])
    assert profiles[0] == profiles[1]
    names = {name for profile in profiles[0] for name in profile}
    assert all(entry.meaning and entry.good for entry in list_metrics(names))


@needs_bubblewrap
@pytest.mark.slow
@pytest.mark.parametrize("task", GENERATORS)
def test_models_cross_into_the_sandbox(task, shared_cache):
    method = find_method("neon")
    stores = [LineageMemory(), LineageMemory()]
    with isolate_method(method.file) as cls:
        for store, hooks in zip(stores, (cls, method.load()), strict=True):
            records = run_lineage(TASKS[task], hooks, 0, store, shared_cache)
            assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 3
    assert stores[0].published[2].digest() == stores[1].published[2].digest()


def test_the_suite_is_as_it_is_announced():
    suite = load_suite("standard")
    assert [task.name for task in suite.tasks] == [
        "cifar10-replace", "cifar10-web", "stories-replace", "stories-web", "icons-replace",
        "icons-web",
    ]  # fmt: skip
    assert suite.seeds == (0, 1, 2)
    assert {task.generations for task in suite.tasks} == {8}
    assert len({task.hash for task in suite.tasks}) == 6
    changed = tiny.toys({"uoft-cs/cifar10": "0" * 40})["cifar10-replace"]
    assert changed.hash != TASKS["cifar10-replace"].hash  # a revision is part of the task


@pytest.mark.parametrize("name", ["cifar10-replace", "stories-replace"])
def test_the_items_of_an_era_are_disjoint_and_new(name):
    source = TASKS[name].data.build()
    one, two = (era_of(source, 24, 8, "split", i) for i in range(2))
    column = "image" if name.startswith("cifar") else "tokens"

    def rows(*parts):
        return [{row.numpy().tobytes() for row in part[column]} for part in parts]

    sets = rows(one.real, one.trusted, one.heldout)
    assert [len(part) for part in sets] == [24, 8, 12]
    assert not sets[0] & sets[1]
    assert not (sets[0] | sets[1]) & sets[2]
    assert one.real.digest() != two.real.digest()
    first, later = (era_of(source, 16, 8, "split", 0, t=t) for t in range(2))
    assert not rows(first.real)[0] & rows(later.real)[0]
    with pytest.raises(InputError, match=r"real \w+ asked for, \d+ exist"):
        era_of(source, 1_000, 8, "split")


@pytest.mark.parametrize("part", ["real", "heldout", "trusted"])
def test_more_and_more_stories_have_somebody_speak(part):
    task = TASKS["stories-web"]
    source = task.data.build()
    marks = [n for token, n in source.publisher.tokenizer.get_vocab().items() if '"' in token]
    shares = []
    for t in (0, 8):
        items = getattr(era_of(source, 20, 10, "moving", t=t), part)
        shares.append(float(torch.isin(items["tokens"], torch.tensor(marks)).any(1).float().mean()))
    assert shares == pytest.approx(task.data.speech, abs=0.04)
    still = TASKS["stories-replace"].data
    assert still.speech is None


def test_stories_of_one_kind_only_are_one_sentence():
    source = TASKS["stories-web"].data.build()
    kinds = Kinds(Items(tokens=torch.zeros(4, 2)), torch.arange(4), torch.ones(4) > 0, "odd story")
    assert len(kinds.choose(3, [1.0], stream("all"))) == 3
    with pytest.raises(InputError, match="no odd story of a kind"):
        kinds.choose(3, [0.5], stream("none"))
    source.recipe = replace(source.recipe, heldout=10_000)
    with pytest.raises(InputError, match="held-out stories asked for"):
        era_of(source, 4, 2, "too many")


def test_pictures_lean_and_turn_their_colours_as_the_world_moves():
    """Means of channels: reds of the first eras become greens of the last, greys stay."""
    red = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    red[:, 0] = 120
    assert torch.equal(turn_hue(red, 0.0), red)
    assert turn_hue(red, 120.0)[0, :, 0, 0].tolist() == [0, 120, 0]
    assert turn_hue(red, -120.0)[0, :, 0, 0].tolist() == [0, 0, 120]
    grey = torch.full((1, 3, 2, 2), 77, dtype=torch.uint8)
    assert torch.equal(turn_hue(grey, 33.0), grey)
    moving, still = (TASKS[f"cifar10-{name}"].data for name in ("web", "replace"))
    assert (moving.slant, moving.hue, still.slant, still.hue) == (3.0, 10.0, 0.0, 0.0)
    eras = [era_of(moving.build(), 8, 4, "colours", t=t).heldout["image"] for t in (0, 4, 8)]
    middle = era_of(still.build(), 8, 4, "colours", t=4).heldout["image"]
    assert torch.equal(eras[1], middle)  # at T/2 the world is where it stands still
    assert not torch.equal(eras[0], eras[2])


def test_a_picture_is_decoded_once_and_kept_while_there_is_room(copies, monkeypatch):
    split, _ = pictures.load_pictures(TASKS["cifar10-replace"].data.repo, "img")
    split = pictures.Split(split.dataset, "img")
    plain = split.take([3, 5, 3, 8], None)
    assert torch.equal(plain["image"][0], plain["image"][2])
    with monkeypatch.context() as patch:
        patch.setattr(split, "_decode", lambda rows, size: {} if not rows else None)
        again = split.take([8, 3], None)
    assert torch.equal(again["image"], plain["image"][[3, 0]])
    assert torch.equal(again["label"], plain["label"][[3, 0]])
    assert split.take([3], 4)["image"].shape == (1, 3, 4, 4)
    full = pictures.Split(split.dataset, "img")
    monkeypatch.setattr(pictures, "MOST_KEPT", 2 * 3 * tiny.SIZE**2)
    assert torch.equal(full.take([3, 5, 3, 8], None)["image"], plain["image"])
    assert list(full._kept[None]) == [3, 5]
    assert torch.equal(full.take([8, 5], None)["image"], plain["image"][[3, 1]])
    assert list(full._kept[None]) == [3, 5]


def test_training_learns_is_reproducible_and_leaves_the_original_alone(setup):
    generator, model, real, heldout = setup
    again = generator.train(TrainingSet(real), stream("train"), steps=30)
    assert torch.equal(tiny.weights(model), tiny.weights(again))
    untrained = generator.train(TrainingSet(real), stream("train"), steps=1)
    assert generator.loss(model, heldout) < generator.loss(untrained, heldout)
    before = tiny.weights(model).clone()
    tuned = generator.train(TrainingSet(real), stream("f"), model=model, steps=2)
    assert torch.equal(tiny.weights(model), before)
    assert not torch.equal(tiny.weights(tuned), before)
    still = generator.train(TrainingSet(real), stream("f"), model=model, steps=2, rate=0.0)
    assert torch.allclose(tiny.weights(still), before, atol=1e-6)


def test_samples_have_the_published_form_and_do_not_depend_on_the_batch(setup, monkeypatch):
    generator, model, real, _ = setup
    samples = generator.sample(model, 10, stream("s"), Sampling())
    assert len(samples) == 10
    assert samples.same_kind(real)
    monkeypatch.setattr(type(generator), "at_once", 3)
    monkeypatch.setattr("benchmark.tasks.text.gpt2.WRITTEN", 3)
    parts = generator.sample(model, 10, stream("s"), Sampling())
    assert_same_but_for_rounding(parts, samples)


def test_hooks_weights_and_scores(setup):
    generator, model, real, heldout = setup
    seen = []

    def hook(per_element, outputs):
        seen.append((per_element.shape, outputs.shape))
        return per_element * 0

    trained = generator.train(TrainingSet(real), stream("h"), loss=hook, steps=1)
    assert torch.allclose(
        tiny.weights(trained),
        tiny.weights(generator.train(TrainingSet(real), stream("h"), hook, steps=1)),
    )
    assert seen[0][1][: len(seen[0][0])] == seen[0][0]
    chosen = torch.arange(len(real)) < 12
    other = Items.concat([real.take(chosen), real.take(chosen)])  # other items where weight is 0
    pair = [generator.train(TrainingSet(x, chosen.float()), stream("w"), steps=3)
            for x in (real, other)]  # fmt: skip
    assert torch.allclose(tiny.weights(pair[0]), tiny.weights(pair[1]), atol=1e-5)
    assert generator.log_prob(model, real).shape == (24,)
    assert generator.features(model, heldout).shape == (
        12,
        generator.features(model, real).shape[1],
    )


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


def test_what_a_training_took_is_measured(setup):
    generator, _, real, _ = setup
    generator.train(TrainingSet(real), stream("m"), steps=3)
    taken = generator.meter.take()
    assert taken["items"] == 3 * generator.batch
    assert taken["seconds"] > 0
    one = generator.train(TrainingSet(real), stream("m"), steps=1) and generator.meter.take()
    assert taken["flop"] == 3 * one["flop"]
    assert generator.meter.take() == {}


def test_operations_are_counted_as_two_a_multiply_add():
    a, b = torch.ones(5, 7), torch.ones(7, 11)
    assert flop_of(lambda: a @ b) == 2 * 5 * 7 * 11


def test_pictures_of_colour_images_are_in_colour():
    images = torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8, generator=stream("p"))
    items = Items(image=images, label=torch.arange(20) % 10)
    row, texts = shown(items, None)
    assert (row.shape, texts) == ((8, 80, 3), None)
    assert torch.equal(row[:, 8:16], images[12].movedim(0, -1))


def test_guidance_steers_images_and_not_away_from_itself(copies):
    task = TASKS["cifar10-replace"]
    generator = task.generator.build()
    real = era_of(task.data.build(), 24, 8, "g").real
    model = generator.train(TrainingSet(real), stream("g"), steps=10)
    plain = generator.sample(model, 10, stream("g"), Sampling())
    for how in (Sampling(guidance=2.0), Sampling(temperature=0.5),
                Sampling(guidance=1.0, negative=model)):  # fmt: skip
        changed = generator.sample(model, 10, stream("g"), how)
        assert torch.equal(changed["image"], plain["image"]) == (how.negative is not None)


@pytest.fixture(scope="module")
def text(copies):
    task = TASKS["stories-replace"]
    generator = task.generator.build()
    real = era_of(task.data.build(), 24, 8, "t").real
    return generator, generator.train(TrainingSet(real), stream("t"), steps=60)


def test_generate_writes_with_the_models_own_probabilities(text):
    """What the sampler sees at each step are the logits of the model's forward pass."""
    generator, model = text
    steps = []

    def record(written, logits):
        steps.append(logits.log_softmax(-1))
        return logits.softmax(-1)

    tokens = generator.write(model, torch.rand(8, 12, generator=stream("u")), record)
    with torch.no_grad():
        reference = generator.predict(model, tokens).log_softmax(-1)
    assert torch.allclose(torch.stack(steps, 1), reference, atol=1e-4)


def test_tokens_are_drawn_with_their_probabilities(text):
    """Chi-squared of 4,000 first tokens; START is never among them."""
    generator, model = text
    uniform = torch.rand(4_000, 1, generator=stream("chi"))
    drawn = generator.write(model, uniform, make_chooser(Sampling(), generator.start)).flatten()
    logits = generator.logits(model, Items(tokens=torch.zeros(1, 1, dtype=torch.int64)))[0, 0]
    expected = logits.softmax(-1) * len(drawn)
    assert expected[generator.start] == 0
    often = expected > 10
    observed = torch.bincount(drawn, minlength=len(expected))
    chi2 = ((observed - expected)[often] ** 2 / expected[often]).sum().item()
    freedom = int(often.sum()) - 1
    assert abs(chi2 - freedom) < 5 * (2 * freedom) ** 0.5


def test_sampling_settings_and_marks_are_honoured(text):
    generator, model = text
    assert isinstance(model, GPT2LMHeadModel)

    def written(**how):
        uniform = torch.rand(30, 16, generator=stream("how"))
        return generator.write(model, uniform, make_chooser(Sampling(**how), generator.start))

    greedy = written(top_k=1)
    assert (greedy == greedy[0]).all()
    assert torch.equal(written(temperature=1e-4), greedy)
    assert torch.equal(written(top_p=1e-6), greedy)
    favourite = torch.zeros(tiny.VOCABULARY).index_fill_(0, torch.tensor(7), 1e4)
    assert (written(logits=partial(lambda mark, w, logits: logits + mark, favourite)) == 7).all()


def test_the_tokenizer_is_the_first_merges_of_the_whole_one(copies):
    tokens = TASKS["stories-replace"].generator.tokens
    cut = cut_tokenizer(tokens.repo, tokens.vocabulary)
    assert cut.get_vocab_size() == tiny.VOCABULARY
    assert cut.token_to_id("<|endoftext|>") == tiny.VOCABULARY - 1
    words = "the big dog found a happy bird and then"
    ids = cut.encode(words).ids
    assert cut.decode(ids) == words
    assert max(ids) < tiny.VOCABULARY - 1
    with pytest.raises(InputError, match="has fewer than 9999 tokens"):
        cut_tokenizer(tokens.repo, 9999)


def test_the_reference_loss_is_the_models_own(copies):
    """Nats of a padded batch are those of each text alone, by the model's forward pass."""
    reader = Reader(TASKS["stories-replace"].evaluation.network)
    texts = ["the dog ran", "a big happy bird found the little tree and then"]
    both = reader.read(texts)
    for text, row in zip(texts, both, strict=True):
        ids = torch.tensor([[reader.start, *reader.tokenizer.encode(text).ids]])
        logits = reader.network(input_ids=ids).logits[:, :-1]
        nats = llama.nll(logits, ids[:, 1:]).sum()
        assert row[-2] == pytest.approx(float(nats), rel=1e-4)
        assert row[-1] == ids.shape[1] - 1
        assert torch.allclose(reader.read([text])[0], row, atol=1e-3)


def test_verifiers_prefer_what_is_like_real_items(copies):
    task = TASKS["cifar10-replace"]
    real = era_of(task.data.build(), 24, 8, "v").real
    wrong = Items(image=real["image"], label=(real["label"] + 5) % 10)
    score = task.verifier.build()
    assert score(real).shape == (24,)
    assert score(real).mean() > score(wrong).mean()
    story = TASKS["stories-replace"]
    items = era_of(story.data.build(), 24, 8, "v").real
    assert story.verifier.build()(items).shape == (24,)


def test_stories_are_tokenised_once_and_again_where_a_file_changed(tmp_path, monkeypatch):
    task = TASKS["stories-replace"]
    with tiny.copies(tiny.write, tmp_path):
        first = era_of(task.data.build(), 24, 8, "once")
        with monkeypatch.context() as patch:
            patch.setattr(stories, "beginnings", None)  # nothing reads or tokenises
            again = era_of(task.data.build(), 24, 8, "once")
        assert [x.digest() for x in (again.real, again.trusted, again.heldout)] == [
            x.digest() for x in (first.real, first.trusted, first.heldout)
        ]
        folder = tmp_path / "datasets" / task.data.repo.name / "data"
        (file,) = folder.glob("train-*")
        table = pq.read_table(file)
        pq.write_table(table.slice(0, 50), file)
        changed = era_of(task.data.build(), 24, 8, "once")
        assert changed.real.digest() != first.real.digest()


def test_a_home_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch):
    task = TASKS["stories-replace"]
    usual = era_of(task.data.build(), 24, 8, "home")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert era_of(task.data.build(), 24, 8, "home").real.digest() == usual.real.digest()


def test_utilisation_is_of_a_known_card_only(setup, monkeypatch):
    generator, _, real, _ = setup
    generator.train(TrainingSet(real), stream("m"), steps=1)
    assert "mfu" not in generator.meter.take()  # a CPU has no such rate
    monkeypatch.setattr("benchmark.tasks.training.meter.peak", lambda device: 1e12)
    generator.train(TrainingSet(real), stream("m"), steps=1)
    taken = generator.meter.take()
    assert taken["mfu"] == pytest.approx(taken["flop"] / taken["seconds"] / 1e12)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    assert peak(torch.device("cuda")) == 989e12
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA Quadro P400")
    assert peak(torch.device("cuda")) is None
