"""`autophagy samples`: figures and excerpts of a finished run."""

import io

import matplotlib.image
import pytest
import torch
from PIL import Image

import benchmark
from benchmark import Items
from benchmark.report.figures import save_picture_grid
from benchmark.results.gallery import Shown, encode_picture
from benchmark.tasks.images.shown import draw_strip
from tests.test_run import cli


def test_samples_of_images_and_text(finished_run, tmp_path, monkeypatch, capsys):
    out = finished_run.out
    words = ("samples", "nothing", "clean", "--out", out, "--to", tmp_path / "s.png")
    assert cli(monkeypatch, *words) == 0
    assert matplotlib.image.imread(tmp_path / "s.png").shape[1] > 500
    assert cli(monkeypatch, *words, "--task", "speeches-replace") == 0
    assert "nothing on speeches-replace, seed 0" in capsys.readouterr().out
    assert cli(monkeypatch, *words, "--seed", 5) == 1
    assert "nothing was not run on digits-replace, seed 5" in capsys.readouterr().err
    assert cli(monkeypatch, *words[:-1], tmp_path / "s.nowhere") == 1
    assert "cannot write the figure" in capsys.readouterr().err


def test_a_row_is_of_one_class_and_survives_its_loss():
    images = torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    items = Items(image=images, label=torch.tensor([3, 1, 1, 0]))
    assert draw_strip(items, 3, label=1)[0, ::2].tolist() == [1, 2, 1]
    assert draw_strip(items, 5, label=2)[0, ::2].tolist() == [0, 1, 2, 3, 0]


def test_the_figure_needs_a_known_ending(tmp_path):
    content = io.BytesIO()
    Image.new("L", (40, 4)).save(content, "PNG")
    shown = Shown(seed=0, generations=[0], png=encode_picture(content.getvalue(), 1))
    with pytest.raises(benchmark.basics.errors.InputError, match="cannot write the figure"):
        save_picture_grid({"m": shown}, tmp_path / "x.nowhere", "title")
