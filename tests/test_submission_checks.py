"""`autophagy new` and `autophagy validate`: what each check finds, and what it says."""

import base64
import json
import re
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import benchmark.runs.sandbox
from benchmark.basics.errors import InputError
from benchmark.commands.main import main
from benchmark.interface.find import find_method, load_class
from benchmark.interface.names import find_baselines
from benchmark.runs.collect import describe_method
from benchmark.submission import trial
from benchmark.submission.checks import CHECKS, validate_submission
from benchmark.submission.folder import read_folder
from benchmark.submission.hooks import read_class
from benchmark.submission.template import create_submission
from tests import tiny
from tests.system import needs_bubblewrap

SUBMISSIONS = Path(__file__).parents[1] / "submissions"


@contextmanager
def in_process(file, class_name=None, bounds=None):
    """What stands in for the sandbox where only the checks are tested."""
    yield load_class(file, class_name)


@pytest.fixture(autouse=True)
def tiny_trials(monkeypatch):
    monkeypatch.setattr(trial, "shrink_task", lambda task: tiny.recorded(tiny.tiny(task)))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(benchmark.runs.sandbox, "isolate_method", in_process)
    monkeypatch.setattr(benchmark.runs.sandbox, "check_available", lambda: None)


@pytest.fixture
def folder(tmp_path):
    return create_submission("mine", tmp_path / "mine")


def failed(folder):
    return {c.name: c.message for c in validate_submission(folder).checks if c.status == "failed"}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", ["detector_threshold", "anchor"])
def test_a_copy_of_a_baseline_can_be_submitted(name, folder, tmp_path):
    """Also of one that shares code with others: its result is of the very file that is sent."""
    source = find_baselines()[name].read_bytes()
    (folder / "method.py").write_bytes(source)
    assert find_method(folder / "method.py").source == read_folder(folder).source
    (tmp_path / "own.py").write_bytes(
        source + b"\ntry:\n    from baselines._nowhere import x\nexcept ImportError:\n    x = 0\n"
    )
    assert find_method(tmp_path / "own.py").name == "own"


@pytest.mark.parametrize("name", sorted(p.name for p in SUBMISSIONS.iterdir() if p.is_dir()))
def test_every_submission_of_the_repository_is_valid(name, quick):
    found = validate_submission(SUBMISSIONS / name)
    assert found.passed, [c for c in found.checks if c.status != "ok"]
    assert [c.name for c in found.checks] == list(CHECKS)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_a_new_submission_is_not_in_the_way_of_the_same_command(error, tmp_path, monkeypatch):
    def full(*a: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises((InputError, KeyboardInterrupt)):
            create_submission("mine", tmp_path / "mine")
    assert create_submission("mine", tmp_path / "mine").is_dir()


def test_new_copies_the_template_under_its_name(folder, tmp_path, monkeypatch):
    assert "class Mine(Mitigation)" in (folder / "method.py").read_text()
    assert "name: mine\n" in (folder / "card.yaml").read_text()
    with pytest.raises(InputError, match="there already"):
        create_submission("mine", folder)
    monkeypatch.chdir(tmp_path)
    assert create_submission("my-other_1") == Path("submissions/my-other_1")
    assert "class MyOther1(" in Path("submissions/my-other_1/method.py").read_text()
    for name in ("anchor", "nothing", "clean", "template", "Mine", "../x", "a", "x" * 41, ""):
        with pytest.raises(InputError, match=r"cannot name|is the name of"):
            create_submission(name, tmp_path / "other")
    with pytest.raises(InputError, match=r"has its name: give --to .*/other/yours, or the name"):
        create_submission("yours", tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["none", "true", "items", "round", "mitigation", "sampling"])
def test_new_writes_python_whatever_the_name(name, tmp_path):
    code = (create_submission(name, tmp_path / name) / "method.py").read_bytes()
    assert read_class(code).class_name == f"{name.capitalize()}Method"


@pytest.mark.parametrize("summary", ["Half is new.  Half is old. ", "Tab\there.", "Long " * 80])
def test_a_result_is_of_the_class_whatever_its_summary(summary, quick, folder, tmp_path):
    file = folder / "method.py"
    edit(file, '"""Half of the training', f'"""{summary}\n\n    Half of the training')
    written = read_class(file.read_bytes())
    kept = describe_method(find_method(str(file))).summary
    assert written.summary == kept != summary


CURATE = "        newest = crawl.draw(int(self.new * round.n), round.rng)\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "check", "said"),
    [
        ("card.yaml", "name: mine", "name: yours", "card", "names 'yours', but the folder"),
        ("card.yaml", "name: mine", "name: anchor", "card", "name of a baseline"),
        ("card.yaml", "[ARCHIVE]", "[MODEL]", "access as on the card", r"access.*\[ARCHIVE\]"),
        ("method.py", "(Mitigation)", "()", "hooks", "one class"),
        ("method.py", CURATE, CURATE + "class Below(Mine):\n    def nothing(self):\n",
         "hooks", r"none below it \(found: Mine, Below\)"),
        ("method.py", "def curate(self, crawl", "def curate(self", "hooks", "line 17.*curate"),
        ("method.py", "def curate", "async def curate", "hooks", "line 17.*async"),
        ("method.py", "def sampling", "def samplings", "hooks", "nearly the hook sampling"),
        ("method.py", "class ", "class class ", "hooks", "line 6, is not Python"),
        ("method.py", "new = 0.5", "new = 1 / 0", "loads in the sandbox", "ZeroDivisionError"),
        ("method.py", CURATE, CURATE + "        crawl[next(iter(crawl.columns))][:1] = 0\n",
         "inputs unchanged", "work on a copy"),
        ("method.py", CURATE, CURATE + "        round.reserve\n", "only declared access",
         "declare access"),
        ("method.py", "round.archive", "[crawl]", "all declared access used", "ARCHIVE.*take it"),
        ("method.py", CURATE, CURATE + "        round.rng.seed()\n", "deterministic",
         "generation 1.*round.rng"),
    ],
)  # fmt: skip
def test_each_failure_says_what_where_and_how(quick, folder, file, old, new, check, said):
    edit(folder / file, old, new)
    found = failed(folder)
    assert list(found) == [check]
    assert re.search(said, found[check]), found[check]


def test_a_method_that_asks_for_too_much_breaks_its_budget(quick, folder):
    edit(folder / "method.py", "Access.ARCHIVE", "Access.ARCHIVE, Access.MODEL")
    edit(folder / "card.yaml", "[ARCHIVE]", "[ARCHIVE, MODEL]")
    edit(folder / "method.py", CURATE, CURATE + "        round.sample(9 * round.n)\n")
    found = failed(folder)
    assert list(found) == ["budget"]
    assert "limit of 160 items" in found["budget"]


def test_no_data_travel_in_the_source(quick, folder):
    """Neither as a constant nor hidden in a comment; held-out items of another seed are other ones
    anyway (test_digits), but real items of any kind are worth something to a method."""
    digits = base64.b85encode(secrets.token_bytes(12_000)).decode()
    source = (folder / "method.py").read_text()
    for hidden in (f"DATA = {digits!r}\n", f"# {digits}\n"):
        (folder / "method.py").write_text(source + hidden)
        (message,) = failed(folder).values()
        assert re.search(r"method\.py has 1\d,\d\d\d bytes when compressed, 8,192 are", message)
    (folder / "method.py").write_text(source + "# x\n" * 20_000)
    (message,) = failed(folder).values()
    assert "a submission's source is at most 64 KB" in message
    (folder / "method.py").write_text(source + "# a long comment that says little\n" * 1_000)
    assert not failed(folder)


def test_a_folder_holds_three_ordinary_files_of_limited_size(quick, folder):
    def problem():
        (message,) = failed(folder).values()
        return message

    (folder / "data.bin").write_bytes(b"x")
    assert "'data.bin'" in problem()
    (folder / "data.bin").unlink()
    (folder / "README.md").write_bytes(b"\xff")
    assert "UTF-8" in problem()
    (folder / "README.md").write_bytes(b"x" * 70_000)
    assert "65,536" in problem()
    (folder / "README.md").unlink()
    assert "no README.md" in problem()
    (folder / "README.md").symlink_to(folder / "card.yaml")
    assert "no link" in problem()
    assert "not a folder" in next(iter(failed(folder / "missing").values()))


def test_without_a_sandbox_nothing_is_run(folder, monkeypatch):
    def absent():
        raise InputError("isolation needs bubblewrap")

    monkeypatch.setattr(benchmark.runs.sandbox, "check_available", absent)
    with pytest.raises(InputError, match="bubblewrap"):
        validate_submission(folder)


@needs_bubblewrap
def test_the_command_in_the_real_sandbox_names_what_was_denied(folder, monkeypatch, capsys):
    monkeypatch.setattr(trial, "TASKS", ("digits-replace",))
    edit(folder / "method.py", CURATE, '        open("/etc/passwd")\n')
    monkeypatch.setattr(sys, "argv", ["autophagy", "validate", str(folder), "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    document = json.loads(capsys.readouterr().out)
    assert not document["passed"]
    checks = {check["name"]: check for check in document["checks"]}
    assert "No such file or directory: '/etc/passwd'" in checks["runs"]["message"]
    assert checks["deterministic"]["status"] == "skipped"
