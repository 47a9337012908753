"""Exports: a table with all that a reader needs to cite it, papers, and records for others."""

import ast
import datetime
import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from benchmark import __version__
from benchmark.basics.errors import InputError
from benchmark.commands.main import main
from benchmark.interface.names import find_baselines
from benchmark.tasks.suites import load_suite
from leaderboard.board.citations import ARXIV, PAPERS, make_bibtex
from leaderboard.board.entries import Board, read_board
from leaderboard.board.every_eval import make_record, name_record
from leaderboard.board.export import choose_entries, export_entries
from tests.board import toys

pytestmark = pytest.mark.usefixtures("frozen")
NOW = datetime.datetime(2026, 2, 3, tzinfo=datetime.UTC)
TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "number"}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def record_of(required, **others):
    """Just these fields, of which the first must be there."""
    return {
        "type": "object",
        "properties": required | others,
        "required": list(required),
        "additionalProperties": False,
    }


ENDLESS = {"anyOf": [NUMBER, {"enum": ["Infinity", "-Infinity"]}]}
# What schema 0.3.0 of Every Eval Ever asks of the fields that we write, in our words: its own
# package needs another huggingface_hub than this project.
SCHEMA = record_of(
    {
        "schema_version": {"const": "0.3.0"},
        "evaluation_id": {"type": "string", "pattern": "^[^/]+/[^/]+/[^/]+/[0-9]+$"},
        "retrieved_timestamp": {"type": "string", "pattern": "^[0-9]+$"},
        "source_metadata": record_of(
            {
                "source_type": {"enum": ["documentation", "evaluation_run"]},
                "source_organization_name": TEXT,
                "evaluator_relationship": {
                    "enum": ["first_party", "third_party", "collaborative", "other"]
                },
            },
            source_name=TEXT,
            additional_details=TEXTS,
        ),
        "eval_library": record_of({"name": TEXT, "version": TEXT}, additional_details=TEXTS),
        "model_info": record_of(
            {
                "name": TEXT,
                "id": {"type": "string", "pattern": "^[^/]+/[^/]+$"},
                "additional_details": TEXTS
                | {
                    "required": ["deployment_type", "model_availability"],
                    "properties": {
                        "deployment_type": {
                            "enum": ["self_deployed", "externally_managed", "unknown"]
                        },
                        "model_availability": {
                            "enum": ["open_weights", "closed_weights", "unknown"]
                        },
                    },
                },
            },
            developer=TEXT,
        ),
        "evaluation_results": {
            "type": "array",
            "minItems": 1,
            "items": record_of(
                {
                    "evaluation_name": TEXT,
                    "source_data": record_of(
                        {"dataset_name": TEXT, "source_type": {"const": "other"}},
                        additional_details=TEXTS,
                    ),
                    "metric_config": record_of(
                        {
                            "lower_is_better": {"type": "boolean"},
                            "score_type": {"const": "continuous"},
                            "min_score": ENDLESS,
                            "max_score": ENDLESS,
                        },
                        evaluation_description=TEXT,
                        metric_id=TEXT,
                        metric_name=TEXT,
                        metric_kind=TEXT,
                        metric_unit=TEXT,
                        metric_parameters={
                            "type": "object",
                            "additionalProperties": {"type": ["string", "number", "boolean"]},
                        },
                    ),
                    "score_details": record_of(
                        {"score": NUMBER},
                        details=TEXTS,
                        uncertainty=record_of(
                            {"num_samples": {"type": "integer", "minimum": 1}},
                            standard_deviation=NUMBER,
                            standard_error=record_of({"value": NUMBER}, method=TEXT),
                            confidence_interval=record_of(
                                {"lower": NUMBER, "upper": NUMBER},
                                confidence_level={"type": "number", "minimum": 0, "maximum": 1},
                                method=TEXT,
                            ),
                        ),
                    ),
                },
                evaluation_result_id=TEXT,
                evaluation_timestamp=TEXT,
            ),
        },
    },
    evaluation_timestamp=TEXT,
)


@pytest.fixture
def board(tmp_path):
    """The toys: a re-run entry, a tie, a hostile one, and one on quick."""
    return read_board(toys.write(tmp_path))


def test_a_table_says_what_it_is_of(board, tmp_path):
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        (file,) = export_entries(board, "small", tmp_path / f"out/table{ending}", ["anchor"])
        table = read(file).set_index("method")
        assert set(table.index) == {"anchor", "nothing", "clean"}
        row = table.loc["anchor"]
        assert (row["suite"], str(row["version"]), row["n"]) == ("small", __version__, 15)
        assert row["seeds"] == "0 1 2 3 4"
        assert row["hardware"] == "a toy"
        for task in load_suite("small").tasks:
            assert f"{task.name} {task.hash}" in row["task_hashes"]
        assert len(row["source_sha256"]) == 64
        assert {"paper", "code", "trust", "low", "high"} <= set(table.columns)


def test_the_seeds_of_a_re_run_are_told_to_the_last_digit(board, tmp_path):
    (file,) = export_entries(board, "small", tmp_path / "t.csv", ["accumulate_subsample"])
    row = pd.read_csv(file).set_index("method").loc["accumulate_subsample"]
    assert row["seeds"] == "9007199254740993 9223372036854775806 9223372036854775807"
    assert row["n"] == 9


@pytest.mark.parametrize("suite", ["small", "quick"])
def test_records_are_of_the_schema_of_every_eval_ever(board, tmp_path, suite):
    files = export_entries(board, suite, tmp_path / "eee", every_eval=True)
    entries = [entry for entry in board.entries[suite] if not entry.reference]
    assert len(files) == len(entries)
    for file in files:
        record = json.loads(file.read_text())
        jsonschema.validate(record, SCHEMA)
        developer, name = record["model_info"]["id"].split("/")
        pattern = rf"data/autophagy-bench/{developer}/{name}/[0-9a-f-]{{14}}4[0-9a-f-]{{21}}\.json"
        assert re.fullmatch(pattern, file.relative_to(tmp_path / "eee").as_posix())
        (entry,) = (entry for entry in entries if entry.name == name)
        for found in record["evaluation_results"]:
            values = entry.recoveries[found["evaluation_name"]]
            details = found["score_details"]
            assert details["score"] == pytest.approx(sum(values) / len(values))
            assert details["uncertainty"]["num_samples"] == len(values)
            assert ("confidence_interval" in details["uncertainty"]) == (len(values) > 1)


def test_a_record_is_the_same_each_time_and_says_who_checked(board):
    entry = board.entry("small", "accumulate_subsample")
    record = make_record(entry, NOW)
    later = make_record(entry, NOW + datetime.timedelta(days=1))
    assert record["evaluation_id"] == later["evaluation_id"]
    assert name_record(record) == name_record(later)
    details = record["source_metadata"]["additional_details"]
    assert (details["trust"], details["checked_by"]) == ("re-run", "A Maintainer")
    assert record["source_metadata"]["evaluator_relationship"] == "third_party"
    claimed = make_record(board.entry("small", "anchor"), NOW)
    assert claimed["source_metadata"]["evaluator_relationship"] == "first_party"


def test_a_date_that_a_stranger_chose_ends_no_export(tmp_path, monkeypatch):
    """It is refused; and if it were not, nothing hangs on the reader's clock or is half written."""
    toys.store(tmp_path, toys.result("anchor"))
    odd = toys.result("twin").model_copy(update={"created": "0001-01-01"})
    toys.store(tmp_path, odd)
    board = read_board(tmp_path)
    assert [refused.file for refused in board.refused] == ["twin.json"]
    assert len(export_entries(board, "small", tmp_path / "eee", every_eval=True)) == 1

    entry = board.entry("small", "anchor")
    naive = replace(entry, created="2026-01-02T03:04:05", method="twin")
    found = set()
    for zone in ("UTC", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found.add(make_record(naive, NOW)["evaluation_id"])
    monkeypatch.undo()
    time.tzset()
    assert found == {make_record(entry, NOW)["evaluation_id"].replace("anchor", "twin")}

    broken = replace(entry, created="never", method="zeta")
    both = Board(board.root, {"small": [*board.entries["small"], broken]})
    with pytest.raises(ValueError, match="never"):
        export_entries(both, "small", tmp_path / "other", every_eval=True)
    assert not (tmp_path / "other").exists()


def test_a_task_that_a_method_does_not_apply_to_is_no_zero(tmp_path):
    toys.store(tmp_path, toys.result("texts", absent=[toys.IMAGE]))
    record = make_record(read_board(tmp_path).entry("small", "texts"), NOW)
    names = [found["evaluation_name"] for found in record["evaluation_results"]]
    assert sorted(names) == sorted(set(toys.TASKS) - {toys.IMAGE})


def test_papers_are_bibtex_each_once_and_nobody_is_invented(tmp_path, monkeypatch):
    for name in ("neon", "neon_again"):
        monkeypatch.setitem(toys.ACCESS, name, ("MODEL",))
    names = ("neon", "neon_again", "anchor", "age_sampled")
    toys.store(tmp_path, *(toys.result(name) for name in names))
    for name in ("neon", "neon_again"):
        toys.card(tmp_path, name, ["Ada"], "https://arxiv.org/abs/2510.03597")
    toys.card(tmp_path, "anchor", ["Ada"], "https://arxiv.org/abs/9912.99999")
    text = make_bibtex(choose_entries(read_board(tmp_path), "small"))
    assert text.count("@misc{") == 2
    assert "@misc{alemohammad2025neon,\n  title = {{Neon: Negative Extrapolation" in text
    assert "  author = {Alemohammad and others},\n  year = {2025},\n" in text
    assert "  eprint = {2510.03597},\n  archivePrefix = {arXiv}," in text
    assert re.search("% Method of the benchmark: neon(_again)?, neon(_again)?\\.", text)
    unknown = text.partition("@misc{anchor,")[2].partition("\n}")[0]
    assert "9912.99999" in unknown
    assert "author" not in unknown
    assert "% No paper is named by: age_sampled." in text
    assert text.count("@software{") == 1
    assert text.count("{") == text.count("}")


def test_a_hostile_link_ends_no_field(tmp_path):
    toys.store(tmp_path, toys.result("anchor"))
    toys.card(tmp_path, "anchor", ["Ada"], "https://example.org/}}@misc{x,title={%")
    text = make_bibtex(choose_entries(read_board(tmp_path), "small", ["anchor"]))
    (line,) = (line for line in text.splitlines() if "example.org" in line)
    assert line == r"  url = {https://example.org/\}\}@misc\{x,title=\{\%},"


def test_what_is_said_of_papers_is_what_the_baselines_say():
    """Authors, years and titles are those of the docstrings, which name the identifier."""
    docs = {name: _docstring(file) for name, file in find_baselines().items()}
    links = _card_links()
    for key, paper in PAPERS.items():
        by_card = [docs[name] for name, link in links.items() if key in link and name in docs]
        said = [text for text in docs.values() if key in text] + by_card
        assert said, key
        assert any(all(a in text for a in paper.authors) for text in said), key
        titles = [t for text in said for t in re.findall('"([^"]+)"', text)]
        alike = [t for t in titles if paper.title.casefold().startswith(t.casefold()[:12])]
        for title in alike:
            assert paper.title.casefold().startswith(title.casefold().rstrip(",?.")[:40]), key


def test_every_paper_of_a_card_is_known():
    for name, link in _card_links().items():
        found = ARXIV.fullmatch(link)
        assert (found[1] if found else link.removeprefix("https://doi.org/")) in PAPERS, name


def _docstring(file):
    tree = ast.parse(file.read_text())
    texts = [ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.ClassDef)]
    return " ".join(" ".join([ast.get_docstring(tree) or "", *texts]).split())


def _card_links():
    cards = Path(__file__).parents[2] / "leaderboard" / "submissions"
    found = {file.parent.name: file.read_text() for file in cards.glob("*/card.yaml")}
    links = {name: re.search(r"^paper: (\S+)$", text, re.MULTILINE) for name, text in found.items()}
    return {name: link[1] for name, link in links.items() if link}


def test_a_dataset_or_result_that_cannot_be_in_the_file_is_said(tmp_path, monkeypatch, capsys):
    """Else another table would be written without a word."""
    own = toys.store(tmp_path / "own", toys.result("mine", 0.3, "quick"))
    for given, said in (
        (
            ("--dataset", "a/b", "--endpoint", "http://127.0.0.1:9"),
            "The dataset a/b cannot be read",
        ),
        (("--results", str(own)), "is of suite 'quick': give --suite quick"),
    ):
        words = ("export", str(tmp_path / "t.csv"), "--suite", "small", *given)
        monkeypatch.setattr(sys, "argv", ["autophagy", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 1
        assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "t.csv").exists()


def test_bad_names_are_one_sentence(board, tmp_path, monkeypatch, capsys):
    (tmp_path / "results" / "x.csv").write_text("")
    for words, said in (
        (("small", tmp_path / "x.txt"), "cannot export to x.txt: end it with .csv"),
        (("smal", tmp_path / "x.csv"), "no result of suite 'smal' .did you mean 'small'"),
        (("small", tmp_path / "results" / "x.csv" / "t.bib"), "cannot write .*t.bib: "),
        (("small", tmp_path / "x.csv", ["anchr"]), "no entry 'anchr' .did you mean 'anchor'"),
    ):
        with pytest.raises(InputError, match=said):
            export_entries(board, *words)
    monkeypatch.setattr(sys, "argv", ["autophagy", "export", "x.txt", "--suite", "quick"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
