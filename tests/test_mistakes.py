"""Honest mistakes, in process: the method's lineage fails in a sentence, and nothing else does."""

import gc
import hashlib
import io
import locale
import logging
import multiprocessing
import os
import re
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark import Access, Mitigation, TrainingSet
from benchmark.basics.arithmetic import COMPUTING
from benchmark.basics.cache import FolderCache
from benchmark.basics.containment import contain, one_line
from benchmark.basics.errors import DoesNotLoad, MethodError
from benchmark.basics.surroundings import SETTINGS, kept_random, read_settings
from benchmark.interface.find import find_method
from benchmark.lineage.loop import open_world, run_lineage
from benchmark.lineage.store import LineageFolder, LineageMemory
from benchmark.results.schema import GenerationResult, LineageResult, load_result
from benchmark.runs import worker
from benchmark.runs.backends import local
from benchmark.runs.grid import execute
from benchmark.runs.jobs import Job, Outcome, plan
from tests import mistakes, tiny
from tests.system import needs_bubblewrap
from tests.test_loop import content
from tests.test_run import cli

TASKS = tiny.by_name(tiny.TINY)
IMAGES, TEXT = "digits-replace", "speeches-replace"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One that all lineages here share; what the harness imports late is imported."""
    kept = FolderCache(tmp_path_factory.mktemp("mistakes"))
    for task in (IMAGES, TEXT):
        run_lineage(TASKS[task], Mitigation, 0, LineageMemory(), kept)
    return kept


@pytest.fixture
def run(tmp_path, cache):
    """A function that runs a lineage in a folder of its own and gives its records, without times.

    Whatever the method does, the shared state and what other lineages read stay as they were.
    """

    def lineage(
        method: str | type[Mitigation], task: str = IMAGES, folder: str = ""
    ) -> list[dict[str, Any]]:
        cls = getattr(mistakes, method) if isinstance(method, str) else method
        store = LineageFolder(tmp_path / (folder or cls.__name__))
        before, files = read_settings(SETTINGS), dict(_files(cache.folder))
        drawn = torch.get_rng_state()
        records = run_lineage(TASKS[task], cls, 0, store, cache)
        assert read_settings(SETTINGS) == before
        assert torch.equal(torch.get_rng_state(), drawn)
        assert files.items() <= dict(_files(cache.folder)).items()
        return [timeless(record) for record in records]

    return lineage


def _files(folder: Path) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes()) for path in folder.glob("*.safetensors")]


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in ("seconds", "training")}


# --- shared state --------------------------------------------------------------------------------

ENTERED: list[Any] = []


def enter(context: Any) -> None:
    """Enter a context that is never left."""
    ENTERED.append(context)
    context.__enter__()


B: Any = torch.backends
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)
CHANGES: dict[str, Callable[[], object]] = {
    "warnings filters": lambda: warnings.simplefilter("error"),
    "trace function": lambda: sys.settrace(lambda *a: None),
    "profile function": lambda: sys.setprofile(lambda *a: None),
    "default device": lambda: torch.set_default_device("meta"),
    "torch modes": lambda: (enter(torch.device("meta")), enter(TorchDispatchMode())),
    "inference mode": lambda: enter(torch.inference_mode()),
    "grad mode": lambda: torch.set_grad_enabled(False),
    "default dtype": lambda: torch.set_default_dtype(torch.float64),
    "autocast": lambda: enter(torch.autocast("cpu", torch.bfloat16)),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "deterministic algorithms": lambda: torch.use_deterministic_algorithms(True),
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "threads of the backward pass": lambda: torch.autograd.set_multithreading_enabled(False),
    "warn always": lambda: torch.set_warn_always(True),
    "denormal numbers": lambda: torch.set_flush_denormal(True),
    "global hooks of modules": lambda: torch.nn.modules.module.register_module_forward_hook(print),
    "attention kernels": lambda: B.cuda.enable_flash_sdp(False),
    "attention's fast path": lambda: B.mha.set_fastpath_enabled(False),
    "float32 matmul precision": lambda: torch.set_float32_matmul_precision("medium"),
    "numpy errors": lambda: np.seterr(all="raise"),
    "numpy error handler": lambda: np.seterrcall(print),
    "numpy's global generator": lambda: np.random.set_bit_generator(np.random.PCG64(0)),
    "working folder": lambda: os.chdir(tempfile.gettempdir()),
    "environment": lambda: os.environ.update(TZ="Asia/Tokyo", HOME="/nowhere"),
    "signal handlers": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "blocked signals": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}),
    "timers": lambda: signal.alarm(1000),
    "saved tensors' hooks": lambda: enter(torch.autograd.graph.save_on_cpu()),
    "resource limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES[0] - 1, FILES[1])),
    "socket timeout": lambda: socket.setdefaulttimeout(1),
    "umask": lambda: os.umask(0o077),
    "locale": lambda: locale.setlocale(
        locale.LC_ALL, "C" if locale.setlocale(locale.LC_ALL) == "C.UTF-8" else "C.UTF-8"
    ),
    "standard streams": lambda: setattr(sys, "stdout", io.StringIO()),
    "tempfile.tempdir": lambda: setattr(tempfile, "tempdir", "/nowhere"),
    "sys.path": lambda: sys.path.insert(0, "/nowhere"),
    "sys.argv": lambda: sys.argv.append("--alpha"),
    "switch interval": lambda: sys.setswitchinterval(1.0),
    "digits of integers": lambda: sys.set_int_max_str_digits(0),
    "logging": lambda: logging.disable(logging.CRITICAL),
    "log handlers": lambda: logging.root.addHandler(logging.NullHandler()),
    "garbage collection": gc.disable,
    "garbage collection's pace": lambda: gc.set_threshold(1, 1, 1),
    "start method": lambda: multiprocessing.set_start_method("forkserver", force=True),
    "processors": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
}


def _other(name: str, was: Any) -> Any:
    """Another value of a switch."""
    if callable(was):
        return print
    if isinstance(was, bool):
        return not was
    choices = {
        "strategy": ("greedy", "auto"),
        "engine": [each for each in B.quantized.supported_engines if each != "none"],
    }
    return next(v for v in choices.get(name.split(".")[-1], ("ieee", "tf32")) if v != was)


def in_part(names):
    """Every third of them in `make test`, all in `make test-all`."""
    slow = pytest.mark.slow
    return [pytest.param(n, marks=slow) if i % 3 else n for i, n in enumerate(sorted(names))]


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_each_part_of_the_shared_state_is_put_back(name):
    position = [setting.name for setting in SETTINGS].index(name)
    before, seen, setting = read_settings(SETTINGS), [], SETTINGS[position]

    def change() -> None:
        CHANGES.get(name, lambda: setting.write(_other(name, setting.read())))()
        seen.append(setting.read())

    contain(change, "a hook")()
    if name != "processors" or len(before[position]) > 1:
        assert seen[0] != before[position]
    assert read_settings(SETTINGS) == before


def test_a_recursion_limit_that_leaves_no_room_is_put_back():
    def change() -> None:
        for limit in range(1, 10**6):
            with suppress(RecursionError):
                sys.setrecursionlimit(limit)
                return

    before = sys.getrecursionlimit()
    contain(change, "a hook")()
    assert sys.getrecursionlimit() == before


def test_what_else_was_changed_is_put_back_where_a_torch_mode_was_left_that_raises():
    class Raises(TorchFunctionMode):
        def __torch_function__(self, function, types, arguments=(), keywords=None):
            raise KeyError("not that")

    def change() -> None:
        torch.set_default_device("meta")
        enter(Raises())
        os.environ["LEFT"] = "1"

    before = read_settings(SETTINGS)
    contain(change, "a hook")()
    assert read_settings(SETTINGS) == before
    assert torch.zeros(1).device.type == "cpu"


@pytest.mark.parametrize("settings_", [SETTINGS, COMPUTING])
def test_that_nobody_takes_what_a_hook_prints_is_not_its_fault(settings_, monkeypatch):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    gone = Gone()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, gone)
    contain(lambda: print("here", flush=True), "a hook", settings_)()
    contain(lambda: print("here", file=sys.stderr, flush=True), "a hook", settings_)()
    assert sys.stdout is sys.stderr is gone


def test_a_stream_that_a_hook_closed_can_be_written_to_again(monkeypatch):
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stdout", open(os.dup(write), "w"))  # noqa: SIM115
    contain(lambda: sys.stdout.close(), "a hook")()
    assert not sys.stdout.closed
    os.close(read), os.close(write)


# --- the catalogue -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", in_part(mistakes.FAILS))
def test_a_failure_is_one_sentence_that_names_the_hook(name, run, tmp_path):
    records = run(name)
    last = records[-1]
    assert [r["status"] for r in records[:-1]] == ["ok"] * (len(records) - 1)
    assert last["status"] == ("diverged" if name in ("LossInfinite", "ModelNan") else "failed")
    assert re.match(f"{name}{mistakes.FAILS[name]}", last["message"]), last["message"]
    assert last["message"].isprintable()
    assert len(last["message"]) < 800
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / name).iterdir()}
    assert run(name) == records  # read, not run again
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / name).iterdir()} == before


class EndOfTest(Exception):
    pass


class Stops(LineageFolder):
    """As if the process was killed before generation 2 was kept."""

    def save(self, t, record, written, state):
        if t == 2:
            raise EndOfTest
        super().save(t, record, written, state)


@pytest.mark.parametrize("name", in_part(mistakes.GOES_ON))
def test_what_has_a_plain_meaning_goes_on_and_resumes_the_same(name, run, tmp_path, cache):
    """Stopped after generation 1 and gone on with, the lineage ends with the same files."""
    records = run(name, folder="whole")
    assert [(r["status"], r.get("message")) for r in records] == [("ok", None)] * 3
    with pytest.raises(EndOfTest):
        run_lineage(TASKS[IMAGES], getattr(mistakes, name), 0, Stops(tmp_path / "resumed"), cache)
    assert run(name, folder="resumed") == records
    assert content(tmp_path / "resumed") == content(tmp_path / "whole")


@pytest.mark.parametrize("name", in_part(mistakes.SAME))
def test_what_changes_nothing_is_the_same_as_no_mitigation(name, run):
    assert run(name) == run(Mitigation)


@pytest.mark.parametrize("task", [IMAGES, TEXT])
@pytest.mark.parametrize("name", in_part(mistakes.PAIRS))
def test_a_lineage_is_that_of_the_method_without_the_mistake(name, task, run):
    assert run(name, task) == run(mistakes.PAIRS[name], task)


@pytest.mark.parametrize(
    "name", ["WeightsIntegers", "LossDoubled", "ModelPruned", "ExitsInBackward", "ReducesInMark"]
)
def test_text_is_no_different(name, run):
    last = run(name, TEXT)[-1]
    assert (last["status"] == "ok") == (name in mistakes.GOES_ON)
    assert re.match(f"{name}{mistakes.FAILS[name]}" if name in mistakes.FAILS else "",
                    last.get("message", ""))  # fmt: skip


def test_equal_weights_of_any_kind_train_the_same_model(run):
    names = [name for name in mistakes.GOES_ON if name.startswith("Weights")]
    profiles = [[r["profile"] for r in run(name)] for name in names]
    assert all(profile == profiles[0] for profile in profiles)


def test_what_comes_after_a_mistake_is_as_if_it_never_was(tmp_path):
    """Generation 0, which methods share, is made by the one that makes mistakes."""
    kept = []
    for before in ((mistakes.Poisons, mistakes.Disturbs, mistakes.Spoils), ()):
        cache = FolderCache(tmp_path / str(len(before)) / "cache")
        for method in (*before, Mitigation):
            store = LineageFolder(cache.folder.parent / method.__name__)
            run_lineage(TASKS[IMAGES], method, 0, store, cache)
        kept.append(content(store.folder))
    assert kept[0] == kept[1]


class FillsReserve(Mitigation):
    access = frozenset({Access.RESERVE})

    def curate(self, crawl, round):
        for column in round.reserve.columns.values():
            column.fill_(7)
        return TrainingSet(crawl)


def test_nobody_is_handed_a_reserve_that_another_method_changed(tmp_path, cache):
    """The world is kept for the methods that follow."""
    before = open_world(TASKS[IMAGES], 0)(1).trusted.digest()
    store = LineageFolder(tmp_path / "fills")
    (*_, last) = run_lineage(TASKS[IMAGES], FillsReserve, 0, store, cache)
    assert "changed the items it was handed in place" in last["message"]
    assert open_world(TASKS[IMAGES], 0)(1).trusted.digest() == before


def test_the_adopters_question_fails_its_lineage_only_and_overwrites_nothing(tmp_path, cache):
    class Marks(mistakes.SpoilsLess):
        access = mistakes.MARKS
        asked: ClassVar[list[int]] = []
        fails_at = 99  # which question

        def sampling(self, round):
            self.asked.append(round.generation)
            if len(self.asked) == self.fails_at:
                sys.exit(0)
            return super().sampling(round)

        def curate(self, crawl, round):
            return TrainingSet(crawl)

    def run() -> list[dict[str, Any]]:
        Marks.asked.clear()
        return run_lineage(task, Marks, 0, LineageFolder(tmp_path / "marks"), cache)

    task = replace(TASKS["digits-web"], adoption=0.5)
    Marks.fails_at = 2
    last = run()[-1]
    assert Marks.asked == [0, 0]
    assert (last["generation"], last["status"]) == (1, "failed")
    assert last["message"] == "Marks.sampling at generation 0 raised SystemExit: 0"
    # A lineage that is finished but for the last generation: it is asked once more, and fails.
    shutil.rmtree(tmp_path / "marks")
    Marks.fails_at = 99
    assert [r["status"] for r in run()] == ["ok"] * 3
    (tmp_path / "marks" / "gen-02.json").unlink()
    kept = content(tmp_path / "marks")
    Marks.fails_at = 1
    with pytest.raises(MethodError, match=r"^Marks\.sampling at generation 0 raised SystemExit"):
        run()
    assert content(tmp_path / "marks") == kept


def test_the_rules_name_files_that_exist():
    text = Path(__file__).parents[1].joinpath("docs", "rules.md").read_text()
    named = set(re.findall(r"`((?:benchmark|tests)/[\w/.]+)`", text))
    assert len(named) > 20
    assert not [name for name in named if not Path(__file__).parents[1].joinpath(name).exists()]


# --- Ctrl-C and messages -------------------------------------------------------------------------


@pytest.fixture
def interruptible():
    """A process that a shell began in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_a_run_whatever_the_hook_makes_of_it(run):
    class Slow(Mitigation):
        def curate(self, crawl, round):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

    class Swallows(Mitigation):
        def curate(self, crawl, round):
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            except BaseException:
                pass
            return TrainingSet(crawl)

    class Turns(Mitigation):
        def loss(self, per_element, outputs):
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)
            except KeyboardInterrupt as stop:
                raise ValueError("mine") from stop

    for method in (Slow, Swallows, Turns):
        with pytest.raises(KeyboardInterrupt):
            run(method)


def test_the_harness_s_own_bug_in_a_training_is_not_the_method_s(run, monkeypatch):
    def broken(*args: Any) -> float:
        raise ZeroDivisionError("mine")

    monkeypatch.setattr("benchmark.tasks.training.fit.pace", broken)
    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        run("DisturbsLess")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=3000))
def test_any_message_is_one_printable_line(text):
    said = one_line(text)
    assert len(said) <= 500
    assert said.isprintable()
    assert one_line(said) == said

    def fails() -> None:
        raise ValueError(text)

    with pytest.raises(MethodError, match=r"^a hook raised ValueError: ") as raised:
        contain(fails, "a hook")()
    assert str(raised.value).isprintable()


# --- files, processes and exit status ------------------------------------------------------------

BAD = {
    "argparse": "import argparse\nargparse.ArgumentParser().parse_args(['--alpha'])\n",
    "leaves": "import os\nos._exit(0)\n",
    "interrupts": "raise KeyboardInterrupt\n",
    "unsayable": "class E(Exception):\n    def __str__(self): raise E\nraise E\n",
}
GOOD = "from benchmark import Mitigation\nclass Good(Mitigation):\n    pass\n"


@pytest.fixture
def command(tiny_suite, tmp_path, monkeypatch, capsys):
    """Runs files of these contents; gives the exit status and the last lines of stderr."""

    monkeypatch.setattr("benchmark.commands.run.run_table", lambda results: "")

    def run_files(workers: int = 1, **files: str) -> tuple[int, list[str]]:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        paths = [tmp_path / f"{name}.py" for name in files]
        words = ("--tasks", IMAGES, "--workers", workers, "--out", tmp_path / "runs")
        status = cli(monkeypatch, "run", *paths, *words)
        return status, capsys.readouterr().err.strip().splitlines()

    return run_files


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_fails_at_import_costs_no_other_method(name, command, tmp_path):
    status, said = command(bad=BAD[name], **({"good": GOOD} if name == "argparse" else {}))
    assert status == 1
    assert re.match(rf"autophagy: {tmp_path}/bad\.py, line \d+, does not import: \w+: ", said[-1])
    if name == "argparse":
        assert load_result(tmp_path / "runs" / "quick" / "good.json").failures == []


LAZY = """
from benchmark import Mitigation

class Settings:
    @property
    def __class__(self):
        raise RuntimeError("not configured")

class Fine(Mitigation):
    pass

settings = Settings()
"""
HOSTILE = """
from benchmark import Mitigation

class Meta(type):
    @property
    def __module__(cls):
        raise KeyError("not here")

class Bad(Mitigation, metaclass=Meta):
    pass
"""


def test_what_stands_for_an_object_does_not_keep_a_file_from_loading(tmp_path):
    (tmp_path / "lazy.py").write_text(LAZY)
    assert find_method(str(tmp_path / "lazy.py")).load().__name__ == "Fine"
    (tmp_path / "hostile.py").write_text(HOSTILE)
    with pytest.raises(DoesNotLoad, match=r"hostile\.py: a name in it raised KeyError"):
        find_method(str(tmp_path / "hostile.py"))


@pytest.mark.parametrize("name", ["images", "txt", "pairs"])
def test_a_misspelt_modality_is_not_a_method_for_nothing(name):
    class Misspelt(Mitigation):
        modalities = frozenset({name})

    with pytest.raises(DoesNotLoad, match=f"has the modality '{name}'.*did you mean"):
        find_method(Misspelt)


def test_a_file_that_only_the_worker_cannot_import_is_its_lineages_failure(tiny_suite, tmp_path):
    mark, file = tmp_path / "mark", tmp_path / "once.py"
    file.write_text(
        f"import pathlib, sys\nmark = pathlib.Path({str(mark)!r})\n"
        "if mark.exists(): sys.exit(2)\nmark.touch()\n" + GOOD
    )
    found = find_method(file)
    sys.modules.pop(found.load().__module__)
    with kept_random():
        (job,) = plan([found], "quick", [TASKS[IMAGES]], [0], tmp_path)
        tmp_path.joinpath("cache").mkdir()
        outcome = worker.work(job)
    assert outcome.lineage.status == "failed"
    assert "once.py, line 3, does not import: SystemExit: 2" in outcome.lineage.message
    assert worker.read(job).lineage == outcome.lineage


EDITS = {
    "edited": lambda file: file.write_text(GOOD + "# edited"),
    "removed": Path.unlink,
    "half written": lambda file: file.write_text("class Good(Mitig"),
}


@pytest.mark.parametrize(
    ("edit", "isolated"),
    [*((edit, False) for edit in EDITS), pytest.param("edited", True, marks=needs_bubblewrap)],
)
def test_a_file_that_changes_during_the_run_is_neither_run_nor_its_lineages_failure(
    edit, isolated, tmp_path, monkeypatch
):
    """Else its numbers, or failures that stay, would be filed under the source that was found."""
    file = tmp_path / "mine.py"
    file.write_text(GOOD)
    monkeypatch.setattr("benchmark.interface.find.find_registry", lambda: tmp_path)
    (job,) = plan([find_method(file)], "quick", [TASKS[IMAGES]], [0], tmp_path)
    job = replace(job, method=replace(job.method, isolated=isolated))
    tmp_path.joinpath("cache").mkdir()
    EDITS[edit](file)
    outcome = worker.work(job)
    assert f"{file} changed since the run began (or is not there): restore it" in str(outcome.error)
    assert worker.read(job) == Outcome(job, None)
    file.write_text(GOOD)
    assert job.method.load().__name__ == "Good"


def test_a_file_that_is_edited_while_it_is_found_is_one_method(tmp_path, monkeypatch):
    file, read = tmp_path / "mine.py", Path.read_bytes
    file.write_text(GOOD)

    def edited(path):
        content = read(path)
        if path == file:
            file.write_text(GOOD.replace("pass", "'Another.'"))
        return content

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", edited)
        found = find_method(file)
    assert found.summary != "Another."
    assert found.source == hashlib.sha256(GOOD.encode()).hexdigest()
    assert find_method(file).summary == "Another."


def dying(job: Job) -> Outcome:
    """The work of a process that dies as the method's name says."""
    if job.method.name == "ends":
        os._exit(3)
    if job.method.name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.5)  # until the others have died
    done = [GenerationResult(generation=0, status="failed", message="as asked")]
    return Outcome(job, LineageResult(seed=job.seed, generations=done))


@pytest.mark.pool
@pytest.mark.slow
def test_a_process_that_dies_costs_its_own_lineage_only(tmp_path):
    found = find_method("nothing")
    methods = [replace(found, name=name) for name in ("ends", "good", "killed", "better")]
    jobs = plan(methods, "quick", [TASKS[IMAGES]], [0], tmp_path)
    ends, good, killed, better = execute(jobs, partial(local, workers=2), dying)
    assert good.lineage is not None
    assert better.lineage is not None
    assert ends.lineage.message == "ends at generation 0 ended its process: EXIT(3)"
    assert worker.read(jobs[0]).lineage == ends.lineage
    assert "killed on digits-replace, seed 0: its worker process was killed twice" in str(
        killed.error
    )
    assert worker.read(jobs[2]) == Outcome(jobs[2], None)


def test_a_failing_method_has_a_result_and_the_exit_status_says_so_again(command, tmp_path):
    exits = (
        "import os\nfrom benchmark import Mitigation\nclass Exits(Mitigation):\n"
        "    def curate(self, crawl, round):\n        os._exit(0)\n"
    )
    said = f"exits on {IMAGES}, seed 0: Exits.curate at generation 1 raised SystemExit: os._exit(0)"
    assert command(exits=exits) == (1, [f"autophagy: {said}"])
    assert load_result(tmp_path / "runs" / "quick" / "exits.json").failures == [said]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("gen-*.json")}
    assert command(exits=exits)[0] == 1
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("gen-*.json")} == before


def test_a_class_without_words_has_no_summary_of_another(tmp_path):
    file = tmp_path / "wordless.py"
    file.write_text("from benchmark import Mitigation\nclass Wordless(Mitigation): pass\n")
    assert find_method(file).summary == ""
