"""What commands print and write on narrow terminals, in any locale, in odd folders."""

from __future__ import annotations

import ast
import errno
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from benchmark.basics.errors import Unprinted
from benchmark.basics.files import read_tensors, write_record, write_tensors
from benchmark.commands.progress import Watcher
from benchmark.commands.run_table import run_table
from benchmark.commands.score import cost_table, score_table, task_table
from benchmark.commands.submit import parts_table
from benchmark.commands.terminal import (
    Printed,
    Terminal,
    prepare_output,
    stack_table,
)
from benchmark.hub.parts import Part
from benchmark.interface.find import find_method
from benchmark.results.references import find_frozen, read_with_references
from benchmark.results.rows import make_score_rows
from benchmark.results.schema import load_result
from benchmark.results.standings import rank_results
from benchmark.runs.jobs import plan
from benchmark.tasks.suites import load_suite
from tests.test_run import cli
from tests.test_score_command import clean, half, nothing
from tests.tiny import TOY_TASKS

REPOSITORY = Path(__file__).parents[1]
QUICK = REPOSITORY / "leaderboard" / "results" / "quick"
RESULTS = [QUICK / f"{name}.json" for name in ("anchor", "neon", "token_editing")]
EIGHT_BIT = {
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    "latin-1": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def autophagy(*words: object, cwd: Path | None = None, **environment: str | None):
    """The command in a process of its own, its output as bytes."""
    changed = os.environ | environment
    return subprocess.run(
        [sys.executable, "-m", "benchmark.commands.main", *map(os.fsencode, map(str, words))],
        cwd=cwd,
        env={k: v for k, v in changed.items() if v is not None} | {"PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def tables() -> dict[str, object]:
    """The tables that hold numbers, made of stored results."""
    rows = make_score_rows(rank_results(read_with_references(RESULTS)))
    hashes = {task.name: task.hash for task in load_suite("quick").tasks}
    results = {"anchor": load_result(RESULTS[0])} | find_frozen("quick", hashes, (0,))
    parts = [Part(f"samples/quick/anchor/{'long' * 12}.safetensors", b"1" * 12_345_678)]
    return {
        "score": score_table(rows, "quick", [0]),
        "tasks": task_table(rows),
        "costs": cost_table(rows),
        "run": run_table(results),
        "parts": parts_table(parts, "someone/results"),
    }


def printed(shown: object, width: int, terminal: bool, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    Terminal(file=stream, width=width, force_terminal=terminal, color_system=None).print(shown)
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


# --- narrow terminals ------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120])
@pytest.mark.parametrize("name", ["score", "tasks", "costs", "run", "parts"])
def test_no_number_of_a_table_is_cut_at_any_width(name, width):
    sheet = tables()[name]
    cells = [str(cell) for column in sheet.columns for cell in column.cells]
    numbers = {word for cell in cells for word in cell.split() if re.fullmatch(r"[-\d.,]+", word)}
    assert len(numbers) > 1
    said = printed(sheet, width, terminal=True)
    assert numbers <= set(said.replace("|", " ").split())
    assert "\N{HORIZONTAL ELLIPSIS}" not in said
    assert max(map(len, said.splitlines())) <= width


def test_a_table_that_does_not_fit_is_shown_row_by_row():
    said = printed(tables()["run"], 40, terminal=True)
    assert "\ndigits-web\n" in said.replace(" \n", "\n")
    assert re.search(r"task / method +nothing *\nfinal +\d\.\d{3} *\nrecovery +0\.00 *\n", said)


def test_a_table_that_fits_stays_a_table():
    assert "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * 30 in printed(tables()["run"], 60, terminal=True)


def test_a_pipe_has_no_width_so_that_a_row_stays_a_line(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    said = printed(tables()["costs"], 30, terminal=False)
    assert re.search(r"anchor( +[\d,]+){5}", said)


def test_a_pipe_that_was_given_a_width_keeps_to_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    said = printed(tables()["costs"], 30, terminal=False)
    assert max(map(len, said.splitlines())) <= 30


def test_broken_headings_are_whole_again_row_by_row():
    headings = printed(stack_table(tables()["tasks"]), 80, terminal=True)
    assert "speeches-web" in headings
    assert "items trained" in printed(stack_table(tables()["costs"]), 80, terminal=True)


# --- encodings -------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", list(EIGHT_BIT))
@pytest.mark.parametrize("columns", ["40", "80"])
def test_scores_are_printed_in_every_locale(locale, columns):
    done = autophagy("score", *RESULTS, COLUMNS=columns, **EIGHT_BIT[locale])
    assert (done.returncode, done.stderr) == (0, b"")
    done.stdout.decode("latin-1" if locale == "latin-1" else "ascii")
    assert {b"anchor", b"285,568"} <= set(done.stdout.replace(b"|", b" ").split())


WORDS = {
    "list": ("list",),
    "report": ("report", "half.json", "nothing.json", "clean.json", "--out", "page"),
    "new": ("new", "mine"),
}


@pytest.fixture
def folder(tmp_path):
    """Where `WORDS` work: with results of one task, of whose numbers few figures are drawn."""
    few = {"tasks": ("speeches-web",)}
    for result in (half(**few), nothing(**few), clean(**few)):
        result.hardware = "Jos\N{LATIN SMALL LETTER E WITH ACUTE}'s"
        (tmp_path / f"{result.method.name}.json").write_bytes(result.to_json())
    return tmp_path


@pytest.mark.parametrize("locale", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["list", pytest.param("report", marks=pytest.mark.slow), "new"])
def test_commands_that_write_work_in_every_locale(folder, locale, command):
    done = autophagy(*WORDS[command], cwd=folder, **EIGHT_BIT[locale])
    says = b"Drawing the figures and writing the page\n" if command == "report" else b""
    assert (done.returncode, done.stderr) == (0, says)
    if command == "report":
        page = (folder / "page" / "report.html").read_text("utf-8")
        assert "Jos\N{LATIN SMALL LETTER E WITH ACUTE}" in page


@pytest.mark.parametrize(
    ("encoding", "written"),
    [("ascii", b"0.1 +/- 0.2 Jose ?"), ("latin-1", b"0.1 \xb1 0.2 Jos\xe9 ?")],
)
def test_what_an_encoding_has_not_is_written_plainly(monkeypatch, encoding, written):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    prepare_output()
    print("0.1 \N{PLUS-MINUS SIGN} 0.2 Jos\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}")
    assert stream.buffer.getvalue() == written + b"\n"


def test_every_text_file_is_read_and_written_as_utf_8():
    """Whatever the locale: a call that does not say so depends on it."""
    silent = []
    for package in ("baselines", "benchmark", "leaderboard"):
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and not _says_how(node):
                    silent.append(f"{file.name}:{node.lineno}")
    assert silent == []


def _says_how(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    on = getattr(getattr(call.func, "value", None), "id", "")
    constants = {a.value for a in call.args if isinstance(a, ast.Constant)}
    named = "utf-8" in constants or any(word.arg == "encoding" for word in call.keywords)
    if name in ("read_text", "write_text"):
        return named
    if name != "open" or on in ("os", "Image"):
        return True
    return named or any(isinstance(c, str) and "b" in c for c in constants)


# --- odd folders and machines ----------------------------------------------------------------

ODD = os.fsdecode(b"caf\xe9 \xff")  # no UTF-8


def test_a_run_in_a_folder_that_is_not_utf_8_is_kept_and_shown(
    tiny_suite, tmp_path, monkeypatch, capfdbinary
):
    folder = tmp_path / ODD
    folder.mkdir()
    file = folder / "mine.py"
    file.write_text(
        "from benchmark import Mitigation\n\n\nclass Mine(Mitigation):\n    pass\n", "utf-8"
    )
    words = ("run", file, "--tasks", "digits-replace", "--workers", 1, "--out", folder / "runs")
    assert cli(monkeypatch, *words) == 0
    for more in (
        ("samples", file, "--out", folder / "runs", "--to", folder / "samples.png"),
        ("cache", "show", "--out", folder / "runs"),
        ("report", folder / "runs" / "quick" / "mine.json", "--out", folder / "report"),
    ):
        assert cli(monkeypatch, *more) == 0
    said = capfdbinary.readouterr()
    assert os.fsencode(folder / "runs" / "quick" / "mine.json") in said.out
    assert b"Traceback" not in said.err
    assert (folder / "samples.png").exists()


def test_tensors_are_read_again_from_a_folder_that_is_not_utf_8(tmp_path):
    kept = {"weights": torch.arange(3)}
    write_tensors(tmp_path / ODD / "model.safetensors", kept)
    assert torch.equal(
        read_tensors(tmp_path / ODD / "model.safetensors")["weights"], torch.arange(3)
    )


@pytest.mark.parametrize("home", [None, "/proc/nowhere"], ids=("none", "read-only"))
@pytest.mark.parametrize("command", list(WORDS))
def test_commands_need_no_home(folder, home, command):
    done = autophagy(*WORDS[command], cwd=folder, HOME=home)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


def test_a_user_that_has_no_home_is_given_one_for_a_while(monkeypatch):
    from benchmark.basics import machine

    kept: list[tuple] = []
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: (_ for _ in ()).throw(KeyError(uid)))
    monkeypatch.setattr("atexit.register", lambda do, *words, **more: kept.append((do, words)))
    machine.ensure_home()
    home = Path.home()
    assert home.is_dir()
    for do, words in kept:
        do(*words)
    assert not home.exists()


@pytest.mark.parametrize("words", [("list",), ("score", *RESULTS), ("score", "--json", *RESULTS)])
def test_output_that_cannot_be_written_is_one_sentence(words):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "benchmark.commands.main", *map(str, words)], cwd=REPOSITORY,
            stdout=full, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b"autophagy: cannot print the answer: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "a process that this one wrote to has ended"),
    ],
)
def test_trouble_elsewhere_is_not_taken_for_that_of_the_output(error, raised, monkeypatch):
    fail_in_list(monkeypatch, error)
    with pytest.raises((OSError, RuntimeError), match=raised):
        cli(monkeypatch, "list")


@pytest.mark.parametrize("named", [str, Path, os.fsencode])
def test_a_file_that_cannot_be_used_is_one_sentence(named, monkeypatch, capsys):
    fail_in_list(monkeypatch, PermissionError(errno.EACCES, "Permission denied", named("/a/b")))
    assert cli(monkeypatch, "list") == 1
    said = capsys.readouterr().err
    assert said.startswith("autophagy: cannot use /a/b: Permission denied; see that it is there")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tempfile.gettempdir", "set TMPDIR"),
        ("os.getcwd", "the working folder is not there any more"),
    ],
)
def test_a_machine_without_a_folder_that_libraries_need_is_told_so(
    asked, said, monkeypatch, capsys
):
    def none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(asked, none)
    assert cli(monkeypatch, "list") == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value", "arguments"),
    [
        ("TERMINAL_WIDTH", "wide", ("list", "--help")),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "1 minute", ("submit", "there.json")),
    ],
)
def test_a_number_that_the_environment_names_and_a_library_cannot_read_is_one_sentence(
    variable, value, arguments
):
    command = [sys.executable, "-m", "benchmark.commands.main", *arguments]
    done = subprocess.run(
        command, env=os.environ | {variable: value}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"autophagy: the environment variable {variable} is {value!r}, of which a library makes no "
        f"number: unset it, or set it to one\n"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("columns", ["0", "1", "wide", "9" * 5000])
def test_what_is_no_width_is_none(columns, monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert cli(monkeypatch, "list") == 0
    said = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", columns)
    assert cli(monkeypatch, "list") == 0
    assert capsys.readouterr().out == said


def test_a_log_holds_lines_where_colours_are_forced(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    written = io.StringIO()
    method, tasks = find_method("anchor"), load_suite("quick").tasks
    with Watcher(plan([method], "quick", tasks, [0], tmp_path), Terminal(file=written, width=80)):
        pass
    assert "Computing 12 of 12 generations in 3 lineages of anchor" in written.getvalue()
    assert "\033[" not in written.getvalue().replace("\033[0m", "").replace("\033[1", "")


INTERRUPTED = """
import os, signal, sys
import benchmark.commands
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever began the tests
class Slow:
    def find_spec(self, name, *rest):
        if name == "benchmark.commands.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Slow())
from benchmark.commands.entry import run_command
run_command()
"""
LEFT = """
import threading, time
from benchmark.commands import entry, main
entry.PATIENCE = 0.5
def begin():
    threading.Thread(target=time.sleep, args=(600,)).start()
    raise SystemExit(3)
main.main = begin
entry.run_command()
"""


def test_ctrl_c_while_a_command_is_imported_is_no_traceback():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=REPOSITORY, capture_output=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


def test_a_thread_that_never_ends_keeps_no_command():
    done = subprocess.run(
        [sys.executable, "-c", LEFT], cwd=REPOSITORY, capture_output=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (3, b"")


def test_a_number_of_no_variable_is_a_defect_and_no_sentence(monkeypatch):
    monkeypatch.setenv("SOME_NAME", "4")
    fail_in_list(monkeypatch, ValueError("invalid literal for int() with base 10: 'four'"))
    with pytest.raises(ValueError, match="four"):
        cli(monkeypatch, "list")


def fail_in_list(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Has `autophagy list` raise it."""

    def fail(name: str) -> None:
        raise error

    monkeypatch.setattr("benchmark.commands.list.load_suite", fail)


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@pytest.mark.parametrize("reader", ["| head -n 1", ">&-", "2>&-"])
def test_a_reader_that_goes_away_is_no_error_of_ours(reader):
    command = f"{sys.executable} -m benchmark.commands.main list {reader}"
    done = subprocess.run(["sh", "-c", command], cwd=REPOSITORY, capture_output=True)
    assert done.stderr == b""


# --- progress --------------------------------------------------------------------------------


def test_a_log_says_what_is_computed_and_what_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.commands.progress.LOOK", 0.01)
    monkeypatch.setattr("benchmark.commands.progress.SAY", 0.05)
    methods = [find_method("anchor"), find_method("nothing")]
    jobs = plan(methods, "quick", [TOY_TASKS["digits-replace"]], [0], tmp_path)
    written = io.StringIO()

    def wait_for(words: str) -> None:
        for _ in range(2000):
            if words in written.getvalue():
                return
            stop.wait(0.01)
        raise AssertionError(f"{words!r} was never said: {written.getvalue()}")

    stop = threading.Event()
    with Watcher(jobs, Terminal(file=written, width=80)):
        wait_for("Computing 6 of 6 generations in 2 lineages of anchor, nothing (reference)\n")
        wait_for("Now: starting processes\n")
        write_record(jobs[0].folder / "gen-00.json", {"status": "ok"})
        wait_for("Now: anchor on digits-replace, seed 0: generation 1 of 2\n")
        write_record(jobs[0].folder / "gen-01.json", {"status": "ok"})
        write_record(jobs[0].folder / "gen-02.json", {"status": "ok"})
        wait_for("1/2 lineages: anchor on digits-replace, seed 0\n")
        write_record(jobs[1].folder / "gen-00.json", {"status": "failed"})
    assert written.getvalue().endswith("2/2 lineages: nothing on digits-replace, seed 0\n")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_reader_of_the_progress_that_goes_away_ends_neither_run_nor_thread(
    terminal, tmp_path, monkeypatch
):
    class Gone(io.StringIO):
        def write(self, text):
            raise OSError(errno.EPIPE, "Broken pipe")

    raised = []
    monkeypatch.setattr("threading.excepthook", raised.append)
    jobs = plan([find_method("anchor")], "quick", [TOY_TASKS["digits-replace"]], [0], tmp_path)
    console = Terminal(file=Printed(Gone()), width=80, force_terminal=terminal)
    with Watcher(jobs, console):
        pass
    assert raised == []
    with pytest.raises(Unprinted):
        console.print("Result: ...")


def test_a_look_at_a_long_grid_asks_for_one_file_of_each_lineage_that_is_left(
    tmp_path, monkeypatch
):
    task = TOY_TASKS["digits-replace"]
    jobs = plan([find_method("anchor")], "quick", [task], range(40), tmp_path)
    for job in jobs[:30]:
        for t in range(task.generations + 1):
            write_record(job.folder / f"gen-{t:02d}.json", {"status": "ok"})
    asked, exists = [], Path.exists
    with Watcher(jobs, Terminal(file=io.StringIO(), width=80)) as watcher:
        pass
    monkeypatch.setattr(Path, "exists", lambda path: asked.append(path) or exists(path))
    monkeypatch.setattr(Path, "glob", lambda *_: pytest.fail("a folder was read whole"))
    assert watcher._look() == []
    assert [path.parent for path in asked] == [job.folder for job in jobs[30:]]


def test_a_terminal_shows_a_bar_a_method_and_the_lineages_at_work(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.commands.progress.LOOK", 0.01)
    jobs = plan([find_method("clean")], "quick", [TOY_TASKS["digits-replace"]], [0], tmp_path)
    write_record(jobs[0].folder / "gen-00.json", {"status": "ok"})
    written = io.StringIO()
    with Watcher(jobs, Terminal(file=written, width=40, force_terminal=True, color_system=None)):
        pass
    assert "clean (reference)" in written.getvalue()
    assert "1/3" in written.getvalue()


def test_what_takes_long_to_begin_says_so(capsys):
    with Terminal().working("Loading"):
        pass
    assert capsys.readouterr().out == "Loading\n"
