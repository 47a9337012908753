"""A run that is killed, finds the disk full, damage or another run ends with the same numbers."""

import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock

import benchmark
import benchmark.tasks.suites
from benchmark import Access, Mitigation, TrainingSet
from benchmark.basics.cache import FolderCache
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import alone_in, read_record, read_tensors, write_tensors
from benchmark.lineage.store import LineageFolder
from benchmark.runs.backends import AT_WORK
from tests import tiny
from tests.test_loop import content
from tests.test_run import cli, without_times

METHODS = ("survivor", "nothing", "clean")


class Survivor(Mitigation):
    """Depends on all that a continued lineage must restore."""

    access = frozenset({Access.ARCHIVE, Access.MODEL})

    def curate(self, crawl, round):
        score = round.log_prob(crawl)
        kept = crawl.take(score.argsort()[len(crawl) // 4 :])
        return TrainingSet(kept, torch.rand(len(kept), generator=round.rng))


def run(out: Path, tasks: str = "digits-web") -> None:
    benchmark.run(Survivor, tasks=tasks, workers=1, out=out)  # one worker: this very process


@pytest.mark.parametrize("record", ["[1, 2]", '"abc"', "null", '{"generation": 0}', "[" * 9_999])
def test_a_record_of_another_form_is_one_sentence(record, tmp_path):
    """Though its checksum is right."""
    digest = hashlib.sha256(record.replace(": ", ":").replace(", ", ",").encode()).hexdigest()
    (tmp_path / "gen-00.json").write_text(f'{{"sha256": "{digest}", "record": {record}}}')
    with pytest.raises(CorruptFile, match=r"delete .* and run the same command again"):
        LineageFolder(tmp_path).record(0)


def test_what_was_kept_by_something_else_is_one_sentence(tmp_path):
    cache = FolderCache(tmp_path)
    cache.get("model", "key", lambda: {"x": torch.zeros(2)})
    (file,) = tmp_path.glob("*.safetensors")
    write_tensors(file, {"x": torch.zeros(2)})
    with pytest.raises(CorruptFile, match="nothing that was kept here"):
        cache.get("model", "key", dict)


def forked(work: Callable[[], None]) -> int:
    """Process that does `work` in a copy of this one, all that is slow to import being loaded."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def on_write(count: int, act: Callable[[int], None], after: bool, patch=setattr) -> None:
    """Call `act` at this process's `count`-th write of a file: with the handle of the temporary
    file when all is in it, or `after` it got its name."""
    name = "replace" if after else "fsync"
    real, left = getattr(os, name), [count]

    def counted(*args):
        left[0] -= 1
        if after:
            real(*args)
        if left[0] <= 0:
            act(args[0])
        if not after:
            real(*args)

    patch(os, name, counted)


@pytest.fixture(scope="session")
def loaded(tmp_path_factory):
    """This process has imported what a run imports; else each child of `forked` would, for seconds,
    if it was another process that made the undisturbed run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(benchmark.tasks.suites._SUITES, "quick", lambda: tiny.PROFILED)
        run(tmp_path_factory.mktemp("loaded"), "digits-replace")


@pytest.fixture
def whole(loaded, suite, once):
    """An undisturbed run."""
    return once(f"undisturbed {suite.description}", run)


def contents(out: Path) -> dict[str, dict[str, object]]:
    """Of every lineage, by method: records and tensors, but for models that are not the newest (a
    run that was killed after its last record did not delete them)."""
    found = {}
    for folder in sorted((out / "quick" / "lineages").glob("*/*")):
        (folder / ".lock").unlink(missing_ok=True)
        found[folder.parent.name] = content(folder)
        models = sorted(name for name in found[folder.parent.name] if name.startswith("model"))
        for name in models[:-1]:
            del found[folder.parent.name][name]
    return found


def assert_same(out: Path, whole: Path) -> None:
    """Results, records, samples and models are those of the undisturbed run; nothing half written
    is left."""
    for name in METHODS:
        files = [folder / "quick" / f"{name}.json" for folder in (out, whole)]
        assert without_times(files[0]) == without_times(files[1])
    assert contents(out) == contents(whole)
    assert not list(out.rglob(".writing-*"))


def test_killed_again_and_again_a_run_ends_with_the_same_numbers(whole, tmp_path):
    """kill -9 at seeded random moments, and while or right after a file is written."""
    rng, kills, torn = random.Random(0), 0, set()
    for attempt in range(9):  # a fast machine ends a run before many kills
        out = tmp_path / f"out-{attempt}"
        while (found := killed_at_random(out, rng)) is not None:
            kills += 1
            torn |= {name.partition("-")[0] for name in found}
        assert_same(out, whole)
        if kills >= 12 and {"out", "survivor"} <= torn:  # files of the cache and of a lineage
            break
    assert kills >= 12
    assert {"out", "survivor"} <= torn


def killed_at_random(out, rng):
    """Runs in `out` and kills that; grandparents of what it left half written, or None if it
    ended."""
    kind = rng.choice(("at some moment", "while written", "once written"))
    count, share = rng.randint(2, 5), rng.random()  # every run's first write only tests the disk

    def victim():
        if kind == "while written":

            def tear(handle):
                os.ftruncate(handle, int(share * os.fstat(handle).st_size))
                die()

            on_write(count, tear, after=False)
        elif kind == "once written":
            on_write(count, lambda path: die(), after=True)
        run(out)

    child = forked(victim)
    if kind == "at some moment":
        time.sleep(0.3 * share)
        os.kill(child, signal.SIGKILL)
    status = ended(child)
    if status == 0:
        return None
    assert status == -signal.SIGKILL
    for mark in out.rglob(AT_WORK):  # what it was at would be done in another process
        mark.unlink()
    return {path.parent.parent.name for path in out.rglob(".writing-*")}


def test_two_runs_at_once_in_one_folder(whole, tmp_path):
    children = [forked(lambda: run(tmp_path)) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    assert_same(tmp_path, whole)


def test_a_lineage_is_not_computed_by_two_at_once(tiny_suite, tmp_path):
    class Slow(Mitigation):
        def curate(self, crawl, round):
            with (tmp_path / "begun").open("a") as file:
                file.write(f"{round.generation} ")
            time.sleep(0.2)
            return TrainingSet(crawl)

    def work():
        benchmark.run(Slow, tasks="digits-replace", workers=1, out=tmp_path / "out")

    children = [forked(work) for _ in range(2)]
    assert [ended(child) for child in children] == [0, 0]
    assert (tmp_path / "begun").read_text() == "1 2 "


def test_who_waits_for_another_process_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("benchmark.basics.files.PATIENCE", 0.1)
    held = threading.Event()

    def other() -> None:
        with FileLock(str(tmp_path / ".lock")):
            held.set()
            time.sleep(1.0)

    threading.Thread(target=other).start()
    held.wait()
    with alone_in(tmp_path):
        pass
    assert capsys.readouterr().err == (f"Waiting for another process, which writes to {tmp_path}\n")


def full(handle: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(whole, tmp_path):
    rng, said = random.Random(1), []
    while True:
        with pytest.MonkeyPatch.context() as patch:
            on_write(rng.randint(1, 9), full, after=False, patch=patch.setattr)
            try:
                run(tmp_path)
            except InputError as error:
                said.append(str(error))
                assert not list(tmp_path.rglob(".writing-*"))
            else:
                break
    assert len(said) >= 6
    for sentence in said:
        for line in sentence.splitlines():  # one a lineage that was at work
            assert "cannot write" in line
            assert "No space left on device; choose another --out folder" in line
    assert_same(tmp_path, whole)


def test_files_that_the_system_refuses_to_hold_are_one_sentence(
    tiny_suite, tmp_path, monkeypatch, capsys
):
    """With the kernel's own limit: what is larger than it stops in the middle of the write."""
    words = ("run", "nothing", "--tasks", "digits-replace", "--workers", 1, "--out", tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for kilobytes in (0, 2, 20):  # a lineage's largest file has 30
            resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
            assert cli(monkeypatch, *words) == 1
            said = capsys.readouterr().err
            assert "File too large" in said
            assert len(said.strip().splitlines()) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert cli(monkeypatch, *words) == 0


def files(out: Path) -> dict[str, Path]:
    """One file of each kind that a run reads again, by kind."""
    kinds = {path.name.rsplit("-", 1)[0]: path for path in out.glob("cache/*.safetensors")}
    kinds = {f"cache {kind}": path for kind, path in kinds.items()}
    lineage = sorted((out / "quick/lineages/survivor").iterdir())[0]
    for path in sorted(lineage.iterdir()):
        kinds.setdefault(f"lineage {path.name[:3]}", path)
    return {kind: path for kind, path in kinds.items() if path.suffix in (".json", ".safetensors")}


def test_damage_at_any_place_is_refused_by_name_or_harmless(whole, tmp_path):
    kinds, rng = files(whole), random.Random(2)
    assert set(kinds) == {
        "cache model", "cache samples", "cache foreign-samples", "cache foreign-model",
        "lineage gen", "lineage sam", "lineage mod",
    }  # fmt: skip
    refused: dict[str, list[str]] = {kind: [] for kind in kinds}
    for kind, path in kinds.items():
        read = read_record if path.suffix == ".json" else read_tensors
        good, copy = path.read_bytes(), tmp_path / path.name
        copy.write_bytes(good)
        expected = repr(read(copy))
        header = min(len(good), 400)
        places = [rng.randrange(header) for _ in range(60)]
        places += [rng.randrange(len(good)) for _ in range(20)]
        damaged = []
        for place in places:
            flipped = bytearray(good)
            flipped[place] ^= 1 << rng.randrange(8)
            damaged.append(bytes(flipped))
        damaged += [good[:0], good[:7], good[:-1], good + b"\0", bytes(len(good))]
        damaged += [good[: rng.randrange(len(good))] for _ in range(20)]
        for blob in damaged:
            copy.write_bytes(blob)
            try:
                assert repr(read(copy)) == expected
            except CorruptFile as error:
                refused[kind].append(str(error))
    for kind, sentences in refused.items():
        name = kinds[kind].name
        assert len(sentences) > 80
        assert all(f"{tmp_path / name} cannot be used" in said for said in sentences)
        assert all(len(said.splitlines()) == 1 for said in sentences)


@pytest.mark.parametrize("kind", ["cache model", "lineage gen", "lineage sam", "lineage mod"])
def test_a_run_names_the_damaged_file_and_goes_on_without_it(kind, whole, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    path = files(out)[kind]
    # So that the file is read again: all lineages are gone, or the last generation of one.
    if kind.startswith("cache"):
        shutil.rmtree(out / "quick" / "lineages")
    else:
        folder = path.parent
        (folder / "gen-02.json").unlink()
        if path.name.startswith("model"):  # of the models only the newest is read again
            path = folder / "model-01.safetensors"
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(blob)
    named = None
    for _ in range(2):
        try:
            run(out)
        except CorruptFile as error:
            named = str(error)
            unusable = Path(named.split(": delete ")[1].split(" and run")[0])
            shutil.rmtree(unusable) if unusable.is_dir() else unusable.unlink()
    assert str(path) in named
    assert_same(out, whole)


def test_a_folder_that_vanishes_during_the_run_is_one_sentence(
    tiny_suite, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out"
    (tmp_path / "vanishes.py").write_text(
        "import shutil\n"
        "from benchmark import Mitigation, TrainingSet\n"
        "class Vanishes(Mitigation):\n"
        "    def curate(self, crawl, round):\n"
        f"        shutil.rmtree({str(out)!r})\n"
        "        return TrainingSet(crawl)\n"
    )
    words = ("run", tmp_path / "vanishes.py", "--workers", 1, "--out", out)
    assert cli(monkeypatch, *words, "--tasks", "*-replace") == 1
    said = capsys.readouterr().err
    for line in said.strip().splitlines():  # one a lineage
        assert "was deleted during the run: run the same command again" in line
