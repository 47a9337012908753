"""`autophagy samples`: figures and excerpts of a finished run."""

import io
import shutil

import matplotlib.image
import pytest
import torch
from PIL import Image

import benchmark
from benchmark import Items
from benchmark.report.figures import save_picture_grid
from benchmark.results.gallery import Shown, encode_picture
from benchmark.tasks.images.shown import draw_strip
from tests import tiny
from tests.test_run import cli


def test_samples_of_images_and_text(finished_run, tmp_path, monkeypatch, capsys):
    out = finished_run.out
    words = ("samples", "nothing", "clean", "--out", out, "--to", tmp_path / "s.png")
    assert cli(monkeypatch, *words) == 0
    assert matplotlib.image.imread(tmp_path / "s.png").shape[1] > 500
    assert cli(monkeypatch, *words, "--task", "speeches-replace") == 0
    assert "nothing on speeches-replace, seed 0" in capsys.readouterr().out
    assert cli(monkeypatch, *words, "--seed", 5) == 1
    said = capsys.readouterr().err
    assert f"nothing was not run on digits-replace, seed 5, in {out} (only seed 0 was): " in said
    assert cli(monkeypatch, *words[:-1], tmp_path / "s.nowhere") == 1
    assert "cannot write the figure" in capsys.readouterr().err


def test_what_was_run_instead_of_a_lineage_is_said(finished_run, monkeypatch, capsys):
    """Each with the command that would make it, which takes the method as it was given."""
    out, file = finished_run.out, finished_run.root / "tail_quota.py"
    again = f": autophagy run {file} --suite quick --seeds 0 --out {out}\n"
    where, result = f"on digits-replace, seed 0, in {out}", finished_run.result

    def said() -> str:
        assert cli(monkeypatch, "samples", file, "--out", out) == 1
        return capsys.readouterr().err

    shutil.rmtree(out / "quick" / "lineages" / "tail_quota")
    assert said() == f"autophagy: tail_quota was run {where}, but its samples were deleted{again}"
    task_hash = tiny.PROFILED.tasks[0].hash
    stored = result.read_text()
    result.write_text(stored.replace(task_hash, "0" * len(task_hash)))
    other = "on another version of the task"
    assert said() == f"autophagy: tail_quota was run {where} {other}{again}"
    result.write_text(stored)
    file.write_text(file.read_text() + "# edited\n")
    assert said() == f"autophagy: tail_quota was run {where} by another version of {file}{again}"
    result.unlink()
    assert said() == f"autophagy: tail_quota was not run {where}{again}"


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
    with pytest.raises(benchmark.basics.errors.InputError, match=r"give a file such as .*x\.png"):
        save_picture_grid({"m": shown}, tmp_path / "x", "title")
    assert not list(tmp_path.iterdir())
