"""Whoever mistypes a name is told what was probably meant; a name like no other gets no guess."""

import pytest
from typer.testing import CliRunner

from benchmark.basics.errors import InputError
from benchmark.basics.spelling import ask_nearest, ask_nearest_path, find_nearest
from benchmark.commands.main import app
from benchmark.interface.find import find_method
from benchmark.results.schema import load_result
from benchmark.runs.grid import run
from benchmark.submission.folder import read_folder
from benchmark.tasks.suites import load_suite, load_task
from benchmark.theory.lineages import find_schedule


def test_the_nearest_name_or_none():
    known = ["anchor", "accumulate", "first_crawl"]
    assert find_nearest("anchr", known) == "anchor"
    assert find_nearest("FIRST_CRAWL", known) == "first_crawl"
    assert find_nearest("zebra", known) is None
    assert ask_nearest("anchr", known) == " (did you mean 'anchor'?)"
    assert ask_nearest("zebra" * 10_000, known) == ""


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: load_suite("smal"),
            "no suite 'smal' (did you mean 'small'?): choose one of quick",
        ),
        (lambda: load_task("digit-web"), "has no task 'digit-web' (did you mean 'digits-web'?)"),
        (lambda: load_suite("quick").choose("speech-web"), "(did you mean 'speeches-web'?)"),
        (
            lambda: find_method("anchr"),
            "no method 'anchr' (did you mean 'anchor'?): give a baseline",
        ),
        (lambda: find_method("clen"), "(did you mean 'clean'?)"),
        (lambda: run("nothing", device="cdua"), "no device 'cdua' (did you mean 'cuda'?)"),
        (lambda: run("nothing", backend="locl"), "no backend 'locl' (did you mean 'local'?)"),
        (lambda: find_schedule("acumulate", {}), "(did you mean 'accumulate'?)"),
    ],
)
def test_every_name_of_the_benchmark_has_its_guess(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)
    assert len(str(caught.value)) < 250


def test_files_and_folders_have_theirs(tmp_path, monkeypatch):
    (tmp_path / "runs" / "small").mkdir(parents=True)
    (tmp_path / "runs" / "small" / "mine.json").write_text("{}")
    (tmp_path / "my_method.py").write_text("")
    (tmp_path / "submissions" / "tail_quota").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    here = tmp_path.__class__
    with pytest.raises(InputError, match=r"no file my_metod.py \(did you mean my_method.py\?\)"):
        find_method("my_metod.py")
    with pytest.raises(InputError, match=r"did you mean submissions/tail_quota\?"):
        read_folder(here("submissions/tail_qota"))
    for wrong in ("runs/smal/mine.json", "runs/small/mien.json"):
        with pytest.raises(
            InputError, match=r"did you mean runs/small/mine.json\?\): No such file"
        ):
            load_result(here(wrong))
    assert ask_nearest_path(tmp_path / "zzz" / "zebra.json") == ""
    assert ask_nearest_path(tmp_path / "runs" / "smal" / "other.json") == ""  # is not there either


@pytest.mark.parametrize(
    ("words", "said"), [(["runn"], "Did you mean 'run'?"), (["run", "x", "--siute"], "--suite")]
)
def test_commands_and_options_have_theirs(words, said):
    assert said in CliRunner().invoke(app, words).output
