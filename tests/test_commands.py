"""The command line: each command is listed as it describes itself, tables that print all."""

import os

import pytest
from typer.testing import CliRunner

from benchmark.commands.main import COMMANDS, app
from benchmark.commands.tables import number, open_console, sheet, word
from benchmark.tasks.suites import SUITE_NAMES


def test_help_lists_every_command_with_its_first_sentence():
    listed = CliRunner().invoke(app, ["--help"]).output
    for name in COMMANDS:
        own = CliRunner().invoke(app, [name, "--help"])
        assert own.exit_code == 0, own.output
        usage, sentence, *_ = (line.strip() for line in own.output.splitlines() if line.strip())
        assert f" {name} " in usage
        line = next(line for line in listed.splitlines() if line.startswith(f"│ {name} "))
        assert line.split(name, 1)[1].strip(" │").split()[:5] == sentence.split()[:5]


@pytest.mark.parametrize("command", ["run", "samples"])
def test_help_names_every_suite(command):
    words = CliRunner().invoke(app, [command, "--help"]).output.replace(",", " ").split()
    assert not [name for name in SUITE_NAMES if name not in {word.strip("│.") for word in words}]


def test_one_thread_is_set_before_a_command_is_imported(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    CliRunner().invoke(app, ["score", "--help"])
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_no_command_opens_a_window_or_fails_for_one(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "qt4agg")  # of an older matplotlib
    CliRunner().invoke(app, ["samples", "--help"])
    assert "MPLBACKEND" not in os.environ


def test_a_table_prints_names_as_they_are(capsys):
    open_console().print(
        sheet(["name", word("kind"), number("n")], [("[red]x[/] " * 40, "a-b", "1")], "[t]", "[c]")
    )
    out = capsys.readouterr().out
    assert out.count("[red]x[/]") == 40
    assert "[t]" in out
    assert "[c]" in out
    assert max(map(len, out.splitlines())) <= 80
