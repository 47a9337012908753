"""All that the board knows of one method, as HTML."""

from __future__ import annotations

from statistics import fmean

import pandas as pd

from benchmark.interface.access import Access
from benchmark.metrics.definitions import DEFINITIONS
from benchmark.results.captions import COSTS, KINDS, SCORE
from benchmark.results.schema import Result
from benchmark.results.verdicts import MEASURABLE, judge_collapse
from leaderboard.board.entries import Board, Entry
from leaderboard.page.markup import Html, element, facts, joined, link, table, text
from leaderboard.page.profile import profiles

TRUST = {
    "self-reported": "nobody has checked the numbers yet",
    "re-scored": "a maintainer recomputed the last generation's profile from the uploaded samples",
    "re-run": "a maintainer ran the method again on seeds that are not public, and it agrees",
}


def method_page(board: Board, suite: str, name: str, row: pd.Series) -> tuple[Html, Html]:
    """What stands above and below the method's curves.

    Args:
        row: the method's, of `table.make_frame`.

    Raises:
        InputError: there is no such entry, or its file is gone.
        CorruptFile: its file was damaged meanwhile.
    """
    entry, result = board.entry(suite, name), board.result(suite, name)
    references = board.references(suite, name)
    above = joined([_head(entry, row), _card(entry), _recoveries(entry), _failures(result)])
    results = references | {name: result}
    shown = list(dict.fromkeys([name, "nothing", "oracle"]))
    below = joined(
        [
            element("h3", "Has it collapsed?"),
            _definitions(results, name),
            element("h3", "The profile of the last generation"),
            profiles(results, shown),
        ]
    )
    return above, below


def _head(entry: Entry, row: pd.Series) -> Html:
    tier = "none with one seed" if pd.isna(row["tier"]) else f"{row['tier']}"
    span = "" if pd.isna(row["low"]) else f" ({row['low']:z.2f} to {row['high']:z.2f})"
    badges = [
        ("Score", f"{row['score']:z.2f}" + ("" if entry.reference else span)),
        ("Tier", tier),
        ("Rank", row["ranks"] or "-"),
        ("Access", entry.access_tier),
        ("Trust", entry.state.name),
    ]
    cells = (element("li", element("span", n), " ", element("b", v)) for n, v in badges)
    return joined(
        [
            element("h2", entry.name),
            element("p", entry.summary, kind="lead"),
            element("ul", *cells, kind="badges", title=SCORE),
        ]
    )


def _card(entry: Entry) -> Html:
    card, state = entry.card, entry.state
    checked = joined([state.name, ": ", state.reason or TRUST.get(state.name, "")])
    if entry.reference:
        checked = text("a reference: it comes with the benchmark")
    if entry.mine:
        checked = text("your own result, shown to you only")
    own = "its own run of nothing and oracle" if entry.references == "own" else "frozen"
    kinds = [f"{KINDS[Access[name]]}" for name in entry.access]
    costs = entry.costs
    rows: list[tuple[str, object]] = [
        ("Verified", joined([checked, f" ({state.date})" if state.date else ""])),
        ("Sees besides the crawl", "; ".join(kinds) or "nothing (blind)"),
        ("Ran", f"on {entry.created[:10]}" + (", in a sandbox" if entry.isolated else "")),
        ("References", own),
        ("Lineages", f"{entry.lineages}, of which {entry.lost} failed"),
        ("Cost", f"{costs.items_trained:,} items trained, {costs.items_generated:,} generated, "
                 f"{costs.forward_passes:,} scored; {costs.real_items:,} trusted real items; "
                 f"{costs.cpu_seconds:,.0f} processor seconds"),
    ]  # fmt: skip
    if card is None:
        missing = "" if entry.reference else "no card was sent"
        return joined([facts([*rows, ("Card", missing)])])
    hyper = ", ".join(f"{name} = {value}" for name, value in card.hyper_parameters.items())
    rows = [
        ("Authors", ", ".join(card.authors)),
        ("Paper", link(card.paper, card.paper) if card.paper else ""),
        ("Code", link(card.code, card.code) if card.code else ""),
        ("Licence", card.licence),
        ("Hyper-parameters", hyper or "none"),
        *rows,
    ]
    return joined([facts(rows), element("p", " ".join(COSTS), kind="note")])


def _recoveries(entry: Entry) -> Html:
    rows = [
        (task, f"{fmean(of):z.2f}", ", ".join(f"{value:z.2f}" for value in of))
        for task, of in entry.recoveries.items()
    ]
    return joined(
        [
            element("h3", "Recovery by task"),
            table(["Task", "Mean", "Each seed"], rows),
            element("p", "1 = as good as real data only, 0 = no mitigation.", kind="note"),
        ]
    )


def _failures(result: Result) -> Html:
    if not result.failures:
        return Html("")
    said = element("ul", *(element("li", sentence) for sentence in result.failures))
    return joined([element("h3", "Failed lineages"), element("div", said, kind="failures")])


def _definitions(results: dict[str, Result], name: str) -> Html:
    """Which definitions of collapse hold; a definition a row, a task a column."""
    tasks = list(results[name].tasks)
    sheets = [judge_collapse(results, task, [name]) for task in tasks]
    rows = []
    for i, definition in enumerate(MEASURABLE):
        cells = [of.cells[name][i] for of in sheets]
        words = [
            element("span", f"{'yes in ' if cell.yes else ''}{cell.yes} of {cell.told}",
                    kind="yes" if 2 * cell.yes > cell.told else "no")
            if cell.told else element("span", "-", title=cell.reason)
            for cell in cells
        ]  # fmt: skip
        rows.append([element("span", definition.name, title=definition.sentence), *words])
    held = ["hold in most", *(element("b", of.held(name)) for of in sheets)]
    note = (
        f"The literature uses the word collapse in {len(DEFINITIONS)} ways (Schaeffer et al. 2025, "
        f"arXiv 2503.03150); {len(MEASURABLE)} can be measured here. In how many lineages (seeds) "
        f"each holds."
    )
    words = [
        element("li", element("b", d.name), f": {d.sentence} Holds if {d.criterion}.")
        for d in MEASURABLE
    ]
    meaning = element("details", element("summary", "What they mean"), element("ul", *words))
    return joined(
        [element("p", note, kind="note"), table(["Definition", *tasks], [*rows, held]), meaning]
    )
