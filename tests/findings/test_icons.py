"""The prototype of pictures and names draws what it is given and learns from it."""

import json
import math
import shutil
from pathlib import Path

import matplotlib
import pytest
import torch

from tests.findings import icons

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


@pytest.fixture
def fonts(tmp_path):
    """Letters with names of two words, of which each is in five and more."""
    shutil.copy(FONT, tmp_path / "letters-1.ttf")
    names = {f"{place}-{turn}": hex(0x41 + 6 * i + k)[2:]
             for i, place in enumerate(("up", "down", "left", "right", "middle"))
             for k, turn in enumerate(("one", "two", "three", "four", "five", "six"))}  # fmt: skip
    more = {"again-one": "41", "space-one": "20", "rare-one": "e9"}
    (tmp_path / "letters-charmap-1.json").write_text(json.dumps(names | more))
    return tmp_path


def test_every_icon_of_common_words_is_drawn_once_in_the_middle(fonts):
    found = icons.draw_icons(fonts, ("letters-",))
    assert found.pictures.shape == (30, 1, icons.SIZE, icons.SIZE)
    assert len({tuple(row) for row in found.names.tolist()}) == 30
    assert found.words[0] == "<end>"
    assert len(found.words) == 12
    assert not {"again", "space", "rare"} & set(found.words)
    ink = found.pictures.amax((1, 3)) > 0
    above, below = ink.int().argmax(1), ink.flip(1).int().argmax(1)
    assert (above - below).abs().max() <= 1


@pytest.mark.slow
def test_three_networks_are_trained_and_measured(fonts, monkeypatch):
    monkeypatch.setattr(icons, "PARTS", 8)
    monkeypatch.setattr(icons, "ASKED", 6)
    said: dict = {}
    torch.manual_seed(0)
    rows = icons.measure(icons.draw_icons(fonts, ("letters-",)), lambda **n: said.update(n), 120)
    assert rows.shape == (6, 1, 2 * icons.SIZE, icons.SIZE)
    assert said["trained_on"] == 24
    assert said["recognised"]["trained on"] > 1 / 6
    assert said["nats_a_word"]["trained on"] < said["blind"]["trained on"] < math.log(12)
    assert 0 <= said["painted_and_recognised"]["heldout"] <= 1
