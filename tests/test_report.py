"""`autophagy report`: the page's numbers, its escaping, its files, on hand-made and toy results."""

import re
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from benchmark.basics.errors import InputError
from benchmark.interface.names import REFERENCES
from benchmark.metrics.meanings import METRICS, list_metrics
from benchmark.report.figures import Panel, draw_panels
from benchmark.report.page import show_samples, write_report
from benchmark.report.samples import find_lineage, spread_generations
from benchmark.results.curves import gather_measures
from benchmark.results.schema import GenerationResult, Result, load_result
from benchmark.results.standings import rank_results
from benchmark.results.style import add_dark_theme, style_methods
from tests import tiny
from tests.test_run import cli
from tests.test_score_command import broken, clean, half, nothing, result

EVIL = "<script>alert(1)</script>$\\frac{"
ONE: dict = {"tasks": ("x",)}


class Page(HTMLParser):
    """Rows of the tables by their id (or their order), all texts, and what the page asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self.text = ""
        self.asked: list[str] = []
        self._rows: list[list[str]] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.asked += [values[n] for n in ("src", "href", "action", "data") if n in values]
        if tag == "table":
            self._rows = self.tables.setdefault(values.get("id") or str(len(self.tables)), [])
        elif self._rows is not None and tag == "tr":
            self._rows.append([])
        elif self._rows is not None and tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self._rows = None

    def handle_data(self, data):
        self.text += data
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] += data.strip() + " "

    def row(self, table: str, method: str) -> list[str]:
        """The cells of the row that begins with a method's name."""
        (found,) = (r for r in self.tables[table] if r and r[0].split()[:1] == [method])
        return [" ".join(cell.split()) for cell in found]


def written(folder: Path, *results: Result) -> Page:
    """The page about results that lie in `folder`."""
    given = {folder / f"{i}.json": result for i, result in enumerate(results)}
    return Page(write_report(given, folder / "out").read_text())


def test_numbers_are_those_of_the_standings_and_failures_are_shown(tmp_path):
    results = (half(real=3), broken(), nothing(), clean())
    page = written(tmp_path, *results)
    assert "broken on speeches-web, seed 1: it broke" in page.text
    assert "A cross marks where a lineage failed" in page.text
    for s in rank_results({str(i): r for i, r in enumerate(results)}):
        scores, tasks = page.row("score-table", s.method), page.row("task-table", s.method)
        assert scores[1] == f"{s.score:.2f}"
        assert scores[4:6] == [str(s.tier), "-".join(map(str, sorted(set(s.ranks))))]
        assert scores[6] == s.access_tier
        assert scores[7] == (f"{sum(s.failed.values())}/6" if s.method == "broken" else "0")
        for cell, (task, values) in zip(tasks[1:], s.recoveries.items(), strict=True):
            star = "*" if s.failed[task] else ""
            assert cell.split()[0] == f"{fmean(values):.2f}{star}"
            if not s.reference:
                assert cell.split()[1:] == f"{min(values):.2f} to {max(values):.2f}".split()
        costs = s.costs
        assert page.row("cost-table", s.method)[1:] == [
            f"{costs.items_trained:,}", f"{costs.items_generated:,}", f"{costs.forward_passes:,}",
            f"{costs.real_items:,}", f"{costs.cpu_seconds:,.0f}",
        ]  # fmt: skip
    assert page.row("score-table", "half")[2] == "0.47 to 0.53"
    assert page.row("score-table", "clean")[2] == "by definition"


def test_without_failures_none_are_spoken_of(tmp_path):
    page = written(tmp_path, half(**ONE), nothing(**ONE), clean(**ONE))
    assert "A cross" not in page.text
    assert "Failed lineages" not in page.text


def test_definitions_count_lineages_and_show_numbers(tmp_path):
    page = written(tmp_path, half(**ONE), nothing(**ONE), clean(**ONE))
    (sheet,) = {
        tuple(row)
        for rows in page.tables.values()
        if "catastrophic risk" in " ".join(rows[0])
        for row in rows
        if row[0].strip() == "half"
    }
    cells = [" ".join(cell.split()) for cell in sheet]
    # The clean's loss is 1 in all generations; half ends at 2.5, 2.6 and 2.4.
    assert cells[1] == cells[2] == "yes in 3 of 3 2.500 (+1.500)"
    assert cells[4] == "- the profile has no variance_ratio"
    assert page.row("held-table", "half") == ["half", "3 of 3"]
    assert page.row("held-table", "clean") == ["clean", "0 of 3"]


def test_names_and_messages_of_others_are_escaped(tmp_path):
    evil = result("evil", lambda s: [1.0, 1.5] if s else [1.0, 1.5, 2.5], **ONE)
    evil.method.name = EVIL
    evil.method.summary = "<img src='http://evil.example/a.png'>"
    evil.hardware = '"><iframe src=//evil.example>'
    for task in evil.tasks.values():
        for lineage in task.lineages:
            lineage.generations[-1].message = "<b onclick=x>message</b>\x00"
    page = written(tmp_path, evil, nothing(**ONE), clean(**ONE))
    assert not {"script", "iframe"} & set(page.tags)
    assert EVIL in page.text
    assert "<img src='http://evil.example/a.png'>" in page.text
    assert "<b onclick=x>message</b>" in page.text
    assert all(link.startswith(("data:image/", "#")) for link in page.asked)


def test_the_page_asks_for_nothing_outside_and_figures_exist(tmp_path):
    page = written(tmp_path, half(**ONE), nothing(**ONE), clean(**ONE))
    assert "No samples: they are kept in the folder of the run" in page.text
    assert page.asked
    assert all(link.startswith(("data:image/", "#")) for link in page.asked)
    assert "script" not in page.tags
    assert not re.search(r"url\(|@import", (tmp_path / "out" / "report.html").read_text())
    names = {file.name for file in (tmp_path / "out" / "figures").iterdir()}
    assert names == {f"{k}-x.{form}" for k in ("primary", "profile") for form in ("svg", "png")}
    assert all(file.stat().st_size > 1000 for file in (tmp_path / "out" / "figures").iterdir())


def test_the_same_results_give_the_same_bytes(tmp_path):
    contents = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, half(tasks=("x",)), nothing(tasks=("x",)), clean(tasks=("x",)))
        files = sorted(f for f in (tmp_path / name).rglob("*") if f.is_file())
        contents.append({str(f.relative_to(tmp_path / name)): f.read_bytes() for f in files})
    assert contents[0] == contents[1]


def test_25_methods(tmp_path):
    tasks = ("x",)
    others = [
        result(f"method_{i}", lambda s, i=i: [1.0, 1.5, 1 + i / 10 + s / 100], tasks=tasks)
        for i in range(23)
    ]
    page = written(tmp_path, *others, nothing(tasks=tasks), clean(tasks=tasks))
    assert len(page.tables["score-table"]) == 26
    looks = style_methods([f"method_{i}" for i in range(23)] + ["nothing", "clean"])
    assert len(set(looks.values())) == 25
    svg = (tmp_path / "out" / "figures" / "primary-x.svg").read_text()
    assert all(f">{name}<" in svg for name in looks)


def test_one_seed_says_so(tmp_path):
    one = ONE | {"seeds": (4,)}
    page = written(
        tmp_path, result("half", lambda s: [1.0, 1.5, 2.5], **one), nothing(**one), clean(**one)
    )
    assert page.row("score-table", "half")[1:6] == ["0.50", "-", "", "-", "-"]
    assert "One seed: no interval and no tiers" in " ".join(page.text.split())
    assert "Bands:" not in page.text


def test_samples_of_a_run_and_their_absence(finished_run, tmp_path, monkeypatch, capsys):
    runs = finished_run.out / "quick"
    results = {name: load_result(runs / f"{name}.json") for name in REFERENCES}
    profiles = [g.profile for r in results.values() for t in r.tasks.values()
                for line in t.lineages for g in line.generations]  # fmt: skip
    entries = list_metrics({name for profile in profiles for name in profile})
    assert len(entries) >= 19
    assert all(entry.meaning and entry.good for entry in entries)

    for name, found in results.items():  # drawing every entry takes seconds
        for task in found.tasks.values():
            for generation in task.lineages[0].generations:
                generation.profile = {task.primary: generation.profile[task.primary]}
        (runs / f"{name}.json").write_bytes(found.to_json())
    words = ("report", runs / "nothing.json", "--out", tmp_path / "r")
    assert cli(monkeypatch, *words) == 0
    assert str(tmp_path / "r" / "report.html") in capsys.readouterr().out
    page = Page((tmp_path / "r" / "report.html").read_text())
    seen = [name for name, task in results["nothing"].tasks.items() if task.modality != "text"]
    pictures = sum(link.startswith("data:image/png") for link in page.asked)
    assert pictures == len(REFERENCES) * len(seen)
    for name in seen:
        assert (tmp_path / "r" / "figures" / f"samples-{name}.png").exists()
    assert page.tags.count("blockquote") >= 3
    assert "all shown" in page.text  # generation 0 is the same
    assert "No samples" not in page.text
    assert "MNIST digits" in page.text
    assert "Logarithm of the Frechet distance" in page.text

    (runs / "lineages").rename(tmp_path / "elsewhere")
    given = {"nothing": (runs / "nothing.json", results["nothing"])}
    showing = show_samples(given, "digits-replace", ["nothing"], tmp_path / "r")
    assert (showing.shown, showing.missing) == ({}, ["nothing"])


def test_names_in_a_result_do_not_lead_elsewhere(tmp_path):
    task = tiny.by_name(tiny.TINY)["digits-replace"]
    away = result("away", lambda s: [1.0])
    away.method.name = "../../secret"
    folder = tmp_path / "secret" / f"digits-replace-seed0-{task.hash[:8]}-0"
    folder.mkdir(parents=True)
    (tmp_path / "small" / "lineages").mkdir(parents=True)
    assert find_lineage(away, tmp_path / "small" / "0.json", task, 0) is None
    inside = tmp_path / "small" / "lineages" / "half" / folder.name
    inside.mkdir(parents=True)
    assert find_lineage(half(), tmp_path / "small" / "0.json", task, 0) == inside


def test_folders_that_cannot_be_written_are_one_sentence(tmp_path, monkeypatch, capsys):
    for some in (nothing(), clean(), half()):
        (tmp_path / f"{some.method.name}.json").write_bytes(some.to_json())
    (tmp_path / "file").write_text("here")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/full")):
        assert cli(monkeypatch, "report", tmp_path / "half.json", "--out", out) == 1
        doing, said = capsys.readouterr().err.splitlines()
        assert doing == "Drawing the figures and writing the page"
        assert said.startswith("autophagy: cannot write the report")
    assert cli(monkeypatch, "report", tmp_path / "no.json") == 1
    assert "cannot read the result" in capsys.readouterr().err
    with pytest.raises(InputError, match="'clean'"):
        write_report(
            {tmp_path / "half.json": half(), tmp_path / "nothing.json": nothing()}, tmp_path
        )


def test_a_figure_shows_the_mean_and_where_a_lineage_ended():
    curves = {"m": np.array([[1.0, 2, 3], [1, 4, np.nan]]), "none": np.full((2, 3), np.nan)}
    looks = style_methods(["m", "none"])
    svg = draw_panels([Panel("t", "y", curves)], looks, ["svg"], 1, (3, 2), legend=True)[
        "svg"
    ].decode()
    assert ">none<" in svg
    complete = curves | {"m": np.array([[1.0, 2, 3], [1, 4, 3]])}
    whole = draw_panels([Panel("t", "y", complete)], looks, ["svg"], 1, (3, 2), legend=True)["svg"]
    assert svg.count(looks["m"].colour) > whole.decode().count(looks["m"].colour)  # the cross
    assert looks["m"].colour in add_dark_theme(svg)
    assert f"stroke: {looks['m'].colour}" not in add_dark_theme(svg)
    assert "prefers-color-scheme:dark" in add_dark_theme(svg)


def test_generations_that_are_shown():
    assert spread_generations(10, 6) == [0, 2, 4, 6, 8, 10]
    assert spread_generations(3, 6) == [0, 1, 2, 3]
    assert spread_generations(10, 3) == [0, 5, 10]
    assert spread_generations(0, 3) == [0]


def test_entries_are_named_once_and_unknown_ones_are_kept():
    assert len({entry.name for entry in METRICS}) == len(METRICS)
    assert [entry.title for entry in list_metrics(["later", "recall"])] == ["recall", "later"]


def test_what_was_trained_on_is_measured_by_source():
    generation = GenerationResult(
        generation=1,
        status="ok",
        profile={"recall": 0.5},
        trained_on={"real": 0.25, "own": 0.5, "foreign": 0.0, "reserve": 0.25, "other": 0.0},
        kept={"real": 0.9, "own": 0.2, "synthetic": 0.3},
    )
    shares = {"trained_on_real": 0.5, "kept_real": 0.9, "kept_synthetic": 0.3}
    assert gather_measures(generation) == {"recall": 0.5} | shares
    old = generation.model_copy(update={"trained_on": {}, "kept": {}})
    assert gather_measures(old) == {"recall": 0.5}
    assert not shares.keys() - {entry.name for entry in METRICS}
