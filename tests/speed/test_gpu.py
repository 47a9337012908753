"""The script that measures suite `standard` on a GPU goes through on a CPU at a toy size."""

import json

import pytest
import torch

from tests.hub import tiny
from tests.speed import gpu


@pytest.mark.parametrize("section", ["stories", "pictures", "engine"])
def test_a_section_measures_what_it_says(section, tmp_path):
    file = tmp_path / "gpu.json"
    with tiny.copies(tiny.write, tmp_path / "copies"):
        setting = gpu.Setting(gpu.Notes(section, file), gpu.TOY, True, torch.device("cpu"))
        getattr(gpu, section)(setting)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    said = {line["what"]: line for line in lines}
    if section == "engine":
        assert [line["states"] for line in lines] == [["ok", "ok"]] * 2
        return
    assert said["generation: training"]["meter"]["items"] == gpu.TOY.recorded * 8
    assert said["training, recorded"]["items_a_second"] > 0
    split = said["generation: evaluation, of every other generation"]
    assert 0 < split["loss"] < split["seconds"]
    one, other = (said[f"training, {kind}"] for kind in ("launched one by one", "recorded"))
    assert one["loss_after"] == pytest.approx(other["loss_after"], abs=1e-3)


def test_recipes_lose_their_checksums_and_nothing_else():
    from benchmark.tasks.suites import load_suite

    for task in load_suite("standard").tasks:
        loose = gpu._unpinned(task)
        assert loose.data.repo.sha256 == loose.evaluation.network.sha256 == ()
        assert (loose.generator.steps, loose.schedule) == (task.generator.steps, task.schedule)
