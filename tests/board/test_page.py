"""The page: its answers, and what a reader sees in a real browser without any network."""

import base64
import io
import json
import re
import socket
import threading
import time
import urllib.request
from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("gradio", reason="the board's packages are not installed")

import gradio as gr
from gradio_client import Client
from gradio_client.exceptions import AppError

from leaderboard.board.entries import read_board
from leaderboard.board.filters import Filters
from leaderboard.board.source import BoardSource
from leaderboard.board.table import make_frame
from leaderboard.board.views import TABS, View
from leaderboard.page.page import serve_page
from leaderboard.page.tabs import compare, method, pictures, table
from tests.board import toys
from tests.test_run import cli

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MODULES = {"pictures": (pictures, 4), "method": (method, 3), "compare": (compare, 3)}
ALL = {"suite": "small", "tasks": "all", "access": [], "trust": [], "search": "", "sort": ""}
ROWS = "#scores tbody tr"


@pytest.fixture(scope="module")
def root(tmp_path_factory, frozen):
    return toys.write(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def address(root):
    """A running page."""
    page = serve_page(BoardSource(root=root), port=0, block=False)
    yield page.local_url.rstrip("/")
    page.close()


@pytest.fixture(scope="module")
def client(address):
    return Client(address, verbose=False)


def asked(client, **changes):
    """The rows of the table that some filters give, by method."""
    found = client.predict(*(ALL | changes).values(), api_name="/table")
    return pd.DataFrame(found).set_index("method")


# What the page answers


def test_programs_get_all_methods_with_numbers_as_numbers(client):
    found = asked(client)
    assert set(found.index) == {
        "clean", "nothing", "accumulate_subsample", "anchor", "twin", "hostile",
    }  # fmt: skip
    assert list(found["score"]) == sorted(found["score"], reverse=True)
    numbers = found[["tier", "score", *(f"recovery {task}" for task in toys.TASKS), "samples"]]
    assert numbers.map(lambda x: x + 0).notna().all(None)
    assert asked(client, sort="-score").index[0] == "hostile"
    with pytest.raises(AppError, match="only quick, small"):
        asked(client, suite="x")


def test_a_tie_shares_a_tier_and_its_ranks(client):
    tie = asked(client).loc[["anchor", "twin"]]
    assert tie["tier"].nunique() == 1
    assert set(tie["ranks"]) == {"3"}


@pytest.mark.parametrize(
    ("filters", "methods"),
    [
        ({"access": ["reserve"]}, {"anchor", "twin"}),
        ({"access": ["reserve", "model"]}, {"anchor", "twin", "hostile"}),
        ({"access": ["blind"]}, set()),
        ({"search": "LOVELACE"}, {"anchor"}),
        ({"trust": ["re-run"]}, {"accumulate_subsample"}),
        ({"trust": ["re-scored"]}, set()),
        ({"access": ["model"], "search": "onerror"}, {"hostile"}),
    ],
)
def test_filters_hide_methods_and_keep_their_ranks(client, filters, methods):
    whole, found = asked(client), asked(client, **filters)
    assert set(found.index) - {"clean", "nothing"} == methods
    assert all(found.loc[name, "tier"] == whole.loc[name, "tier"] for name in found.index)


def test_another_choice_of_tasks_ranks_anew(client):
    whole, images = (asked(client, tasks=tasks) for tasks in ("all", "image"))
    tasks = [f"recovery {t.name}" for t in toys.SMALL if t.modality == "image"]
    assert images.loc["anchor", "score"] == pytest.approx(images.loc["anchor", tasks].mean())
    assert images.loc["anchor", "score"] != whole.loc["anchor", "score"]


def test_a_suite_has_its_own_methods(client):
    found = asked(client, suite="quick", access=["archive"])
    assert set(found.index) == {"archivist", "clean", "nothing"}
    assert found["tier"].isna().all()  # one seed


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_downloads_hold_the_selected_rows(client, ending):
    chosen = list((ALL | {"search": "onerror"}).values())
    name, content = client.predict(*chosen, api_name=f"/{ending}").split(";")
    content = io.BytesIO(base64.b64decode(content))
    found = pd.read_csv(content) if ending == "csv" else pd.read_parquet(content)
    assert name == f"autophagy-small.{ending}"
    assert list(found["method"]) == ["hostile"]
    assert found["access"].item() == "model"


def test_the_papers_of_the_selected_rows_can_be_cited(client):
    chosen = list((ALL | {"search": "anchor"}).values())
    name, content = client.predict(*chosen, api_name="/bib").split(";")
    cited = base64.b64decode(content).decode()
    assert name == "autophagy-small.bib"
    assert "@" in cited
    assert "anchor" in cited
    assert "twin" not in cited


@pytest.mark.slow
def test_fifty_readers_at_once(address):
    """Each loads the page and asks for a filtered table; all get theirs."""
    answers = []

    def read(i):
        with urllib.request.urlopen(f"{address}/", timeout=300) as page:
            assert page.status == 200
        search = "onerror" if i % 2 else "lovelace"
        body = json.dumps({"data": list((ALL | {"search": search}).values())}).encode()
        call = f"{address}/gradio_api/call/table"
        asking = urllib.request.Request(call, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asking, timeout=300) as reply:
            event = json.load(reply)["event_id"]
        with urllib.request.urlopen(f"{call}/{event}", timeout=300) as stream:
            said = stream.read().decode()
        right, wrong = ("hostile", "anchor") if i % 2 else ("anchor", "hostile")
        answers.append("event: complete" in said and f'"{right}"' in said and wrong not in said)

    readers = [threading.Thread(target=read, args=(i,)) for i in range(50)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(60)
    assert answers == [True] * 50


def test_five_thousand_methods_are_filtered_in_half_a_second(root, monkeypatch):
    board = read_board(root)
    large = toys.large(make_frame(board, "small"), 5_000)
    monkeypatch.setattr(table, "make_frame", lambda *_: large)
    begun = time.thread_time()
    _, count, scores, *_ = table.draw_tab(board, View(Filters("small", search="method_49")))
    assert time.thread_time() - begun < 0.5
    assert "111 of 5,004" in count
    assert scores.count("<tr class") == 111
    _, count, scores, *_ = table.draw_tab(board, View(Filters("small")))
    assert scores.count("<tr class") == table.MOST_ROWS
    assert f"the first {table.MOST_ROWS} rows" in count


def test_an_empty_board_says_so(tmp_path):
    page = serve_page(BoardSource(root=tmp_path), port=0, block=False)
    try:
        said = Client(page.local_url, verbose=False).predict("", api_name="/open")
        assert "no result to show yet" in str(said)
    finally:
        page.close()


def test_a_port_that_is_taken_is_one_sentence(monkeypatch, capsys):
    with gr.Blocks() as empty:
        pass
    monkeypatch.setattr("leaderboard.page.page.build_page", lambda source: empty)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli(monkeypatch, "board", "--port", port, "--no-open") == 1
    said = f"port {port} is in use or not allowed: give another --port, 0 takes any that is free"
    assert capsys.readouterr().err == f"autophagy: {said}\n"


# What a reader sees


@pytest.fixture
def visit(browser, address):
    """Opens an address of the page; at the end nothing may have gone wrong on it."""
    seen = SimpleNamespace(errors=[], foreign=[], dialogs=[])
    contexts = []

    def on_request(request):
        if not request.url.startswith((address, "data:", "blob:")):
            seen.foreign.append(request.url)

    def opened(query="", size=DESKTOP, theme="light"):
        context = browser.new_context(viewport=size, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)  # beside other work
        page.on("console", lambda m: m.type in ("error", "warning") and seen.errors.append(m.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", on_request)
        page.on("dialog", lambda d: (seen.dialogs.append(d.message), d.dismiss()))
        page.goto(f"{address}/{query}")
        page.wait_for_selector("#places nav")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert seen == SimpleNamespace(errors=[], foreign=[], dialogs=[])


def in_address(page, words):
    page.wait_for_function("words => location.search.includes(words)", arg=words)


def turn_to(page, tab):
    """Open a tab by its link, until all of it is there."""
    page.click(f"nav a:text-is('{TABS[tab]}')")
    page.wait_for_selector(f"nav [aria-current]:text-is('{TABS[tab]}')")
    charts = {"pictures": 4, "method": 1, "compare": 2}.get(tab, 0)
    there = "count => document.querySelectorAll('.picture svg.marks').length >= count"
    page.wait_for_function(there, arg=charts)


def as_wide_as_the_screen(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_search_is_in_the_address_and_survives_a_reload(visit):
    page = visit()
    page.locator("#search textarea, #search input").press_sequentially("lovelace")
    in_address(page, "search=lovelace")
    page.wait_for_selector("text=1 of 4 methods")
    page.wait_for_timeout(1_000)  # answers still under way would end as errors of the old page
    page.reload()
    page.wait_for_selector("text=1 of 4 methods")
    assert page.input_value("#search textarea, #search input") == "lovelace"
    assert page.locator(f"{ROWS} th").all_inner_texts() == ["anchor"]
    assert page.locator("#search").get_by_text("Search").is_visible()
    assert as_wide_as_the_screen(page)


def test_a_name_opens_its_method_and_back_and_forward_work(visit):
    page = visit()
    page.click(f"{ROWS} a:text-is('accumulate_subsample')")
    page.wait_for_selector("#card h2:text('accumulate_subsample')")
    page.wait_for_selector("#profile :text('catastrophic risk')")
    page.wait_for_selector(".picture svg.marks")
    in_address(page, "tab=method&method=accumulate_subsample")
    assert page.locator("#card").get_by_text("re-run").first.is_visible()
    assert page.title() == "accumulate_subsample · small · Autophagy Bench"
    assert page.evaluate("document.activeElement.textContent") == "Method"  # where the reader is
    page.go_back()
    page.wait_for_selector(ROWS)
    assert page.locator("#card").count() == 0
    page.go_forward()
    page.wait_for_selector("#card h2:text('accumulate_subsample')")
    page.click("nav a:text-is('Table')")
    page.wait_for_selector("#opening table")
    in_address(page, "?suite=small")


def test_headers_sort_and_filters_lead_back(visit):
    page = visit()
    page.click(f"#sort-{toys.IMAGE}")
    page.wait_for_selector(f"th[aria-sort=descending] #sort-{toys.IMAGE}")
    assert page.locator(f"{ROWS} th").first.inner_text().startswith("clean")
    page.click(f"#sort-{toys.IMAGE}")
    page.wait_for_selector(f"th[aria-sort=ascending] #sort-{toys.IMAGE}")
    assert page.locator(f"{ROWS} th").first.inner_text().startswith("hostile")
    in_address(page, f"sort=-{toys.IMAGE}")
    page.wait_for_function(f"document.activeElement.id === 'sort-{toys.IMAGE}'")
    page.click("#access input")
    page.get_by_role("option", name="blind").click()
    page.keyboard.press("Escape")
    page.wait_for_selector("text=No method passes these filters (access: blind)")
    in_address(page, "access=blind")
    page.click("text=Show all methods")
    page.wait_for_selector("#count :text('4 methods')")
    assert "access" not in page.evaluate("location.search")
    page.go_back()
    page.wait_for_selector("text=No method passes these filters")


@pytest.mark.parametrize("query", ["?suite=nope", "?tab=method&method=nope", "?tab=nope"])
def test_an_address_that_does_not_exist_says_so_and_shows_nothing_else(visit, query):
    page = visit(query)
    page.wait_for_selector("#lost :text('nope')")
    for place in ("#opening", "#bar", "#count", "#scores", "#card", "#about"):
        assert not page.locator(place).is_visible(), place
    page.click("text=Open the table")
    page.wait_for_selector(ROWS)
    assert page.locator("#lost").count() == 0 or not page.locator("#lost").is_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_methods_stay_in_sight_and_hostile_words_are_words(visit, size):
    page = visit(size=size)
    row = page.get_by_role("row").filter(has_text="hostile")
    page.wait_for_selector(ROWS)
    page.evaluate("document.querySelector('.scores').scrollLeft = 9999")
    cell, table = (
        place.bounding_box() for place in (row.get_by_role("rowheader"), page.locator("#scores"))
    )
    assert table["x"] <= cell["x"] < table["x"] + 20
    assert toys.ATTACK[:40] in row.locator(".authors").inner_text()
    assert row.get_by_role("link", name="paper").get_attribute("href") == toys.LINK
    assert as_wide_as_the_screen(page)
    assert not re.search("cpu|processor", page.inner_text("#scores"), re.IGNORECASE)


@pytest.mark.parametrize("tab", ["pictures", "method", "compare"])
def test_a_search_without_a_match_leaves_every_tab_whole(root, tab):
    board, filters = read_board(root), Filters("small", search="nobody wrote this")
    module, controls = MODULES[tab]
    now = module.list_choices(board, filters, [None] * controls)
    assert module.draw_tab(board, filters, [choice.value for choice in now])


def test_pictures_begin_with_the_best_of_each_access(root):
    methods = pictures.list_choices(read_board(root), Filters("small"), [None] * 4)[0]
    # anchor sees what its twin sees, and scores less.
    assert methods.value == ["accumulate_subsample", "twin", "hostile"]
    assert set(methods.offered) - set(methods.value) == {"anchor"}


def test_another_suite_has_its_own_rows(visit):
    page = visit()
    page.locator("#suite label").filter(has_text="quick").click()
    in_address(page, "suite=quick")
    page.wait_for_selector("#count :text('n = 0 methods')")
    page.click(f"{ROWS} a:text-is('archivist')")
    page.wait_for_selector("#card h2:text('archivist')")
    in_address(page, "suite=quick&tab=method&method=archivist")


def test_two_methods_are_compared_in_the_dark(visit):
    page = visit("?tab=compare&a=anchor&b=twin", theme="dark")
    page.wait_for_selector("#verdict :text('anchor and twin cannot be told apart')")
    page.click("#b input")
    page.get_by_role("option", name="accumulate_subsample").click()
    page.wait_for_selector("#verdict :text('accumulate_subsample is better than anchor')")
    in_address(page, "b=accumulate_subsample")
    assert page.locator("body.dark").count() == 1


def test_pictures_fit_a_phone_in_the_dark_and_the_measure_follows_the_task(visit):
    page = visit("?tab=pictures", PHONE, "dark")
    page.wait_for_function("document.querySelectorAll('.picture svg.marks').length >= 4")
    assert as_wide_as_the_screen(page)
    line = page.locator("#curves svg .mark-line path").first
    assert line.bounding_box()["width"] > 150
    inks = page.evaluate(
        "[...document.querySelectorAll('#curves svg text')].map(t => getComputedStyle(t).fill)"
    )
    assert set(inks) == {"rgb(228, 230, 233)"}  # light on dark
    page.click("#task input")
    page.get_by_role("option", name=toys.TEXT).click()
    in_address(page, f"task={toys.TEXT}")
    assert page.input_value("#measure input") == "held-out loss (scored)"


def test_questions_and_findings_are_tabs_of_their_own(visit):
    page = visit()
    page.click("nav a:text-is('What breaks it?')")
    page.wait_for_selector("text=There is no result of suite stress yet")
    assert "autophagy run" in page.inner_text("#count")
    assert not page.locator("#bar").is_visible()
    page.click("nav a:text-is('The laboratory loop')")
    page.wait_for_selector("text=There is no result of suite closed yet")
    page.click("nav a:text-is('Findings')")
    page.wait_for_selector("#findings img")
    in_address(page, "tab=findings")
    sizes = page.evaluate(
        "[...document.querySelectorAll('#findings img')].map(i => i.complete && i.naturalWidth)"
    )
    assert min(sizes) > 100


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_serious_finding_of_axe_or_a_meaning_for_the_mouse_only(visit, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(theme=theme)
    for tab in TABS:
        turn_to(page, tab)
        found = axe.run(page).response["violations"]
        wrong = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
        assert not wrong, (tab, wrong, [v["nodes"][0]["html"] for v in found])
        assert page.locator(".html-container [title]").count() == 0, tab


@pytest.mark.slow
def test_every_tab_fits_a_phone(visit):
    page = visit(size=PHONE)
    for tab in TABS:
        turn_to(page, tab)
        assert as_wide_as_the_screen(page), tab


def test_hostile_words_are_shown_as_words(visit):
    page = visit("?tab=method&method=hostile")
    page.wait_for_selector("#card h2:text('hostile')")
    page.wait_for_selector("#profile table")
    assert toys.SUMMARY in page.inner_text("#card")
    assert page.locator(f"#card a[href='{toys.LINK}'][rel~=noopener]").count() == 1
    page.click("#method-task input")
    page.get_by_role("option", name=toys.TEXT).click()
    page.wait_for_selector("blockquote")
    assert toys.EXCERPT in page.inner_text("blockquote")
    page.click("nav a:text-is('Table')")
    page.wait_for_selector("#refused :text('<b onclick=alert(4)>.json')")
    page.wait_for_selector(ROWS)
    assert page.locator("script:text('alert'), img[src=x], b[onclick]").count() == 0


def test_everything_can_be_reached_with_the_keyboard(visit):
    page = visit()
    page.wait_for_selector(ROWS)
    wanted = {"places", "opening", "suite", "tasks", "access", "trust", "search", "sort-score",
              "scores", "csv", "notes"}  # fmt: skip
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached |= set(
            page.evaluate(
                "(() => { const ids = []; for (let e = document.activeElement; e; "
                "e = e.parentElement) ids.push(e.id); return ids; })()"
            )
        )
        if wanted <= reached:
            break
    assert wanted <= reached
    page.focus("#sort-score")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.focus("#search textarea, #search input")
    page.keyboard.type("twin")
    in_address(page, "search=twin")


def test_about_explains_and_the_download_arrives(visit):
    page = visit()
    with page.expect_download() as download:
        page.click("#csv")
    assert download.value.suggested_filename == "autophagy-small.csv"
    page.click("nav a:text-is('About')")
    page.wait_for_selector("#about :text('Submit a method in five commands')")
    assert re.search(r"autophagy validate", page.inner_text("#about"))
    in_address(page, "tab=about")


def test_no_text_of_a_stranger_is_in_a_chart_but_names(root):
    """Tooltips are HTML to some readers of charts: names cannot be markup, and nothing else is
    there."""
    board, filters = read_board(root), Filters("small")
    for module, count in MODULES.values():
        now = module.list_choices(board, filters, [None] * count)
        now = [choice.value for choice in now]
        if module is not pictures:
            now[0] = "hostile"
        drawn = module.draw_tab(board, filters, now)
        specs = [part.plot for part in drawn if hasattr(part, "plot")]
        assert specs
        for spec in specs:
            assert not re.search(r"[<>]|alert|javascript", re.sub(r"datum\.\w+ [<>]=? ", "", spec))
