"""The script that measures suite `standard` on a GPU goes through on a CPU at a toy size."""

import json
from argparse import Namespace

import pytest
import torch

from tests.hub import tiny
from tests.speed import gpu


@pytest.mark.parametrize("section", ["stories", "pictures", "icons", "engine", "whole"])
def test_a_section_measures_what_it_says(section, tmp_path):
    file = tmp_path / "gpu.json"
    with tiny.copies(tiny.write, tmp_path / "copies"):
        setting = gpu.Setting(gpu.Notes(section, file), gpu.TOY, True, torch.device("cpu"))
        getattr(gpu, section)(setting)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    said = {line["what"]: line for line in lines}
    if section in ("engine", "whole"):
        count = {"engine": 2, "whole": 1}[section]
        assert [line["states"] for line in lines if "states" in line] == [["ok", "ok"]] * count
        kept = [line["what"] for line in lines if line["what"].endswith("is kept")]
        assert kept == [f"generation {t} is kept" for t in (0, 1)] * count
        return
    assert said["generation: training"]["meter"]["items"] == gpu.TOY.recorded * 8
    split = said["generation: evaluation, of every other generation"]
    assert 0 < split["loss"] < split["seconds"]
    if section == "icons":
        weights = [said[f"weights of the {part}"] for part in ("painter", "writer")]
        assert all(line["apart_by_recording"] < 0.01 * line["moved"] for line in weights)
        learning = [line for line in lines if line["what"] == "learning"]
        assert {"nats_a_word", "painted_and_recognised"} <= {k for line in learning for k in line}
        return
    assert said["training, recorded"]["items_a_second"] > 0
    one, other = (said[f"training, {kind}"] for kind in ("launched one by one", "recorded"))
    assert one["loss_after"] == pytest.approx(other["loss_after"], abs=1e-3)


def test_steps_of_several_models_at_once_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)  # as it was afterwards
    given = Namespace(task="stories-replace", batch=None, turn=0, of=1, ready=tmp_path)
    file = tmp_path / "gpu.json"
    with tiny.copies(tiny.write, tmp_path / "copies"):
        setting = gpu.Setting(gpu.Notes("alone", file), gpu.TOY, True, torch.device("cpu"))
        gpu.alone(setting, given)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["what"].partition(", ")[2] for line in lines] == [
        "a step alone", "steps of 2 models at once", "a step alone, cuDNN's kernels tried out",
    ]  # fmt: skip
    for line, models in zip(lines, (1, 2, 1), strict=True):
        items = line["batch"] * models / (line["ms"] / 1e3)
        assert line["items_a_second"] == pytest.approx(items, rel=1e-2)


def test_recipes_lose_their_checksums_and_nothing_else():
    from benchmark.tasks.suites import load_suite

    for task in load_suite("standard").tasks:
        loose = gpu._unpinned(task)
        if task.modality != "pair":  # which need no repository
            assert loose.data.repo.sha256 == loose.evaluation.network.sha256 == ()
        assert (loose.generator.steps, loose.schedule) == (task.generator.steps, task.schedule)
