"""What the record says of a training set: by source, true, and without touching the lineage."""

import time

import pytest
import torch

from benchmark import FOREIGN, REAL, Access, Items, Mitigation, TrainingSet
from benchmark.lineage.provenance import Composition
from benchmark.results.schema import GenerationResult


def world() -> Composition:
    """Reserve 900..909. Crawl 0: real 0..99. Crawl 1: real 0..49, own 100.., foreign 200..219."""
    composition = Composition()
    composition.trust(Items(x=torch.arange(900, 910)))
    composition.add(Items(x=torch.arange(100)), torch.full((100,), REAL))
    x = torch.cat([torch.arange(50), torch.arange(100, 130), torch.arange(200, 220)])
    made = torch.cat([torch.full((50,), REAL), torch.zeros(30), torch.full((20,), FOREIGN)])
    composition.add(Items(x=x), made.long())
    return composition


def test_shares_by_source():
    x = torch.tensor([0, 1, 2, 3, 70, 100, 101, 102, 200, 201, 900, 5555])  # 70: of crawl 0 only
    said = world().describe(TrainingSet(Items(x=x)))
    expected = {"real": 5, "own": 3, "foreign": 2, "reserve": 1, "other": 1}
    assert said["trained_on"] == pytest.approx({k: v / 12 for k, v in expected.items()}, abs=1e-6)
    assert said["kept"] == {"real": 4 / 50, "own": 0.1, "foreign": 0.1, "synthetic": 0.1}


def test_weights_count_and_an_item_of_weight_0_is_not_kept():
    training = TrainingSet(Items(x=torch.tensor([0, 100, 100, 200])), torch.tensor([2.0, 1, 1, 0]))
    said = world().describe(training)
    assert said["trained_on"] == {"real": 0.5, "own": 0.5, "foreign": 0, "reserve": 0, "other": 0}
    assert said["kept"]["real"] == 1 / 50
    assert said["kept"]["own"] == pytest.approx(1 / 30, abs=1e-6)
    assert said["kept"]["foreign"] == 0


def test_sources_that_a_crawl_has_none_of_are_left_out():
    composition = Composition()
    composition.trust(Items(x=torch.arange(3)))
    composition.add(Items(x=torch.arange(10, 20)), torch.zeros(10, dtype=torch.int64))
    said = composition.describe(TrainingSet(Items(x=torch.arange(10, 15))))
    assert said["kept"] == {"own": 0.5, "synthetic": 0.5}


@pytest.mark.parametrize("where", [0, 5, 391, 783])
def test_images_that_differ_in_one_pixel_or_in_the_label_are_different(where):
    images = torch.randint(256, (50, 1, 28, 28), dtype=torch.uint8)
    labels = torch.arange(50) % 10
    composition = Composition()
    composition.trust(Items(image=images[:1], label=labels[:1]))
    composition.add(Items(image=images, label=labels), torch.full((50,), REAL))
    changed = images.clone()
    changed.flatten(1)[:, where] ^= 128
    for items in (Items(image=changed, label=labels), Items(image=images, label=(labels + 1) % 10)):
        assert composition.describe(TrainingSet(items))["trained_on"]["other"] == 1


def test_it_is_cheap():
    """Well under a second of the processor for forty thousand images; the loop takes minutes."""
    images = torch.randint(256, (40_000, 1, 28, 28), dtype=torch.uint8)
    items = Items(image=images, label=torch.zeros(40_000, dtype=torch.int64))
    composition = Composition()
    composition.trust(items.take(slice(0, 400)))
    composition.add(items, torch.full((40_000,), REAL))
    began = time.process_time()
    said = composition.describe(TrainingSet(items))
    assert time.process_time() - began < 0.5
    assert said["trained_on"]["real"] == pytest.approx(0.99)


def test_a_lineage_records_what_a_filter_kept(lineage, tasks):
    reserve = tasks["digits-web"].reserve

    class KeepsRealAndReserve(Mitigation):
        access = frozenset({Access.PROVENANCE, Access.RESERVE})

        def curate(self, crawl, round):
            real = crawl.take(round.provenance[-1] == REAL)
            return TrainingSet(Items.concat([real, round.reserve]))

    records = lineage(KeepsRealAndReserve, task="digits-web")
    assert records[0]["kept"] == {"real": 1.0}
    for record in records[1:]:
        assert record["kept"] == {"real": 1.0, "own": 0.0, "foreign": 0.0, "synthetic": 0.0}
        trusted = reserve / record["training_set"]
        assert record["trained_on"] == pytest.approx(
            {"real": 1 - trusted, "reserve": trusted, "own": 0, "foreign": 0, "other": 0},
            abs=1e-6,
        )
        assert GenerationResult.model_validate(record).kept == record["kept"]
