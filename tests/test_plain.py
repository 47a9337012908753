"""What strangers wrote is bounded, plain, and escaped for its place."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmark.basics.errors import AutophagyError, CorruptFile, InputError
from benchmark.basics.plain import (
    clean_line,
    clean_terminal,
    clean_text,
    defuse_cell,
    escape_markdown,
    is_plain,
    quote_code,
    read_limited,
)
from benchmark.commands.main import main
from benchmark.commands.tables import open_console, say, sheet
from benchmark.results.schema import GenerationResult, Result, load_result
from tests.test_score_command import half

HIDDEN = ["\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\u200b", "\u200e", "\u202e", "\u2066",
          "\u2028", "\u2029", "\ufeff", "\U000e0041", "\ue000"]  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_does_not_show_is_not_plain_and_is_replaced(hidden):
    text = f"a{hidden}b"
    assert not is_plain(text)
    for cleaned in (clean_text(text), clean_line(text, 90), clean_terminal(text)):
        assert not set(cleaned) & set(hidden[:1])
    assert is_plain("Émile Ω 数 +1 (x)")


@given(st.text())
def test_cleaned_is_plain(text):
    assert is_plain(clean_text(text, ""))
    line = clean_line(text, 40)
    assert is_plain(line)
    assert len(line) <= 40


@given(st.text(max_size=30))
def test_no_cell_of_a_csv_file_is_a_formula_in_any_spreadsheet(text):
    """Also where cells end with ';' or a tab, as they do where the comma is decimal."""
    content = io.StringIO()
    csv.writer(content, quoting=csv.QUOTE_NONNUMERIC).writerow([defuse_cell(text), "next"])
    (row,) = csv.reader(io.StringIO(content.getvalue()))
    assert len(row) == 2
    for separator in (",", ";", "\t", "|"):
        for cell in re.split(f"[{separator}]", row[0]):
            assert cell.strip(" \u00a0\u3000")[:1] not in tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


@given(st.text(max_size=30))
def test_a_cell_of_markdown_is_one_cell_without_markup(text):
    for cell in (escape_markdown(text), quote_code(text)):
        assert "\n" not in cell
        assert not re.search(r"(?<!\\)(\\\\)*\|", cell.replace("\\\\", ""))
    assert not re.search(r"[<>]|://|(?<!\\)[\[*`]", escape_markdown(text).replace("\\\\", ""))


OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@given(st.text(max_size=40))
def test_a_terminal_shows_what_was_written_and_obeys_nothing(text):
    console = open_console()
    console.file = io.StringIO()
    say(console, text)
    console.print(sheet([text, "b"], [(text, "x")], text, text))
    assert not OBEYED.search(console.file.getvalue().replace("\t", ""))


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/nope]", "[link=http://x]y[/link]", "[red]"])
def test_markup_is_shown_as_it_was_written(text):
    console = open_console()
    console.file = io.StringIO()
    console.print(text)
    console.print(sheet([text, "b"], [(text, "x")], text, text))
    say(console, text)
    assert console.file.getvalue().count(text) == 6
    assert isinstance(console, Console)


def test_an_error_says_nothing_to_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["autophagy", "score", str(tmp_path / "a\x1b[2Jb\u202e.json")])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert said.startswith("autophagy: cannot read the result")
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_files_are_read_up_to_a_limit_and_only_files(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(bytes(100))
    assert len(read_limited(file, 100, "thing")) == 100
    with pytest.raises(InputError, match="more than 99 bytes: it is no thing"):
        read_limited(file, 99, "thing")
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="cannot read the thing"):
            read_limited(path, 99, "thing")


def test_what_a_method_said_of_its_failure_becomes_one_plain_line():
    record = {"generation": 1, "status": "failed", "message": "a\n\x1b[31mb\u202e " + "x" * 10**5}
    found = GenerationResult.of_record(record, Path("lineage"))
    assert is_plain(found.message)
    assert len(found.message) <= 500
    assert found.message.startswith("a \ufffd[31mb\ufffd xx")
    with pytest.raises(CorruptFile, match=r"status: .*: delete runs/lineage and run the"):
        GenerationResult.of_record(record | {"status": "fine"}, Path("runs/lineage"))


def test_a_stored_generation_is_a_line_and_every_line_is_read_back():
    content = half().to_json()
    document = json.loads(content)
    generations = [
        generation["generation"]
        for task in document["tasks"].values()
        for lineage in task["lineages"]
        for generation in lineage["generations"]
    ]
    assert len(generations) > 2
    lines = [line for line in content.decode().splitlines() if '"generation":' in line]
    assert [json.loads(line.strip().rstrip(","))["generation"] for line in lines] == generations
    assert Result.model_validate_json(content) == half()


def _several(inner):
    return st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)


plain_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
json_values = st.recursive(plain_values, _several, max_leaves=5)


@given(data=st.data())
def test_a_result_comes_back_as_it_was_or_is_refused_in_a_plain_sentence(tmp_path_factory, data):
    """Whatever stands at any place: nothing is coerced, nothing is a traceback."""
    document = json.loads(half().to_json())
    place = document
    while True:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.booleans())):
            break
        place = inner
    place[key] = data.draw(json_values)
    file = tmp_path_factory.mktemp("r") / "half.json"
    file.write_text(json.dumps(document))
    said = ""
    try:
        found = load_result(file)
    except AutophagyError as error:
        said = str(error)
    else:
        file.write_bytes(found.to_json())
        assert load_result(file) == found
    assert is_plain(said)
