"""Icons and their names: how they are drawn, handed out, read, and measured.

The tasks at a toy size, with every generator of suite `standard`: tests/test_standard_tasks.py.
"""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
import torch
from typer.testing import CliRunner

import benchmark
from benchmark import Sampling, TrainingSet
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.seeds import stream
from benchmark.commands.main import app
from benchmark.interface.items import Items
from benchmark.tasks.icons import drawing
from benchmark.tasks.icons.evaluators import IconEvaluator
from benchmark.tasks.icons.reader import find_named, load_reader, look_at, rate_names
from benchmark.tasks.icons.shown import shown
from benchmark.tasks.icons.tasks import FAMILIES, ICONS_SHA256
from benchmark.tasks.icons.verifiers import score_icons
from benchmark.tasks.pairs.shown import SPACE, draw_row
from benchmark.tasks.suites import load_task
from tests.hub.tiny import toys
from tests.pairs import Silent
from tests.tiny import era_of

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
WEB, STILL = (toys()[name] for name in ("icons-web", "icons-replace"))
FEW = WEB.data.families


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def fonts(tmp_path):
    """Letters with names of two words, of which each is in five and more."""
    shutil.copy(FONT, tmp_path / "letters-1.ttf")
    names = {f"{place}-{turn}": hex(0x41 + 6 * i + k)[2:]
             for i, place in enumerate(("up", "down", "left", "right", "middle"))
             for k, turn in enumerate(("one", "two", "three", "four", "five", "six"))}  # fmt: skip
    more = {"again-one": "41", "space-one": "20", "rare-one": "e9",
            "up-up-up-up-up-up-up": "3b1"}  # fmt: skip
    (tmp_path / "letters-charmap-1.json").write_text(json.dumps(names | more))
    return tmp_path


def test_every_icon_of_common_words_is_drawn_once_in_the_middle(fonts, monkeypatch):
    icons = drawing.list_icons(fonts, ("letters-",))
    learnt = {word for icon in icons if icon.known for word in icon.name}
    assert set(drawing.list_words(icons)) - {"<end>"} <= learnt
    monkeypatch.setattr(drawing, "LEAST", 0)
    words = drawing.list_words(icons)
    assert words[0] == "<end>"
    assert len(words) == 12
    assert not {"again", "space", "rare"} & set(words)
    parts = [drawing.draw_icons(icons, words, known) for known in (False, True)]
    found = torch.cat([part["image"] for part in parts])
    assert found.shape == (30, 1, drawing.SIZE, drawing.SIZE)
    assert min(map(len, parts)) > 0
    names = [{" ".join(words[i] for i in row if i) for row in part["tokens"].tolist()}
             for part in parts]  # fmt: skip
    assert {"one up", "middle six"} <= names[0] | names[1]
    assert (len(names[0] | names[1]), names[0] & names[1]) == (30, set())
    ink = found.amax((1, 3)) > 0
    above, below = ink.int().argmax(1), ink.flip(1).int().argmax(1)
    assert (above - below).abs().max() <= 1
    assert set(found.flatten().tolist()) <= set(range(0, 256, 17))


def test_what_is_not_of_the_vocabulary_is_left_out(fonts):
    icons = drawing.list_icons(fonts, ("letters-",))
    few = [drawing.draw_icons([icon], ["<end>", "down", "one", "up"], icon.known)
           for icon in icons if icon.name in {("up", "one"), ("down", "one")}]  # fmt: skip
    assert [one["tokens"].tolist()[0][:3] for one in few] == [[2, 3, 0], [1, 2, 0]]


@pytest.mark.parametrize(
    ("name", "thin"),
    [("alarm outline", True), ("alarm thin", True), ("alarm outline off", True), ("alarm", False),
     ("traffic light fill", False), ("line chart", False), ("arrow line up bold", False)],
)  # fmt: skip
def test_thin_is_what_a_name_ends_in(name, thin):
    icon = drawing.Drawn(tuple(name.split()), None)  # type: ignore[arg-type]
    assert icon.outlined == thin


def test_icons_that_differ_in_style_only_are_of_one_part():
    for name in ("alarm", "bell off", "cloud"):
        of = {drawing.Drawn(tuple(f"{name} {style}".split()), None).known  # type: ignore[arg-type]
              for style in ("", "outline", "bold", "fill", "thin")}  # fmt: skip
        assert len(of) == 1


@pytest.mark.slow
def test_the_frozen_icons_are_those_that_are_drawn_here():
    """Of the pinned fonts by the pinned Pillow; their words are the frozen vocabulary's. No era of
    a task at its full size holds an icon twice."""
    icons = drawing.load_icons(FAMILIES, ICONS_SHA256)
    assert len(icons) == 7_148
    drawn = drawing.list_icons(drawing.find_fonts(), FAMILIES)
    assert drawing.list_words(drawn) == list(drawing.load_words())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.tasks.icons.source.change_images", lambda images, *_: images)
        for task in (load_task(f"icons-{name}", "standard") for name in ("web", "replace")):
            assert task.generator.words == len(drawing.load_words())
            for t in (0, 8):
                era = era_of(task.data.build(), task.n, task.reserve, "whole", t=t)
                parts = [{row.numpy().tobytes() for row in part["image"]}
                         for part in (era.real, era.heldout, era.trusted)]  # fmt: skip
                # A few icons of two fonts are one picture in sixteen greys.
                assert [len(part) for part in parts] == pytest.approx([3_200, 700, 320], rel=0.005)
                assert len(parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]) < 10


def test_other_fonts_and_none_are_one_sentence_before_anything_is_run(monkeypatch, tmp_path):
    with pytest.raises(CorruptFile, match=r"as the installed Pillow draws them, have SHA-256"):
        drawing.load_icons(FEW, "0" * 64)
    with pytest.raises(InputError, match=r"has no font curlicues-\*: install the qtawesome"):
        drawing.load_icons(("curlicues-",), None)
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    drawing.load_icons.cache_clear()
    said = "the package qtawesome, whose icons the task needs, is not installed"
    with pytest.raises(InputError, match=said):
        benchmark.run("nothing", suite="standard", tasks="icons-replace", out=tmp_path)
    assert list(tmp_path.iterdir()) == []
    answer = CliRunner().invoke(app, ["prefetch"])
    assert answer.exit_code == 1


@pytest.mark.parametrize("part", ["real", "heldout", "trusted"])
def test_more_and_more_icons_are_drawn_by_thin_strokes(part):
    data, thin = replace(WEB.data, outlined=(0.0, 0.5)), {}
    for row, outlined in zip(*(drawing.load_icons(FEW, None)[name].tolist()
                               for name in ("tokens", "outlined")), strict=True):  # fmt: skip
        thin.setdefault(tuple(row), set()).add(outlined)
    for t, share in ((0, 0.0), (4, 0.25), (8, 0.5)):
        items = getattr(era_of(data.build(), 20, 10, "moving", t=t), part)
        kinds = [thin[tuple(name)] for name in items["tokens"].tolist()]
        assert {True} not in kinds or share > 0
        assert sum(kind == {True} for kind in kinds) / len(kinds) == pytest.approx(share, abs=0.1)


def test_parts_share_no_icon_and_eras_continue_each_other(monkeypatch):
    monkeypatch.setattr("benchmark.tasks.icons.source.change_images", lambda images, *_: images)
    source = STILL.data.build()
    eras = [era_of(source, 60, 8, "split", t=t) for t in (0, 1)]

    def pictures(items):
        return [row.numpy().tobytes() for row in items["image"]]

    for era in eras:
        parts = [pictures(part) for part in (era.real, era.trusted, era.heldout)]
        assert [len(set(part)) for part in parts] == [60, 8, 12]
        assert len({picture for part in parts for picture in part}) == 80
    assert not set(pictures(eras[0].real)) & set(pictures(eras[1].real))
    again = era_of(source, 60, 8, "split", t=1)
    assert again.real.digest() == eras[1].real.digest()
    with pytest.raises(InputError, match=r"700 icons asked for and 624 to be set aside, \d+ exist"):
        era_of(source, 700, 300, "many")


def test_every_view_of_an_icon_is_new():
    one, two = (era_of(STILL.data.build(), 8, 8, "views", t=t).heldout for t in (0, 1))
    assert sorted(one["tokens"].tolist()) == sorted(two["tokens"].tolist())
    rows = [{row.numpy().tobytes() for row in items["image"]} for items in (one, two)]
    assert not rows[0] & rows[1]


@pytest.fixture(scope="module")
def real():
    return era_of(replace(STILL.data, heldout=50).build(), 100, 8, "read").real


def test_the_readers_say_which_name_belongs_to_which_picture(real):
    """Of icons that neither has seen; and what they say does not depend on the other items."""
    names, other = real["tokens"], real["tokens"].roll(1, 0)
    reader = load_reader("icons-reader.safetensors")
    seen = look_at(reader, real["image"])
    assert float(find_named(reader, seen, names).float().mean()) > 0.25  # by chance 0.01
    assert float(find_named(reader, seen, other).float().mean()) < 0.1
    own, wrong = (score_icons(Items(image=real["image"], tokens=t)) for t in (names, other))
    assert float((own > wrong).float().mean()) > 0.8
    assert own.max() <= 0
    assert 0.2 < float((own > math.log(1 / 8)).float().mean()) < 0.95  # what agreement_filter asks
    few = real.take(slice(0, 5))
    assert torch.allclose(score_icons(few), own[:5], atol=1e-4)
    one = names[:1].expand_as(names)
    assert float(find_named(reader, seen, one).float().mean()) < 0.1  # one name for all


def test_a_name_is_weighed_against_other_names_only():
    reader = load_reader("icons-reader.safetensors")
    own, other = reader.others[:1], reader.others[1:2]
    with torch.no_grad():
        said = reader.read(own)
    assert bool(find_named(reader, said, own).all())
    assert float(rate_names(reader, said, own)) > float(rate_names(reader, said, other))


def test_the_order_of_words_is_no_mark(real):
    """What is published has its words in the order of the vocabulary, and is read so."""
    names = torch.tensor([[7, 5, 7, 0, 0, 0, 0], [0] * 7, [9, 8, 7, 6, 5, 4, 3]])
    assert drawing.order_words(names).tolist() == [
        [5, 7, 7, 0, 0, 0, 0], [0] * 7, [3, 4, 5, 6, 7, 8, 9],
    ]  # fmt: skip
    assert torch.equal(drawing.order_words(real["tokens"]), real["tokens"])
    generator = STILL.generator.build()
    model = generator.train(TrainingSet(real), stream("order"), steps=1)
    made = generator.sample(model, 20, stream("made"), Sampling())
    assert torch.equal(drawing.order_words(made["tokens"]), made["tokens"])
    assert int((made["tokens"] > 0).sum(1).max()) > 1


def test_real_and_painted_pictures_are_of_sixteen_greys(real):
    generator = STILL.generator.build()
    assert torch.equal(generator.publisher.pass_through(real)["image"], real["image"])
    noisy = real["image"].float() / 127.5 - 1 + 0.02 * torch.randn(real["image"].shape)
    again = generator.publisher.publish(noisy, real["tokens"])["image"]
    assert float((again == real["image"]).float().mean()) > 0.95
    assert set(again.flatten().tolist()) <= set(range(0, 256, 17))


def test_words_after_the_end_of_a_name_are_not_read():
    reader = load_reader("icons-reader.safetensors")
    names = torch.tensor([[5, 7, 0, 0, 0, 0, 0], [7, 5, 0, 9, 3, 0, 0], [5, 8, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        said = reader.read(names)
        nothing = reader.read(torch.zeros(1, 7, dtype=torch.int64))
    assert torch.allclose(said[0], said[1], atol=1e-6)
    assert not torch.allclose(said[0], said[2], atol=1e-2)
    assert torch.isfinite(nothing).all()


def profile(samples: Items, era) -> dict[str, float]:
    return IconEvaluator().profile(Silent(), torch.nn.Module(), samples, era)  # type: ignore[arg-type]


def test_what_is_lost_shows_in_the_profile():
    """Other real icons; the same with names of others; one icon over and over; no names."""
    era = era_of(replace(STILL.data, heldout=80).build(), 180, 8, "profile")
    samples = era.real.take(torch.arange(90))
    good = profile(samples, era)
    swapped = profile(Items(image=samples["image"], tokens=samples["tokens"].roll(1, 0)), era)
    assert swapped["log_frechet_joint"] > good["log_frechet_joint"] + 0.1
    assert swapped["log_frechet"] == pytest.approx(good["log_frechet"])
    assert swapped["log_frechet_caption"] == pytest.approx(good["log_frechet_caption"], abs=0.05)
    assert good["agreement"] > 0.25 > 0.1 > swapped["agreement"]
    assert good["tail_mass"] == pytest.approx(1, abs=0.7)
    assert good["words_left"] == pytest.approx(1, abs=0.15)
    one = profile(samples.take(torch.zeros(90, dtype=torch.int64)), era)
    assert one["log_frechet_joint"] > swapped["log_frechet_joint"]
    assert one["words_left"] < 0.1
    assert one["histogram_distance"] > 0.4 > good["histogram_distance"]
    silent = profile(Items(image=samples["image"], tokens=samples["tokens"] * 0), era)
    assert (silent["caption_coverage"], silent["tail_mass"]) == (0.0, 0.0)
    assert silent["agreement"] < 0.1
    assert era.law.sum() == pytest.approx(1)
    strange = torch.nonzero(era.law == 0).flatten()[:1].expand(90, 1)
    foreign = torch.cat([strange, torch.zeros(90, 6, dtype=torch.int64)], 1)
    assert profile(Items(image=samples["image"], tokens=foreign), era)["tail_mass"] == 0


def test_a_row_of_icons_shows_their_names_and_marks_what_is_wrong(real):
    reader = load_reader("icons-reader.safetensors")
    found = find_named(reader, look_at(reader, real["image"]), real["tokens"])
    read = real.take(torch.nonzero(found).flatten())
    row, texts = shown(read, None)
    assert texts is None
    assert row.shape[2] == 3
    other, _ = shown(Items(image=read["image"], tokens=read["tokens"].roll(1, 0)), None)
    red, black = ((page[..., 0] > page[..., 1]).any() for page in (other, row))
    assert (bool(red), bool(black)) == (True, False)


def test_a_long_name_is_cut_and_keeps_its_mark(real):
    images, name = real["image"][:1], "arrow " * 30
    cut, whole = (draw_row(images, [text], [False]) for text in (name, "arrow"))
    assert cut.shape[1] == SPACE
    inked = [int((drawn[-14:] < 255).any((0, 2)).sum()) for drawn in (cut, whole)]
    assert 30 < 2 * inked[1] < inked[0] < SPACE
    assert (cut[-14:, -1] == 255).all()  # nothing is cut off
