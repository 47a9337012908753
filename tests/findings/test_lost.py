"""The table of docs/findings.md on what there is to lose is of the references that are stored."""

from tests.findings import lost
from tests.findings.table import fill_page


def test_the_page_holds_the_table_of_what_is_stored():
    page = lost.PAGE.read_text("utf-8")
    assert fill_page(page, lost.write_table(), lost.MARK) == page, "python -m tests.findings.lost"


def test_every_task_is_a_row_with_its_seeds_and_interval():
    rows = lost.write_table().splitlines()[2:]
    assert len(rows) == 3 + 3 + 13
    (fast,) = (row.split(" | ") for row in rows if "`digits-web-fast`" in row)
    assert fast[2] == "3"
    apart, low, high = (float(x.strip("()|")) for x in fast[5].split() if x not in ("to", "|"))
    assert low < apart < high
    assert abs(float(fast[4]) - float(fast[3]) - apart) < 0.011
