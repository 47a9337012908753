"""What a reader sees first: collapse itself, the best of each access tier, what it costs."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from benchmark.basics.errors import CorruptFile
from benchmark.results import references
from benchmark.results.costs import Relative, compare_costs, sum_both
from benchmark.results.gallery import Gallery, Shown, crop_row, load_gallery
from benchmark.submission.record import record_state
from benchmark.tasks.pairs import sheet
from leaderboard.board.entries import read_board
from leaderboard.board.filters import Filters
from leaderboard.board.opening import make_opening
from leaderboard.board.predictions import predict_main
from leaderboard.board.source import HERE
from leaderboard.board.table import make_frame
from leaderboard.board.views import View
from leaderboard.page.charts import find_front
from leaderboard.page.tabs.opening import draw_opening
from leaderboard.publishing.evidence import tabulate_access
from tests.board import toys
from tests.stored import skip_if_stale

pytestmark = pytest.mark.usefixtures("frozen")


def picture(rows, width=280, height=28):
    content = io.BytesIO()
    Image.new("L", (width, height * rows), 128).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def keep(root, method, generations, suite="small"):
    """A gallery with these generations of the image task and of the text task."""
    texts = {t: f"{method} says «{t}» " + "and so on " * 30 for t in generations}
    tasks = {
        toys.IMAGE: Shown(
            seed=0, generations=list(generations), png=picture(len(generations))
        ),
        toys.TEXT: Shown(seed=0, texts=texts),
    }  # fmt: skip
    file = root / "gallery" / suite / f"{method}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(Gallery(tasks=tasks).to_json())


@pytest.fixture
def root(tmp_path):
    toys.store(
        tmp_path,
        toys.result("keeper", 0.4, access=("ARCHIVE",)),
        toys.result("older", 0.2, access=("ARCHIVE",)),
        toys.result("seer", 0.6, access=("ARCHIVE", "MODEL")),
        toys.result("partial", 0.9, access=("ARCHIVE",), absent=toys.TASKS[1:]),
    )
    return tmp_path


def test_it_shows_the_best_archive_method_between_the_references(root):
    for method in ("nothing", "keeper", "clean"):
        keep(root, method, (0, 2, 4, 6, 8))
    found = make_opening(read_board(root), "small")
    assert [row.method for row in found.rows] == ["nothing", "keeper", "clean"]
    assert found.generations == (0, 4, 8)
    image = next(piece for piece in found.rows[1].cells[2] if piece.png)
    assert image.alt.startswith(f"keeper, generation 8 of {toys.IMAGE}: ten images of one class")
    assert "distance" in image.alt
    text = next(piece for piece in found.rows[1].cells[2] if piece.text)
    assert text.text.startswith("keeper says «8»")
    assert text.text.endswith("…")
    drawn = draw_opening(read_board(root), View(Filters("small")))
    assert drawn.count("<img") == 9
    assert "?suite=small&amp;tab=method&amp;method=keeper" in drawn
    assert draw_opening(read_board(root), View(Filters("small"), "pictures")) == ""


def test_what_was_not_kept_is_said_in_words(root):
    keep(root, "nothing", (0, 3, 5, 8))
    keep(root, "keeper", (0, 8))
    (root / "gallery" / "small" / "clean.json").write_text("{}")
    drawn = draw_opening(read_board(root), View(Filters("small")))
    assert f"{toys.IMAGE}: generation 5 was not kept, or had failed." in drawn
    assert "clean: gallery/small/clean.json is not a valid gallery" in drawn
    assert f"keeper: no samples of {toys.TASKS[2]} were sent." in drawn


def test_without_an_archive_method_the_row_says_so(tmp_path):
    toys.store(tmp_path, toys.result("anchor", 0.3))
    drawn = draw_opening(read_board(tmp_path), View(Filters("small")))
    assert "No method that only keeps past crawls" in drawn
    assert "nothing: no samples were sent." in drawn


def test_one_line_for_each_kind_of_access(root):
    lines = make_opening(read_board(root), "small").lines
    assert [(line.access, line.method) for line in lines] == [
        ("archive", "keeper"), ("archive + model", "seer"),
    ]  # fmt: skip
    assert " to " in lines[0].interval
    assert lines[0].cost == "1 items scored a sample, 900 trusted real items"


def test_who_claims_most_is_not_the_best_before_it_is_checked(root):
    """Unless nobody of its kind was checked, and then both are said."""
    warning = "self-reported; score above 1, that is, better than real data only: not checked"
    toys.store(root, toys.result("boaster", 3.0, access=("ARCHIVE",)))
    board = read_board(root)
    drawn = draw_opening(board, View(Filters("small")))
    assert drawn.count(warning) == 2  # of the figure's row, and of its line below
    found = make_opening(board, "small")
    assert found.rows[1].method == found.lines[0].method == "boaster"
    assert tabulate_access(board, "small")[0][2:4] == [
        "boaster", f"3.01 ({warning} by maintainers)",
    ]  # fmt: skip

    record_state(root / "results" / "small" / "older.json", "measured", "ours")
    board = read_board(root)
    found = make_opening(board, "small")
    assert [row.method for row in found.rows] == ["nothing", "older", "clean"]
    assert [(line.method, line.doubt) for line in found.lines] == [
        ("older", ""), ("seer", "self-reported"),
    ]  # fmt: skip
    assert "boaster" not in draw_opening(board, View(Filters("small")))
    by_access = {row[0]: (row[1], row[2], row[3]) for row in tabulate_access(board, "small")}
    assert by_access["archive"] == ("3", "older", "0.21")
    assert by_access["archive + model"][2].endswith(" (self-reported)")


def test_an_interval_is_over_the_seeds_of_its_own_row(root):
    toys.rerun(toys.store(root, toys.result("older", 0.45, access=("ARCHIVE",))), 0.45)
    toys.store(root, toys.result("keeper", 0.4, access=("ARCHIVE",), noise=0.02))
    board = read_board(root)
    assert [line.seeds for line in make_opening(board, "small").lines] == [3, 5]
    drawn = draw_opening(board, View(Filters("small")))
    assert "interval over n = 5 seeds, where no other n is named." in drawn
    assert drawn.count(", n = 3 seeds)") == 1
    toys.rerun(toys.store(root, toys.result("older", 0.45, "quick", access=("ARCHIVE",))), 0.45)
    drawn = draw_opening(read_board(root), View(Filters("quick")))
    assert "n = 1 seed: no interval, and the order may be chance, where no other n" in drawn
    assert drawn.count(", n = 3 seeds)") == 1


def test_costs_are_those_of_the_same_generations():
    nothing, dear = toys.result("nothing"), toys.result("dear")
    assert compare_costs(*sum_both(nothing, nothing)).training == 1
    failed = toys.result("dear", stops={(toys.TASKS[0], 0): 2})
    for result in (dear, failed, toys.result("dear", absent=toys.TASKS[1:])):
        found = compare_costs(*sum_both(result, nothing))
        assert (found.training, found.samples) == (1, 1)
    times = "\N{MULTIPLICATION SIGN}"
    assert Relative(1.2, 2.6, 0.0, 0).sentence == f"+20% training, 2.6 {times} samples"
    assert Relative().sentence == "no more than nothing"
    assert Relative(scored=0.75, real=100).sentence == (
        "0.75 items scored a sample, 100 trusted real items"
    )


def test_a_row_of_a_picture_is_cut_out(tmp_path):
    shown = Shown(seed=0, generations=[0, 4], png=picture(2, 690, 89))
    row = Image.open(io.BytesIO(base64.b64decode(crop_row(shown, 4, 0.5, sheet.STRIP))))
    assert row.size == (345, 89 - sheet.STRIP)
    assert crop_row(shown, 3) == ""
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(CorruptFile, match="not a valid gallery"):
        load_gallery(tmp_path / "x.json")


def test_a_picture_of_one_pixel_is_cut_too():
    shown = Shown(seed=0, generations=[0], png=picture(1, 1, 1))
    assert Image.open(io.BytesIO(base64.b64decode(crop_row(shown, 0, 0.1)))).size == (1, 1)


def test_quick_says_how_far_it_predicts(root):
    board = read_board(root)
    assert predict_main(board, "small") == predict_main(board, "stress") == ""
    assert predict_main(board, "closed").startswith("How far closed predicts small")
    assert "n = 0 methods have results in both, and 5 are needed" in predict_main(board, "quick")
    for name, share in zip("abcdef", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), strict=True):
        toys.store(root, *(toys.result(name, share, suite) for suite in ("small", "quick")))
    said = predict_main(read_board(root), "quick")
    assert "rank correlation 1.00 (95% interval" in said
    assert "n = 6 methods" in said
    assert "quick orders 15 the same way" in said


def test_whoever_claims_most_moves_neither_the_front_nor_the_prediction(root):
    """Where maintainers measured some."""
    for name, share in zip("abcdef", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), strict=True):
        for suite in ("small", "quick"):
            toys.rerun(toys.store(root, toys.result(name, share, suite)), share)
    for k in range(9):
        toys.store(
            root, toys.result(f"claim{k}", k, "small"), toys.result(f"claim{k}", -k, "quick")
        )
    board = read_board(root)
    assert "n = 6 methods" in predict_main(board, "quick")
    assert find_front(make_frame(board, "small"), "training") == {"f"}


def test_the_published_board_opens_with_pictures(monkeypatch):
    skip_if_stale()
    monkeypatch.setattr(references, "FOLDER", Path(references.__file__).parent)
    board = read_board(HERE)
    for suite in board.entries:
        rows = [row for row in make_opening(board, suite).rows if not row.absent]
        assert {"nothing", "clean"} <= {row.method for row in rows}
        for row in rows:
            kinds = {piece.kind for cell in row.cells for piece in cell if not piece.absent}
            assert kinds == {"image", "pair", "text"}, (suite, row.method)
            assert not any(piece.absent for cell in row.cells for piece in cell)
