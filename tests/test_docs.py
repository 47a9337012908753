"""The site says what the code says, every page can be reached, and nothing is asked of others."""

from __future__ import annotations

import functools
import http.server
import json
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

pytest.importorskip("mkdocs", reason="the packages of the site are not installed")

from benchmark import run
from benchmark.interface.access import Access
from benchmark.interface.names import find_baselines
from benchmark.metrics.meanings import METRICS
from benchmark.results.references import find_references
from benchmark.results.schema import load_result
from benchmark.results.standings import score_result
from benchmark.tasks.suites import load_suite, load_task
from docs.generate.hooks import fill_places, lead_out
from docs.generate.methods import write_methods
from docs.generate.metrics import write_metrics
from docs.generate.prose import escape_prose, write_value
from docs.generate.tasks import find_differences, list_pages, write_task_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDERS = "benchmark|baselines|docs|leaderboard|submissions|tests"
PAGES = pytest.mark.parametrize(
    "page",
    [*sorted(ROOT.glob("[RC]*.md")), *sorted(DOCS.rglob("*.md"))],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["'](?:https?:)?//"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|next|prev))[^>]*\bhref=["'](?:https?:)?//"""
    r"""|(?:@import\s+["']|url\(\s*["']?)(?:https?:)?//""",
    re.IGNORECASE,
)


def test_every_task_of_the_laptops_suites_has_a_page_of_its_own_fields():
    pages = list_pages()
    for name in ("small", "closed", "stress"):
        assert {task.name for task in load_suite(name).tasks} <= set(pages)
    suite, task = pages["digits-web-biased-reserve"]
    page, _ = write_task_page(suite, task)
    assert f"| `n` | {task.n:,} |" in page
    assert task.hash[:12] in page
    rows = [line for line in page.splitlines() if line.startswith("| `reserve_bias")]
    assert len(rows) == 3  # the option's class and its two bounds, and nothing else differs
    assert len(find_differences(task, load_task("digits-web"))) == 3


def test_the_page_of_a_task_follows_the_task():
    suite, task = list_pages()["speeches-replace"]
    page, _ = write_task_page(suite, replace(task, n=1234, generator=replace(task.generator, lr=7)))
    assert "| `n` | 1,234 | 2,000 |" in page  # what differs from the standard task
    assert "| `generator.lr` | 7 |" in page
    assert "| 8 | 0 | 1,234 | 0 |" in page  # the last crawl


@pytest.mark.parametrize("name", ["digits-web", "numerals-web"])
def test_a_task_of_the_standard_suite_shows_its_first_and_last_generation(name):
    page, pictures = write_task_page(*list_pages()[name])
    shown = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", page)
    assert {file for _, file in shown} == set(pictures)
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert any("generation 0" in alt for alt, _ in shown)
    assert any("clean, generation 8" in alt for alt, _ in shown)


def test_every_metric_has_its_sentences():
    page = write_metrics()
    for metric in METRICS:
        assert f"| {metric.title}<br>`{metric.name}` |" in page
        for sentence in filter(None, (metric.meaning, metric.text, metric.pair)):
            assert escape_prose(sentence) in page


def test_every_baseline_has_its_section():
    page = write_methods()
    for name in (*find_baselines(), "clean"):
        assert page.count(f"### `{name}`\n") == 1, name
    section = page.partition("### `anchor`\n")[2].partition("### ")[0]
    assert "`RESERVE`" in section
    assert "Alemohammad et al. 2024" in section
    assert "baselines/anchor.py" in section


def test_the_page_of_the_interface_names_every_access():
    page = (DOCS / "interface.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([A-Z]+)` \|.*\| (\w+) \|$", page, re.MULTILINE) == [
        (access.name, access.value) for access in Access
    ]


@pytest.mark.parametrize("page", ["interface", "getting-started"])
def test_the_examples_of_a_page_are_methods(page, tmp_path, tiny_suite):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    result = run(tmp_path / "example.py", tasks="digits-replace", workers=1, out=tmp_path / "runs")
    assert not result["example"].failures


def test_what_is_written_in_a_docstring_is_no_markup():
    assert escape_prose("(1-a)*n of `S_*` <b> [x]") == r"(1-a)\*n of `S_*` \<b\> \[x\]"
    assert write_value("ab" * 32) == "`abababababab...`"


def test_links_out_of_the_site_lead_to_files_that_exist():
    led = lead_out("[a](../../benchmark/metrics) [b](../rules.md)", "contributing/x.md")
    assert led == (
        "[a](https://github.com/autophagy-bench/autophagy-bench/tree/main/benchmark/metrics) "
        "[b](../rules.md)"
    )
    with pytest.raises(Exception, match=r"x\.md links to \.\./nowhere\.py"):
        lead_out("[a](../nowhere.py)", "x.md")
    with pytest.raises(Exception, match="is none of"):
        fill_places("<!-- site: nothing -->")


@PAGES
def test_the_links_of_a_page_lead_somewhere_on_github_too(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        assert "://" in target or (page.parent / target).exists(), target


@PAGES
def test_files_of_the_repository_that_a_page_names_exist(page):
    """In capitals stand names that a reader fills in."""
    found = re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", page.read_text(encoding="utf-8"))
    named = [name for name in found if not re.search("[A-Z]{4}", name)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_is_short_and_leads_to_every_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 160
    led = set(re.findall(r"\]\(docs/([\w/-]+\.(?:md|ipynb))\)", text))
    pages = {p.relative_to(DOCS).as_posix() for p in DOCS.glob("*.md")} | {"tasks/index.md"}
    assert pages - led <= {"index.md", "glossary.md"}


# The notebook


def test_the_notebook_is_stored_without_outputs():
    book = json.loads((DOCS / "quickstart.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells)


def find_example(page: Path) -> str:
    """The first block of Python on a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]


def test_the_method_of_the_readme_is_that_of_the_first_page():
    own = find_example(ROOT / "README.md").removeprefix("# my_method.py\n")
    assert own == find_example(DOCS / "getting-started.md")


def test_the_notebook_has_the_method_of_the_first_page_and_pins_torch_as_the_project_does():
    book = json.loads((DOCS / "quickstart.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in book["cells"]]
    method = find_example(DOCS / "getting-started.md")
    assert f"%%writefile my_method.py\n{method.rstrip()}" in cells
    (pinned,) = re.findall(r"^torch==.*$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f'"{pinned}"' in "".join(cells)


EXECUTE = """
import sys, nbformat, nbclient
book = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(book, timeout=900, kernel_name="python3").execute()
nbformat.write(book, sys.argv[2])
"""


@pytest.mark.slow
def test_the_notebook_runs_and_its_method_recovers_something_on_every_task(tmp_path, monkeypatch):
    """The method is that of the README and of the first page."""
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = tmp_path / "done.ipynb"
    # A process of its own: it takes over signals and the event loop.
    words = [sys.executable, "-c", EXECUTE, str(DOCS / "quickstart.ipynb"), str(done)]
    subprocess.run(words, cwd=tmp_path, check=True)
    book = nbformat.read(done, as_version=4)
    outputs = [cell.outputs for cell in book.cells if cell.cell_type == "code"]
    said = "".join(output.text for output in outputs[-1])
    (recovery,) = re.findall(r"recovery of my_method on suite quick: (-?\d\.\d\d)$", said.strip())
    assert 0 < float(recovery) < 1
    stored = tmp_path / "runs" / "quick" / "my_method.json"
    result = load_result(stored)
    found = score_result(result, *find_references(result, stored).values())
    # One seed and another processor move a task by a tenth; it recovers three or more of each.
    assert min(map(fmean, found.recoveries.values())) > 0
    assert not result.failures
    assert any("image/png" in o.get("data", {}) for cell in outputs for o in cell)  # the figure
    assert (tmp_path / "report" / "report.html").is_file()


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built strictly from a checkout."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_no_page_asks_anything_of_another_server(site):
    files = [f for f in site.rglob("*") if f.suffix in {".html", ".css", ".svg"}]
    assert len(files) > 40
    for file in files:
        found = ELSEWHERE.search(file.read_text(encoding="utf-8"))
        assert found is None, f"{file.relative_to(site)}: {found and found[0]}"


@pytest.mark.slow
def test_the_reference_has_every_public_function_of_metrics_and_results(site):
    for room, name in (("metrics", "frechet_distance"), ("results", "rank_results")):
        page = (site / "reference" / room / "index.html").read_text(encoding="utf-8")
        assert f'id="benchmark.{room}.' in page
        assert name in page
    interface = (site / "interface" / "index.html").read_text(encoding="utf-8")
    for what in ("Mitigation.curate", "Mitigation.sampling", "Round.log_prob", "Round.archive"):
        assert re.search(rf'id="benchmark\.interface\.\w+\.{what}"', interface), what
    assert "Round.renew" not in interface


@pytest.mark.slow
def test_pages_fit_a_phone_search_works_and_nothing_leaves_the_site(site, browser):
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(90_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in ("", "tasks/numerals-web/", "methods/", "metrics/", "reference/results/"):
            page.goto(home + path)
            page.wait_for_load_state("networkidle")
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) == 0, path
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(home)
        page.get_by_role("textbox", name="Search").click()
        page.get_by_text("Type to start searching").wait_for()  # the index is read
        page.keyboard.type("laundering")
        page.locator(".md-search-result__item").first.wait_for()
        page.close()
        server.shutdown()
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass
