"""Icons and their names: how they are drawn, handed out, read, and measured.

The tasks at a toy size, with every generator of suite `standard`: tests/test_standard_tasks.py.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
import torch

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.interface.items import Items
from benchmark.tasks.icons import drawing
from benchmark.tasks.icons.evaluators import IconEvaluator, score_icons
from benchmark.tasks.icons.reader import find_named, load_reader, look_at
from benchmark.tasks.icons.shown import shown
from benchmark.tasks.icons.tasks import FAMILIES, ICONS_SHA256
from benchmark.tasks.suites import load_suite
from tests.hub.tiny import toys
from tests.tiny import era_of

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
WEB, STILL = (toys()[name] for name in ("icons-web", "icons-replace"))


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


def test_every_icon_of_common_words_is_drawn_once_in_the_middle(fonts):
    words = drawing.list_words(fonts, ("letters-",))
    assert words[0] == "<end>"
    assert len(words) == 12
    assert not {"again", "space", "rare"} & set(words)
    found = drawing.draw_icons(fonts, ("letters-",), words)
    assert found["image"].shape == (30, 1, drawing.SIZE, drawing.SIZE)
    names = {" ".join(words[i] for i in row if i) for row in found["tokens"].tolist()}
    assert {"up one", "middle six"} <= names
    assert len(names) == 30
    ink = found["image"].amax((1, 3)) > 0
    above, below = ink.int().argmax(1), ink.flip(1).int().argmax(1)
    assert (above - below).abs().max() <= 1


def test_what_is_not_of_the_vocabulary_is_left_out(fonts):
    few = drawing.draw_icons(fonts, ("letters-",), ["<end>", "one", "up", "down"])
    assert [row[:3] for row in few["tokens"].tolist()] == [[2, 1, 0], [3, 1, 0]]


@pytest.mark.slow
def test_the_frozen_icons_are_those_that_are_drawn_here():
    """Of the pinned fonts by the pinned Pillow; their words are the frozen vocabulary's."""
    assert len(drawing.load_icons(FAMILIES, ICONS_SHA256)) == 12_707
    assert drawing.list_words(drawing.find_fonts(), FAMILIES) == list(drawing.load_words())
    suite = {task.name: task for task in load_suite("standard").tasks}
    assert suite["icons-web"].generator.words == len(drawing.load_words())


def test_other_fonts_and_none_are_one_sentence(monkeypatch):
    with pytest.raises(CorruptFile, match=r"draws of the installed qtawesome have SHA-256"):
        drawing.load_icons(("codicon-",), "0" * 64)
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"the package qtawesome, whose icons .* is not installed"):
        drawing.find_fonts()


@pytest.mark.parametrize("part", ["real", "heldout", "trusted"])
def test_more_and_more_icons_are_drawn_by_thin_strokes(part):
    data = replace(WEB.data, outlined=(0.0, 0.5))
    shares = []
    for t in (0, 4, 8):
        items = getattr(era_of(data.build(), 20, 10, "moving", t=t), part)
        shares.append(float(drawing.find_outlined(items).float().mean()))
    assert shares == pytest.approx([0.0, 0.25, 0.5], abs=0.06)


def test_parts_share_no_icon_and_no_picture_comes_twice():
    source = STILL.data.build()
    icons = drawing.load_icons(STILL.data.families, None)
    eras = [era_of(source, 60, 8, "split", t=t) for t in (0, 1)]
    sets = [{tuple(row) for row in part["tokens"].tolist()}
            for part in (eras[0].real, eras[0].trusted, eras[0].heldout)]  # fmt: skip
    names = [tuple(row) for row in icons["tokens"].tolist()]
    alone = {name for name in names if names.count(name) == 1}  # of one icon only
    assert not sets[0] & sets[1] & alone
    assert not (sets[0] | sets[1]) & sets[2] & alone
    pictures = [row.numpy().tobytes() for era in eras for row in era.real["image"]]
    assert len(set(pictures)) == len(pictures)
    again = era_of(source, 60, 8, "split", t=1)
    assert again.real.digest() == eras[1].real.digest()
    with pytest.raises(InputError, match=r"icons asked for beside those of crawls, 1698 exist"):
        era_of(source, 10, 900, "many")


@pytest.fixture(scope="module")
def real():
    return era_of(replace(STILL.data, heldout=100).build(), 100, 8, "read").real


def test_the_readers_know_which_name_belongs_to_which_picture(real):
    reader, names = load_reader("icons-reader.safetensors"), real["tokens"]
    other = names.roll(1, 0)
    seen = look_at(reader, real["image"])
    assert float(find_named(reader, seen, names, names).float().mean()) > 0.9
    assert float(find_named(reader, seen, other, names).float().mean()) < 0.1
    own, wrong = (score_icons(Items(image=real["image"], tokens=t)) for t in (names, other))
    assert float((own > wrong).float().mean()) > 0.9


def test_words_after_the_end_of_a_name_are_not_read():
    reader = load_reader("icons-reader.safetensors")
    names = torch.tensor([[5, 7, 0, 0, 0, 0, 0], [7, 5, 0, 9, 3, 0, 0], [5, 8, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        said = reader.read(names)
        nothing = reader.read(torch.zeros(1, 7, dtype=torch.int64))
    assert torch.allclose(said[0], said[1], atol=1e-6)  # nor is their order
    assert not torch.allclose(said[0], said[2], atol=1e-2)
    assert torch.isfinite(nothing).all()


def test_of_equal_names_one_is_as_good_as_another(real):
    """And one name for all is not: other names are looked for than the samples' own."""
    reader = load_reader("icons-reader.safetensors")
    seen, names = look_at(reader, real["image"]), real["tokens"]
    one = names[:1].expand_as(names)
    assert bool(find_named(reader, seen, one, one).all())
    assert float(find_named(reader, seen, one, names).float().mean()) < 0.1


class Silent:
    """A generator whose writer says nothing of anything."""

    def loss(self, model, items):
        return 0.0

    def log_prior(self, model, items):
        return torch.zeros(len(items))


def profile(samples: Items, era) -> dict[str, float]:
    return IconEvaluator().profile(Silent(), torch.nn.Module(), samples, era)  # type: ignore[arg-type]


def test_what_is_lost_shows_in_the_profile():
    """Other real icons; the same with names of others; one icon over and over; no names."""
    era = era_of(replace(STILL.data, heldout=80).build(), 90, 40, "profile")
    samples = era.real.take(torch.arange(90))
    good = profile(samples, era)
    swapped = profile(Items(image=samples["image"], tokens=samples["tokens"].roll(1, 0)), era)
    assert swapped["log_frechet_joint"] > good["log_frechet_joint"]
    assert swapped["log_frechet"] == pytest.approx(good["log_frechet"])
    assert swapped["log_frechet_caption"] == pytest.approx(good["log_frechet_caption"], abs=0.05)
    assert good["agreement"] > 0.9 > 0.3 > swapped["agreement"]
    one = profile(samples.take(torch.zeros(90, dtype=torch.int64)), era)
    assert one["log_frechet_joint"] > swapped["log_frechet_joint"]
    assert one["words_left"] < 0.1 < 0.7 < good["words_left"]
    assert one["histogram_distance"] > 0.4 > good["histogram_distance"]
    silent = profile(Items(image=samples["image"], tokens=samples["tokens"] * 0), era)
    assert (silent["caption_coverage"], silent["tail_mass"]) == (0.0, 0.0)
    assert silent["agreement"] < 0.2


def test_a_row_of_icons_shows_their_names_and_marks_what_is_wrong(real):
    row, texts = shown(real, None)
    assert texts is None
    assert row.shape[2] == 3
    other, _ = shown(Items(image=real["image"], tokens=real["tokens"].roll(1, 0)), None)
    red, black = ((page[..., 0] > page[..., 1]).any() for page in (other, row))
    assert (bool(red), bool(black)) == (True, False)
