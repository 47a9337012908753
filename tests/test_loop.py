"""One lineage: reproducible, continued after a kill, and honest about failure."""

import shutil
from pathlib import Path

import pytest
import torch

from benchmark import Access, Mitigation, Sampling, TrainingSet
from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import read_record, read_tensors
from benchmark.interface.clean import Clean
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageFolder
from tests import tiny


def content(folder: Path) -> dict[str, object]:
    """What a lineage's files say, but for times."""
    files: dict[str, object] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            record = read_record(path)
            record.pop("seconds", None)
            files[path.name] = record
        else:
            files[path.name] = {k: v.tolist() for k, v in read_tensors(path).items()}
    return files


class UsesEverything(Mitigation):
    """Depends on the archive, the previous model and the random numbers of the round."""

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl, round):
        score = round.log_prob(crawl)
        kept = crawl.take(score.argsort()[len(crawl) // 4 :])
        return TrainingSet(kept, torch.rand(len(kept), generator=round.rng))


@pytest.mark.parametrize("task", tiny.WEB)
def test_a_continued_lineage_is_the_same_to_the_last_bit(task, tasks, tmp_path, shared_cache):
    def run(folder: str) -> None:
        store = LineageFolder(tmp_path / folder)
        run_lineage(tasks[task], UsesEverything, 0, store, shared_cache)

    run("whole")
    assert sorted(p.name for p in (tmp_path / "whole").iterdir()) == [
        *(f"gen-{t:02d}.json" for t in range(3)),
        *(f"{what}-{t:02d}.safetensors" for what in ("model", "samples") for t in range(3)),
    ]
    for kept in (1, 2):
        # Interrupt after `kept` generations, the files of the next one half written.
        folder = tmp_path / f"kept {kept}"
        stop = LineageFolder(folder)
        save = stop.save

        def interrupted(t, record, items, state, kept=kept, save=save, folder=folder):
            if t == kept:
                (folder / f"samples-{t:02d}.safetensors").write_bytes(b"half")
                raise KeyboardInterrupt
            save(t, record, items, state)

        stop.save = interrupted
        with pytest.raises(KeyboardInterrupt):
            run_lineage(tasks[task], UsesEverything, 0, stop, shared_cache)
        run(f"kept {kept}")
        assert content(folder) == content(tmp_path / "whole")


def test_what_two_methods_agree_on_is_trained_once(tasks, tmp_path):
    class Same(Mitigation):
        pass

    class Other(Mitigation):
        def loss(self, per_element, outputs):
            return per_element * 2

    def run(method):
        store = LineageFolder(tmp_path / method.__name__)
        return run_lineage(tasks["digits-web"], method, 0, store, cache)

    def files():
        return {p.name: p.read_bytes() for p in cache.folder.glob("*.safetensors")}

    cache = FolderCache(tmp_path / "cache")
    first = run(Mitigation)
    made = files()
    kinds = sorted(name.rsplit("-", 1)[0] for name in made)
    # One foreign model, released before the first web crawl, publishes for each.
    assert kinds == ["foreign-model"] + ["foreign-samples"] * 2 + ["model"] * 3 + ["samples"]
    same = run(Same)
    assert [r["profile"] for r in same] == [r["profile"] for r in first]
    # What the cache saved is charged, so that costs do not depend on what ran before.
    for old, new in zip(first, same, strict=True):
        assert new["seconds"]["train"] >= 0.5 * old["seconds"]["train"] > 0
    other = run(Other)
    assert other[0]["profile"] == first[0]["profile"] != first[1]["profile"]
    assert other[1]["profile"] != first[1]["profile"]
    assert files() == made


class InPlace(Mitigation):
    """Ruins in place whatever model it can reach."""

    access = frozenset({Access.MODEL, Access.ARCHIVE})

    def curate(self, crawl, round):
        self.ruin(round.model)
        return TrainingSet(crawl)

    def adjust(self, model, round):
        self.ruin(model, round.model)
        return model

    def sampling(self, round):
        self.ruin(round.model)
        return Sampling()

    def ruin(self, *models):
        with torch.no_grad():
            for model in models:
                for parameter in model.parameters():
                    parameter.mul_(0.7)


def test_what_is_kept_for_all_cannot_be_changed_in_place(tasks, tmp_path):
    """A method that changes models in place changes its own lineage, and no other's."""
    task, found = tasks["digits-web"], []
    for methods in ([Mitigation], [InPlace, Mitigation]):
        cache = FolderCache(tmp_path / str(len(methods)))
        for method in methods:
            store = LineageFolder(tmp_path / f"{method.__name__} of {len(methods)}")
            records = run_lineage(task, method, 0, store, cache)
        found.append([r["profile"] for r in records])
    assert found[0] == found[1]


def test_clean_is_the_harness_s_own_and_shares_the_start(lineage):
    """Its crawls are real in every generation; a subclass, or a method of that name, crawls the
    web like any other."""
    named = type("Clean", (Mitigation,), {})
    inherited = type("Clean", (Clean,), {})
    plain = lineage(Mitigation, task="digits-web", folder="plain")
    clean = lineage(Clean, task="digits-web", folder="clean")
    assert clean[0]["profile"] == plain[0]["profile"]
    assert [r["kept"] for r in clean] == [{"real": 1.0}] * 3
    for method in (named, inherited):
        other = lineage(method, task="digits-web", folder=f"{method.__bases__}")
        assert [r["profile"] for r in other] == [r["profile"] for r in plain]


def test_a_model_is_kept_in_bf16_and_is_what_was_sampled(tasks, tmp_path, shared_cache):
    """Low bits carry no message from one generation to the next: there are none."""

    heard = []

    class Whispers(Mitigation):
        access = frozenset({Access.MODEL, Access.ARCHIVE})

        def curate(self, crawl, round):
            heard.append(next(round.model.parameters()).flatten()[0].item())
            return TrainingSet(crawl)

        def adjust(self, model, round):
            with torch.no_grad():
                next(model.parameters()).flatten()[0] = 1 + 2**-20  # a message
            return model

    store = LineageFolder(tmp_path / "a")
    run_lineage(tasks["digits-replace"], Whispers, 0, store, shared_cache)
    assert heard[1:] == [1.0]
    floats = [t for t in store.model(2).values() if t.dtype == torch.float32]
    assert floats == []


def test_labels_are_drawn_as_the_training_set_has_them(tasks, tmp_path, shared_cache):
    """Classes can vanish, and no hook brings them back; weights count."""

    class TwoClasses(Mitigation):
        def curate(self, crawl, round):
            return TrainingSet(crawl, ((crawl["label"] < 2) * 1.0 + (crawl["label"] == 0)))

        def adjust(self, model, round):
            model.get_buffer("label_shares").fill_(0.1)
            return model

    store = LineageFolder(tmp_path / "a")
    task = tasks["digits-replace"]
    records = run_lineage(task, TwoClasses, 0, store, shared_cache)
    assert [r["status"] for r in records] == ["ok"] * 3, records[-1].get("message")
    counts = torch.bincount(store.samples(1)["label"], minlength=10)
    crawled = torch.bincount(store.samples(0)["label"], minlength=10).double()
    expected = task.n * 2 * crawled[0] / (2 * crawled[0] + crawled[1])
    assert counts[2:].sum() == 0
    assert abs(counts[0] - expected) <= 1


def test_what_hooks_draw_globally_does_not_depend_on_the_cache(tasks, tmp_path):
    class Draws(Mitigation):
        def adjust(self, model, round):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter += 0.01 * torch.randn(parameter.shape)
            return model

    cache, found = FolderCache(tmp_path / "cache"), []
    for name in "ab":
        store = LineageFolder(tmp_path / name)
        found.append(run_lineage(tasks["digits-replace"], Draws, 0, store, cache))
    assert [r["profile"] for r in found[0]] == [r["profile"] for r in found[1]]


def test_seeds_differ(tasks, tmp_path, shared_cache):
    profiles = [
        run_lineage(
            tasks["digits-replace"],
            Mitigation,
            s,
            LineageFolder(tmp_path / f"{s}"),
            shared_cache,
        )[0]["profile"]
        for s in (0, 1)
    ]
    assert profiles[0] != profiles[1]


def test_the_ledger_of_a_generation(tasks, lineage):
    task = tasks["digits-replace"]

    class Works(Mitigation):
        access = frozenset({Access.MODEL, Access.RESERVE})

        def curate(self, crawl, round):
            round.log_prob(crawl)
            round.sample(5)
            assert len(round.reserve) == task.reserve
            return TrainingSet(crawl)

    plain, works = lineage(Mitigation, folder="plain"), lineage(Works, folder="works")
    base = {
        "items_trained": task.generator.steps * task.generator.batch,
        "items_generated": task.n,
        "forward_passes": 0,
        "real_items": 0,
    }
    assert plain[1]["ledger"] == base
    assert works[0]["ledger"] == base
    assert works[1]["ledger"] == base | {
        "items_generated": task.n + 5,
        "forward_passes": task.n,
        "real_items": task.reserve,
    }


def test_a_method_that_raises_keeps_what_came_before(lineage, tmp_path):
    class Breaks(Mitigation):
        def curate(self, crawl, round):
            if round.generation == 2:
                raise RuntimeError("out of ideas")
            return TrainingSet(crawl)

    records = lineage(Breaks)
    assert [r["status"] for r in records] == ["ok", "ok", "failed"]
    assert records[2]["message"] == (
        "Breaks.curate at generation 2 raised RuntimeError: out of ideas"
    )
    assert read_record(tmp_path / "lineage" / "gen-02.json") == records[2]
    assert lineage(Breaks) == records  # and again: read, not run


@pytest.mark.parametrize("where", ["weights", "loss"])
def test_nan_is_a_result(where, lineage):
    class Diverges(Mitigation):
        def adjust(self, model, round):
            if where == "weights":
                with torch.no_grad():
                    next(model.parameters()).fill_(torch.nan)
            return model

    class Explodes(Mitigation):
        def loss(self, per_element, outputs):
            return per_element * torch.inf

    records = lineage(Diverges if where == "weights" else Explodes)
    assert [r["status"] for r in records] == ["ok", "diverged"]
    assert "not finite" in records[1]["message"]


@pytest.mark.parametrize(
    "victim", ["gen-01.json", "samples-00.safetensors", "model-01.safetensors"]
)
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_file_is_never_read_as_a_number(victim, damage, tasks, tmp_path, shared_cache):
    task, folder = tasks["digits-replace"], tmp_path / "lineage"
    run_lineage(task, Mitigation, 0, LineageFolder(folder), shared_cache)
    (folder / "gen-02.json").unlink()  # as if killed before the last generation was finished
    path = folder / victim
    blob = bytearray(path.read_bytes())
    if damage == "flip":
        blob[-20] ^= 4
        path.write_bytes(blob)
    elif damage == "truncate":
        path.write_bytes(blob[: len(blob) // 2])
    else:
        path.unlink()
    if (victim, damage) != ("gen-01.json", "remove"):  # without its record it is begun anew
        sentence = rf"{victim} cannot be used .*: delete {folder} and run"
        with pytest.raises(CorruptFile, match=sentence):
            run_lineage(task, Mitigation, 0, LineageFolder(folder), shared_cache)
        shutil.rmtree(folder)
    assert len(run_lineage(task, Mitigation, 0, LineageFolder(folder), shared_cache)) == 3


def test_a_damaged_cache_is_named(tmp_path):
    cache = FolderCache(tmp_path)
    cache.get("kind", "key", lambda: {"a": torch.arange(1000)})
    path = next(tmp_path.glob("*.safetensors"))
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    with pytest.raises(CorruptFile, match="checksum does not match"):
        cache.get("kind", "key", lambda: {"a": torch.arange(1000)})


def test_the_cache_makes_a_thing_once(tmp_path):
    cache, made = FolderCache(tmp_path), []
    for _ in range(2):
        got = cache.get("kind", "key", lambda: made.append(1) or {"a": torch.arange(3)})
    assert made == [1]
    assert got.tensors["a"].tolist() == [0, 1, 2]


def test_tensors_come_back_as_they_were(tmp_path):
    tensors = {
        "small": torch.tensor([-3, 500]),
        "large": torch.tensor([1 << 40]),
        "pixels": torch.arange(4, dtype=torch.uint8),
        "weights": torch.randn(3, 2).T,
        "empty": torch.zeros(0, 3),
    }
    cache = FolderCache(tmp_path)
    for _ in range(2):
        back = cache.get("kind", "key", lambda: tensors).tensors
        assert all(torch.equal(back[k], v) and back[k].dtype == v.dtype for k, v in tensors.items())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .*--out"):
        LineageFolder(tmp_path / "file" / "x").end(0, {"generation": 0})
