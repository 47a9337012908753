"""`benchmark.run` and the command line, as a user meets them (suite "quick" at a small size)."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import benchmark
from benchmark import Access, Mitigation, TrainingSet
from benchmark.basics.errors import InputError
from benchmark.commands.main import main
from benchmark.results.schema import load_result
from benchmark.tasks.suites import load_suite
from tests import tiny
from tests.system import needs_bubblewrap

GOOD = """
from benchmark import Mitigation, TrainingSet

class Half(Mitigation):
    \"\"\"Trains on the first half.\"\"\"
    def curate(self, crawl, round):
        return TrainingSet(crawl.take(slice(0, len(crawl) // 2)))
"""


def cli(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Exit status of `autophagy WORDS` in this process."""
    monkeypatch.setattr(sys, "argv", ["autophagy", *map(str, words)])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def without_times(path: Path) -> dict:
    document = json.loads(path.read_text())
    document.pop("created")
    for task in document["tasks"].values():
        for lineage in task["lineages"]:
            for generation in lineage["generations"]:
                generation.pop("seconds")
    return document


@pytest.fixture
def method_file(tmp_path: Path) -> Path:
    path = tmp_path / "my_method.py"
    path.write_text(GOOD)
    return path


def test_run_by_name_and_file_and_again(tiny_suite, tmp_path, method_file, monkeypatch):
    out = tmp_path / "runs"
    methods = ["accumulate_subsample", method_file]
    results = benchmark.run(methods, suite="quick", tasks="*-replace", workers=1, out=out)
    assert list(results) == ["accumulate_subsample", "my_method", "nothing", "clean"]
    assert results["my_method"].method.summary == "Trains on the first half."
    for name, result in results.items():
        assert load_result(out / "quick" / f"{name}.json") == result
        assert result.failures == []
        assert list(result.tasks) == list(tiny.REPLACE)
        for task in result.tasks.values():
            assert [g.generation for g in task.lineages[0].generations] == [0, 1, 2]

    # The same again does no work: no worker is started.
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.*")}
    monkeypatch.setattr("joblib.Parallel", None)
    again = benchmark.run(methods, suite="quick", tasks="*-replace", workers=1, out=out)
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*.*")}
    assert after == before
    assert again == results


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("created", "2026-01-02T03:04:05+00:00", True),
        ("versions", {"torch": "1"}, True),
        ("benchmark_version", "0.0.9", False),  # no command of this version would take it
        ("isolated", True, False),
        ("made", "", False),  # no field of a result
    ],
)
def test_a_run_that_is_repeated_leaves_what_its_result_says_of_the_first(
    name, value, kept, finished_run, monkeypatch
):
    """The bytes of a result name it wherever it was sent or checked."""
    file = finished_run.result_of("anchor")
    earlier = json.dumps(json.loads(file.read_bytes()) | {name: value}, indent=1)
    file.write_text(earlier)
    again = benchmark.run("anchor", workers=1, out=finished_run.out, own_references=True)["anchor"]
    assert load_result(file) == again
    assert (file.read_text() == earlier) == kept


@pytest.mark.slow
def test_workers_and_processes_do_not_change_the_numbers(toy_suite, tmp_path):
    for workers in (1, 2):
        benchmark.run("nothing", tasks="*-web", workers=workers, out=tmp_path / f"{workers}")
    files = [tmp_path / f"{w}" / "quick" / "nothing.json" for w in (1, 2)]
    assert without_times(files[0]) == without_times(files[1])
    samples = [
        sorted((tmp_path / f"{w}" / "quick" / "lineages").rglob("samples-*")) for w in (1, 2)
    ]
    assert len(samples[0]) == 18  # nothing and clean, three tasks, three generations
    for one, two in zip(*samples, strict=True):
        assert one.read_bytes() == two.read_bytes()


class Given(Mitigation):
    """A class handed over from Python."""

    access = frozenset({Access.RESERVE})

    def curate(self, crawl, round):
        return TrainingSet(round.reserve)


def test_run_takes_a_class(tasks, tmp_path):
    result = benchmark.run(Given, tasks="digits-replace", workers=1, out=tmp_path)["given"]
    assert result.method.access == ["RESERVE"]
    task = tasks["digits-replace"]
    (lineage,) = result.tasks[task.name].lineages
    assert lineage.generations[1].training_set == task.reserve


def test_the_table_shows_method_and_references(suite, tmp_path, method_file, monkeypatch, capsys):
    words = ("run", method_file, "--tasks", "digits-replace", "--out", tmp_path, "--seeds", "0,3")
    words += ("--workers", 1)
    assert cli(monkeypatch, *words) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert lines["digits-replace"][1:] == []
    assert "Final: log Frechet distance of the last generation" in " ".join(out.split())
    assert lines["nothing"][2] == "0.00"
    assert lines["clean"][2] == "1.00"
    float(lines["my_method"][1])
    assert "2 seeds" in out
    assert str(tmp_path / "quick" / "my_method.json") in out


def test_a_failing_method_is_recorded_shown_and_nonzero(suite, tmp_path, monkeypatch, capsys):
    path = tmp_path / "breaks.py"
    path.write_text(GOOD.replace("crawl.take", "round.generation == 2 and 1 / 0 or crawl.take"))
    words = ("run", path, "--tasks", "digits-replace", "--out", tmp_path / "runs", "--workers", 1)
    assert cli(monkeypatch, *words) == 1
    said = capsys.readouterr()
    assert "failed 1/1" in said.out
    assert "breaks on digits-replace, seed 0: Half.curate at generation 2" in said.err
    assert "ZeroDivisionError" in said.err
    assert "Traceback" not in said.err
    lineage = load_result(tmp_path / "runs/quick/breaks.json").tasks["digits-replace"].lineages[0]
    assert [g.status for g in lineage.generations] == ["ok", "ok", "failed"]


BAD_FILES = {
    "syntax": ("class A(:\n", "line 1, does not import: SyntaxError"),
    "import": ("\nimport nowhere\n", "line 2, does not import: ModuleNotFoundError"),
    "none": ("x = 1\n", "defines no subclass of benchmark.Mitigation"),
    "several": (
        GOOD + "\nclass Other(Mitigation): pass\n",
        "several Mitigation classes (Half, Other): choose one",
    ),
    "access": (
        GOOD.replace("    def", "    access = {'reserve'}\n    def"),
        "Half.access must be a frozenset of Access",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_method_file_is_one_sentence(name, tmp_path, monkeypatch, capsys):
    text, sentence = BAD_FILES[name]
    (tmp_path / "bad.py").write_text(text)
    assert cli(monkeypatch, "run", tmp_path / "bad.py", "--out", tmp_path) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "isolated", [False, pytest.param(True, marks=[needs_bubblewrap, pytest.mark.slow])]
)
def test_a_file_that_may_not_be_read_costs_no_other_method(
    isolated, short_suite, tmp_path, method_file, monkeypatch, capsys
):
    secret, read = tmp_path / "secret.py", Path.read_bytes
    secret.write_text(GOOD)

    def denied(file):
        if file.name == secret.name:
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return read(file)

    monkeypatch.setattr(Path, "read_bytes", denied)
    words = ("--tasks", "digits-replace", "--out", tmp_path / "runs", "--workers", 1)
    words += ("--isolated",) * isolated
    assert cli(monkeypatch, "run", secret, method_file, *words) == 1
    said = f"autophagy: cannot read {secret}: Permission denied; make it readable\n"
    assert capsys.readouterr().err == said
    assert load_result(tmp_path / "runs" / "quick" / "my_method.json").failures == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no method 'nowhere': give a baseline (accumulate, "),
        (["nowhere.py"], "there is no file nowhere.py"),
        (["at 12:30/nowhere.py:Class"], "there is no file at 12:30/nowhere.py"),
        (["folder.py"], "folder.py is not an ordinary file: give one that holds a method's class"),
        (["nothing", "--suite", "huge"], "there is no suite 'huge': choose one of quick, small"),
        (["nothing", "--tasks", "cats-*"], "no task of suite 'quick' matches 'cats-*'"),
        (["nothing", "--seeds", "0,x"], "--seeds takes numbers such as 0,1,2; got '0,x'"),
        (["nothing", "--seeds", "-1"], "seeds must be numbers from 0 to"),
        (["nothing", "--out", "/proc/nowhere"], "cannot write /proc/nowhere"),
        (["x" * 300 + ".py"], "x.py (File name too long): correct it"),
        (["nothing", "--out", "x" * 300], "File name too long; choose another --out folder"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    assert cli(monkeypatch, "run", *words) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.strip().splitlines()) == 1


def test_a_chosen_class_and_a_missing_one(tmp_path, monkeypatch, capsys, tiny_suite):
    path = tmp_path / "two.py"
    path.write_text(GOOD + "\nclass Other(Half): pass\n")
    words = ("--tasks", "digits-replace", "--out", tmp_path / "runs", "--workers", 1)
    assert cli(monkeypatch, "run", f"{path}:Other", *words) == 0
    assert cli(monkeypatch, "run", f"{path}:Third", *words) == 1
    assert "no Mitigation class 'Third' (found: Half, Other)" in capsys.readouterr().err


def test_each_class_of_a_file_is_a_method_of_its_own(tmp_path, monkeypatch, tiny_suite):
    path, out = tmp_path / "two.py", tmp_path / "runs"
    path.write_text(GOOD + '\nclass Whole(Mitigation):\n    """Trains on all."""\n')
    words = ("--tasks", "digits-replace", "--out", out, "--workers", 1)
    n = next(task.n for task in tiny_suite.tasks if task.name == "digits-replace")
    expected = {"Half": ("Trains on the first half.", n // 2), "Whole": ("Trains on all.", n)}
    for chosen in (["Half"], ["Whole"], ["Half", "Whole", "Half"]):
        assert cli(monkeypatch, "run", *(f"{path}:{name}" for name in chosen), *words) == 0
        for name in chosen:
            result = load_result(out / "quick" / f"two.{name}.json")
            (lineage,) = result.tasks["digits-replace"].lineages
            found = (result.method.summary, lineage.generations[1].training_set)
            assert found == expected[name]


class Other(Mitigation):
    """Handed over from Python, too."""


def test_two_methods_of_one_name_are_refused(tmp_path, method_file, tiny_suite):
    copy = tmp_path / "b" / method_file.name
    copy.parent.mkdir()
    copy.write_text(GOOD + "# and more\n")
    again = type("Other", (Mitigation,), {"__module__": __name__})
    for pair, name in (((method_file, copy), "my_method"), ((Other, again), "other")):
        said = re.escape(f"{pair[0]} and {pair[1]} are both called {name!r}: rename one")
        with pytest.raises(InputError, match=said):
            benchmark.run(pair, out=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    given = [method_file, f"{method_file}:Half", str(method_file)]  # all the same: run once
    words = {"tasks": "digits-replace", "workers": 1, "out": tmp_path / "runs"}
    assert list(benchmark.run(given, **words)) == ["my_method", "nothing", "clean"]


def test_a_file_named_like_a_baseline_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "nothing.py").write_text(GOOD)
    assert cli(monkeypatch, "run", tmp_path / "nothing.py") == 1
    assert "has the name of a baseline" in capsys.readouterr().err
    with pytest.raises(InputError, match="class Nothing has the name of a baseline"):
        benchmark.run(type("Nothing", (Mitigation,), {}))


def test_damage_stops_one_lineage_and_keeps_the_others(tiny_suite, tmp_path, monkeypatch, capsys):
    words = ("run", "nothing", "--tasks", "*-replace", "--out", tmp_path, "--workers", 1)
    assert cli(monkeypatch, *words) == 0
    victim = next((tmp_path / "quick/lineages/nothing").glob("digits-*/gen-01.json"))
    whole = victim.read_bytes()
    victim.write_bytes(whole.replace(b'"ok"', b'"no"'))
    (tmp_path / "quick" / "clean.json").unlink()
    assert cli(monkeypatch, *words) == 1
    said = capsys.readouterr().err
    assert f"{victim} cannot be used (its checksum does not match)" in said
    assert (tmp_path / "quick" / "clean.json").exists()  # what was not damaged is written
    victim.write_bytes(whole)
    assert cli(monkeypatch, *words) == 0


def test_a_result_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "r.json"
    for text, sentence in (
        ("{", "is not a result"),
        ("[]", "is not a result"),
        ('{"schema_version": 99}', "has schema version 99"),
        ('{"schema_version": 1}', "is not a valid result"),
    ):
        path.write_text(text)
        with pytest.raises(benchmark.basics.errors.AutophagyError, match=sentence):
            load_result(path)
    with pytest.raises(benchmark.basics.errors.InputError, match="cannot read"):
        load_result(tmp_path / "none.json")


def test_list_names_everything(monkeypatch, capsys):
    assert cli(monkeypatch, "list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    small = document["suites"]["small"]
    assert set(small["tasks"]) == {task.name for task in load_suite("small").tasks}
    assert small["seeds"] == [0, 1, 2, 3, 4]
    assert small["tasks"]["digits-web"]["generations"] == 8
    assert document["methods"]["oracle"]["access"] == "oracle"
    assert document["methods"]["nothing"]["access"] == "blind"
    assert cli(monkeypatch, "list") == 0
    assert "accumulate_subsample" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["list"], ["run", "--help"], ["score", "--help"]])
def test_help_and_list_load_nothing_heavy(words):
    """What makes them answer in under a second: no torch, no scipy, no data."""
    heavy = ("torch", "transformers", "diffusers", "scipy", "sklearn", "pandas", "joblib")
    code = (
        "import sys; sys.argv = ['autophagy', *sys.argv[1:]]\n"
        "from benchmark.commands.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('HEAVY', [m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_task_hashes_differ_by_everything_that_matters():
    small, quick = (benchmark.load_task("digits-web", suite) for suite in ("small", "quick"))
    other = benchmark.load_task("digits-replace", "closed")
    assert len({small.hash, quick.hash, other.hash}) == 3
    from dataclasses import replace

    assert replace(small, description="other words").hash == small.hash
    assert replace(small, data=replace(small.data, sha256="0")).hash != small.hash
    assert replace(small, schedule=replace(small.schedule, fading=0.5)).hash != small.hash
    with pytest.raises(benchmark.basics.errors.InputError, match="has no task 'cats'"):
        benchmark.load_task("cats")


# `autophagy` with suite "quick" at a size of `tests.tiny`.
MAIN = """
import benchmark.tasks
from tests.tiny import SIZES
benchmark.tasks.suites._SUITES["quick"] = lambda: SIZES["{size}"]
from benchmark.basics.errors import InputError
from benchmark.commands.main import main
main()
"""


def test_a_result_can_be_read_by_others(tmp_path, tiny_suite):
    mask = os.umask(0o022)
    try:
        benchmark.run("nothing", tasks="digits-replace", workers=1, out=tmp_path)
    finally:
        os.umask(mask)
    for file in (tmp_path / "quick" / "nothing.json", *tmp_path.rglob("gen-*.json")):
        assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_with_the_same_numbers(
    toy_suite, tmp_path, method_file
):
    """Ctrl-C in generation 1, kill -9 in a later one, then to the end."""
    out, words = tmp_path / "stopped", ["--tasks", "speeches-replace", "--workers", "2"]
    main = MAIN.format(size="toy")
    command = [sys.executable, "-c", main, "run", str(method_file), *words, "--out", str(out)]

    def stop(sent: signal.Signals, after: int) -> tuple[int, str]:
        """Exit status and messages of a run that gets a signal after so many generations."""
        run = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A shell's background jobs ignore Ctrl-C, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while len(list(out.rglob("gen-*.json"))) < after:
            assert run.poll() is None
            time.sleep(0.02)
        # As a terminal does on Ctrl-C: to the whole group, workers included.
        os.killpg(run.pid, sent)
        said = run.communicate(timeout=180)[1]
        return run.returncode, said

    status, said = stop(signal.SIGINT, after=2)
    assert status == 130
    assert said.splitlines()[-1] == (
        "autophagy: interrupted; the same command goes on where it stopped"
    )
    assert "Traceback" not in said
    finished = {p: p.read_bytes() for p in out.rglob("gen-*.json")}
    assert stop(signal.SIGKILL, after=len(finished) + 1)[0] == -signal.SIGKILL
    assert all(path.read_bytes() == content for path, content in finished.items())
    assert not (out / "quick" / "my_method.json").exists()

    benchmark.run(method_file, tasks="speeches-replace", out=out)
    benchmark.run(method_file, tasks="speeches-replace", out=tmp_path / "whole")
    for name in ("my_method", "nothing", "clean"):
        files = [tmp_path / o / "quick" / f"{name}.json" for o in ("stopped", "whole")]
        assert without_times(files[0]) == without_times(files[1])


@pytest.mark.slow
def test_workers_end_with_the_run_that_started_them(tmp_path, method_file):
    words = ["--tasks", "digits-*", "--workers", "2", "--out", str(tmp_path / "killed")]
    main = MAIN.format(size="toy")
    run = subprocess.Popen([sys.executable, "-c", main, "run", str(method_file), *words])
    while not list(tmp_path.rglob("gen-*.json")):
        assert run.poll() is None
        time.sleep(0.02)
    workers = psutil.Process(run.pid).children(recursive=True)
    assert len(workers) >= 2
    run.kill()
    run.wait()
    assert psutil.wait_procs(workers, timeout=180)[1] == []


def test_the_method_of_the_readme_runs(tiny_suite, tmp_path):
    text = (Path(__file__).parents[1] / "README.md").read_text()
    (tmp_path / "my_method.py").write_text(text.split("```python\n")[1].split("```")[0])
    results = benchmark.run(tmp_path / "my_method.py", tasks="*-replace", workers=1, out=tmp_path)
    assert results["my_method"].failures == []
    (task,) = tiny_suite.choose("digits-replace")
    (lineage,) = results["my_method"].tasks[task.name].lineages
    assert lineage.generations[1].training_set == task.n + task.reserve
