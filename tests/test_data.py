"""Real data, codecs and frozen parts."""

import shutil

import pytest
import torch

from benchmark.basics.errors import CorruptFile
from benchmark.basics.seeds import stream
from benchmark.tasks import assets
from benchmark.tasks.images import digits
from benchmark.tasks.suites import load_task
from benchmark.tasks.text import speeches
from benchmark.tasks.text.codec import TextPublisher


def rows(tensor: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in tensor}


def test_speeches_heldout_documents_are_apart():
    usable, heldout = speeches.load_addresses()
    assert (len(usable), len(heldout)) == (201, 30)
    assert not set(usable) & set(heldout)
    assert all(text.isascii() for text in usable)


@pytest.mark.parametrize("load", [digits.load_digits, speeches.load_addresses])
def test_changed_data_are_refused(load):
    with pytest.raises(CorruptFile, match=r"constraints\.txt"):
        load("0" * 64)


@pytest.mark.parametrize("name", ["digits-replace", "speeches-replace"])
def test_splits_are_disjoint_and_heldout_is_fixed(name):
    source = load_task(name, "quick").data.build()
    one, two = (source.splits(200, 40, stream("split", i)) for i in range(2))
    column = "image" if name.startswith("digits") else "tokens"
    assert (len(one.real), len(one.reserve)) == (200, 40)
    parts = [rows(part[column]) for part in (one.real, one.reserve, one.heldout)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert one.heldout.digest() == two.heldout.digest()
    assert one.real.digest() != two.real.digest()


def test_speeches_pool_and_reserve_share_no_address(monkeypatch):
    """Each address is replaced by its own letter: pool and reserve then share no letter."""
    letters = [chr(ord("a") + i % 26) + chr(ord("a") + i // 26) for i in range(60)]
    documents = [f"{pair} " * 2000 for pair in letters]
    monkeypatch.setattr(speeches, "load_addresses", lambda sha=None: (documents, ["zz zz " * 1000]))
    monkeypatch.setattr(TextPublisher, "pass_through", lambda self, texts: texts)
    splits = load_task("speeches-replace", "quick").data.build().splits(300, 40, stream("x"))
    pool = {text.split()[0] for text in splits.real}
    reserve = {text.split()[0] for text in splits.reserve}
    assert len(pool) > 20
    assert len(reserve) >= 15  # of 20: a fair sample, not one author
    assert not pool & reserve


def test_text_is_unchanged_by_a_second_pass_through_the_codec():
    publisher = TextPublisher(64)
    items = publisher.pass_through(speeches.passages(speeches.load_addresses()[0][0], 320))
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
