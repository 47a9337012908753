"""Real data, codecs and frozen parts."""

import shutil

import pytest
import torch

from benchmark.basics.errors import CorruptFile
from benchmark.tasks import assets
from benchmark.tasks.images import digits
from benchmark.tasks.suites import load_task
from benchmark.tasks.text import speeches
from benchmark.tasks.text.codec import TextPublisher
from tests.tiny import era_of


def rows(tensor: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in tensor}


@pytest.mark.parametrize("load", [digits.load_digits, speeches.load_addresses])
def test_changed_data_are_refused(load):
    with pytest.raises(CorruptFile, match=r"constraints\.txt"):
        load("0" * 64)


@pytest.mark.parametrize("name", ["digits-replace", "speeches-replace"])
def test_parts_of_an_era_are_disjoint_and_depend_on_the_seed(name):
    source = load_task(name, "closed").data.build()
    one, two = (era_of(source, 200, 40, "era", i) for i in range(2))
    column = "image" if name.startswith("digits") else "tokens"
    assert (len(one.real), len(one.trusted)) == (200, 40)
    parts = [rows(part[column]) for part in (one.real, one.trusted, one.heldout)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert one.heldout.digest() != two.heldout.digest()
    assert one.real.digest() != two.real.digest()


def test_text_is_unchanged_by_a_second_pass_through_the_codec():
    publisher = TextPublisher(64)
    items = publisher.pass_through(speeches.passages(speeches.load_addresses()[0].text, 320))
    assert items["tokens"].shape[1] == 64
    again = publisher.tokenizer.encode_batch(publisher.text(items))
    assert [e.ids for e in again] == items["tokens"].tolist()


def test_a_text_that_is_too_short_goes_on_with_itself():
    publisher = TextPublisher(64)
    ids = publisher.tokenizer.encode("We the people").ids
    assert publisher.publish([ids])["tokens"].shape == (1, 64)
    assert publisher.publish([[]])["tokens"].shape == (1, 64)


@pytest.mark.parametrize("name", sorted(assets.manifest()))
def test_a_changed_frozen_part_is_refused(name, tmp_path, monkeypatch):
    assert assets.path(name).exists()
    shutil.copytree(assets.FOLDER, tmp_path / "assets")
    monkeypatch.setattr(assets, "FOLDER", tmp_path / "assets")
    blob = bytearray((tmp_path / "assets" / name).read_bytes())
    blob[len(blob) // 2] ^= 1
    (tmp_path / "assets" / name).write_bytes(blob)
    with pytest.raises(CorruptFile, match=name):
        assets.path(name)
    (tmp_path / "assets" / name).unlink()
    with pytest.raises(CorruptFile, match="missing"):
        assets.path(name)


def test_frozen_parts_are_small():
    assert sum((assets.FOLDER / name).stat().st_size for name in assets.manifest()) < 6e6
