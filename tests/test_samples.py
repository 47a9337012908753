"""`autophagy samples`: figures and excerpts of a finished run."""

import matplotlib.image
import pytest
import torch

import benchmark
from benchmark import Items
from benchmark.tasks.images.shown import save_image_grid, strip
from tests.test_run import cli


def test_samples_of_images_and_text(finished_run, tmp_path, monkeypatch, capsys):
    out = finished_run.out
    words = ("samples", "nothing", "oracle", "--out", out, "--to", tmp_path / "s.png")
    assert cli(monkeypatch, *words) == 0
    assert matplotlib.image.imread(tmp_path / "s.png").shape[1] > 500
    assert cli(monkeypatch, *words, "--task", "speeches-replace") == 0
    assert "nothing on speeches-replace, seed 0" in capsys.readouterr().out
    assert cli(monkeypatch, *words, "--seed", 5) == 1
    assert "nothing was not run on digits-replace, seed 5" in capsys.readouterr().err
    assert cli(monkeypatch, *words[:-1], tmp_path / "s.nowhere") == 1
    assert "cannot write the figure" in capsys.readouterr().err


def test_a_row_shows_every_class_and_survives_a_lost_one():
    images = torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    items = Items(image=images, label=torch.tensor([3, 2, 1, 0]))
    assert strip(items, 4)[0, ::2].tolist() == [3, 2, 1, 0]
    assert strip(items, 3, label=1)[0, ::2].tolist() == [2, 2, 2]
    lost = Items(image=images, label=torch.tensor([3, 2, 0, 0]))
    assert strip(lost, 4).shape == (2, 8)


def test_the_figure_needs_a_known_ending(tmp_path):
    items = Items(image=torch.zeros(2, 1, 4, 4, dtype=torch.uint8), label=torch.tensor([0, 1]))
    with pytest.raises(benchmark.basics.errors.InputError, match="cannot write the figure"):
        save_image_grid({"m": {0: items}}, tmp_path / "x.nowhere", "title")
