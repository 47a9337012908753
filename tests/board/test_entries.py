"""Every file of a results folder is on the board, or refused with the reason."""

import json
import os
import re

import pytest
import yaml

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.interface.names import REFERENCES
from benchmark.results import references
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.submission.record import record_state
from benchmark.submission.trust import load_trust, trust_file
from leaderboard.board.entries import read_board
from leaderboard.board.table import make_frame
from tests.board import toys

pytestmark = pytest.mark.usefixtures("frozen")

FILE = "results/small/anchor.json"
FIRST = f"tasks/{toys.TASKS[0]}"
LINEAGE = f"{FIRST}/lineages/0"
CARD = {
    "name": "anchor",
    "summary": "<script>alert(1)</script> replaces a tenth.",
    "authors": ["=Ada", "Émile"],
    "access": ["RESERVE"],
    "hyper_parameters": {},
    "licence": "MIT",
}


@pytest.fixture
def root(tmp_path):
    """Results of two methods."""
    toys.store(tmp_path, toys.result("anchor", 0.3), toys.result("other", 0.5, noise=0.02))
    return tmp_path


def edited(root, path, value, name="anchor"):
    """Changes one value of a stored result, written as `run` writes it."""
    file = root / "results" / "small" / f"{name}.json"
    document = json.loads(file.read_text())
    *way, last = path.split("/")
    place = document
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = value
    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    return file


def names(board):
    return [entry.name for entry in board.entries.get("small", [])]


def card(root, **changes):
    file = root / "submissions" / "anchor" / "card.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(CARD | changes))


def test_entries_and_the_references(root):
    card(root)
    board = read_board(root)
    assert names(board) == [*REFERENCES, "anchor", "other"]
    assert not board.refused
    nothing, clean, anchor, _ = board.entries["small"]
    assert set(nothing.recoveries[toys.IMAGE]) == {0.0}
    assert set(clean.recoveries[toys.IMAGE]) == {1.0}
    assert (anchor.access_tier, anchor.state.name) == ("reserve", "self-reported")
    assert anchor.card.authors == ["=Ada", "Émile"]
    assert board.result("small", "anchor").method.name == "anchor"
    assert board.references("small", "anchor")["clean"].method.name == "clean"
    with pytest.raises(InputError, match="no entry 'someone'"):
        board.entry("small", "someone")


def generation(field):
    return f"{LINEAGE}/generations/1/{field}"


WRONG = [
    ("schema_version", 2, "schema version 2"),
    ("schema_version", True, "not a valid result"),
    ("benchmark_version", "9", "is of version '9' of the benchmark"),
    (f"{FIRST}/hash", "0" * 64, r"another version of the task \(hash '00000000"),
    ("method/name", "someone", "a file has the name of its method"),
    ("suite", "huge", "there is no suite 'huge'"),
    ("tasks", {}, "not of all tasks"),
    ("more", 1, "not a valid result: more"),
    ("isolated", "yes", "not a valid result: isolated"),
    # Numbers: bounded, finite, and numbers.
    (generation(f"profile/{toys.SMALL[0].evaluation.primary}"), -1e300, "is beyond"),
    (generation("profile/recall"), 101.0, "recall is beyond 100"),
    (generation("profile/frechet"), 1e13, "frechet is beyond"),
    (generation("profile/recall"), "0.5", "valid number"),
    (generation("profile/recall"), True, "valid number"),
    (generation("ledger/items_trained"), 2**53, "ledger.items_trained"),
    (generation("ledger/items_trained"), -1, "is negative"),
    (generation("ledger/items_trained"), 1.5, "valid integer"),
    (generation("training_set"), 10**400, "not a result|training_set"),
    (generation("seconds/train"), -0.1, "is negative"),
    (generation("seconds/train"), float("inf"), "is not a result"),
    (generation("profile/recall"), float("nan"), "is not a result"),
    (f"{LINEAGE}/seed", 2**63, "seed"),
    (f"{LINEAGE}/seed", -1, "is negative"),
    # Texts: one plain line of ordinary length; names name files.
    ("method/summary", "a\x1b[2Jb", "not written plainly"),
    ("method/summary", "good\u202egnp.exe", "not written plainly"),
    ("method/summary", "a\u2066b", "not written plainly"),
    ("method/summary", "a\u2028b", "not written plainly"),
    ("method/summary", "a\ud800b", "valid string"),
    ("method/summary", "x" * 10_000, "at most 300 characters"),
    ("hardware", "a\x00b", "not written plainly"),
    ("versions/a\nb", "1", "pattern of names"),
    ("versions/torch", "1\r2", "not written plainly"),
    (generation("machine"), "a\u200bb", "not written plainly"),
    (generation("message"), "\x07", "not written plainly"),
    (generation("profile/a\u200db"), 0.5, "pattern of names"),
    (generation("profile/<b>"), 0.5, "pattern of names"),
    (generation("profile"), {"../../x": 0.5}, "pattern of names"),
    ("method/name", "../anchor", "pattern of names"),
    ("method/name", "a\u200cb", "pattern of names"),
    ("created", "yesterday", "no date of creation"),
    ("method/access", ["MIND"] * 21, "at most 20"),
    ("method/access", ["MIND"], "access that is not known here: MIND"),
    (f"{LINEAGE}/generations", [], "generations are not 0, 1, 2"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "reason"), WRONG)
def test_a_wrong_value_costs_its_entry_and_the_reason_is_one_plain_line(root, path, value, reason):
    read_board(root)  # what is kept of it does not hide the change
    edited(root, path, value)
    refused_alone(root, reason)


def refused_alone(root, reason):
    board = read_board(root)
    assert names(board) == [*REFERENCES, "other"]
    (refused,) = board.refused
    assert (refused.suite, refused.file) == ("small", "anchor.json")
    assert re.search(reason, refused.reason), refused.reason
    assert refused.reason.isprintable()
    assert str(root) not in refused.reason
    assert not make_frame(board, "small").empty


def pipe(root):
    (root / FILE).unlink()
    os.mkfifo(root / FILE)


def folder(root):
    (root / FILE).unlink()
    (root / FILE).mkdir()


def loop(root):
    (root / FILE).unlink()
    (root / FILE).symlink_to(root / FILE)


def huge(root):
    with (root / FILE).open("wb") as file:
        file.truncate(10**12)  # sparse


def many(kind, number=1):
    def spoil(root):
        last = kind.rpartition("/")[2]
        edited(root, kind, {f"{last}_{i}": number for i in range(1_000)})

    return spoil


def only_record(root):
    """The record of the one re-run of `anchor`."""
    (record,) = (root / "results/small/verified").glob("anchor-*.json")
    return record


def twice(root):
    text = (root / FILE).read_text()
    (root / FILE).write_text(text.replace('"suite"', '"suite": "quick",\n "suite"', 1))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda r: (r / FILE).write_bytes(b"\xff{"), "is not a result"),
        (lambda r: (r / FILE).write_bytes(b""), "is not a result"),
        (lambda r: (r / FILE).write_text("[" * 10**6), "is not a result"),
        (lambda r: (r / FILE).write_text('{"schema_version": 1}'), "not a valid result"),
        (lambda r: (r / FILE).write_text("1"), "is not a result"),
        (twice, "is not a result"),
        (lambda r: (r / FILE).open("a").write(" "), "was changed after the run"),
        (pipe, "not an ordinary file"),
        (folder, "cannot read the result"),
        (loop, "cannot read the result"),
        (huge, "more than 8,000,000 bytes"),
        (many(generation("profile")), "at most 200"),
        (many(generation("ledger")), "at most 100"),
        (many("versions", "1"), "at most 100"),
        (lambda r: card(r, access=[]), "differ in name or access"),
        (lambda r: card(r, licence="x y z"), "card.yaml, field 'licence'"),
        (lambda r: card(r, authors=["x" * 99] * 400), "larger than"),
        (lambda r: card(r, summary="A \u202e summary of it."), "control characters"),
        (
            lambda r: (card(r), (r / "submissions/anchor/method.py").write_text("pass")),
            "another version of submissions/anchor/method.py",
        ),
        (
            lambda r: (card(r), (r / "submissions/anchor/method.py").write_bytes(bytes(70_000))),
            "more than 65,536 bytes",
        ),
        (lambda r: record_state(r / FILE, "re-run", "ok") and trust_file(r / FILE).write_text("{"),
         "not a valid trust state"),
        (lambda r: toys.rerun(r / FILE, 0.3) and only_record(r).unlink(),
         "cannot read the record"),
        (lambda r: toys.rerun(r / FILE, 0.3) and only_record(r).write_text("{}"),
         "not the record of the re-run"),
    ],
)  # fmt: skip
def test_a_wrong_file_costs_its_entry(root, spoil, reason):
    read_board(root)
    spoil(root)
    refused_alone(root, reason)


def test_an_error_that_nobody_thought_of_costs_its_entry(root, monkeypatch):
    def fails(content):
        raise ZeroDivisionError("division by \x1b[31mzero")

    card(root)
    monkeypatch.setattr("leaderboard.board.entries.parse_card", fails)
    refused_alone(root, r"cannot be used \(ZeroDivisionError: division by .*zero")


def test_a_reference_from_elsewhere_is_refused(root):
    toys.store(root, toys.result("nothing"))
    (refused,) = read_board(root).refused
    assert "is a reference, which comes with the benchmark" in refused.reason


def test_references_that_an_entry_brought_are_used_where_none_are_frozen(root, monkeypatch):
    toys.store(root, toys.result("anchor", 0.3, origin="own"))
    own = {name: load_result(frozen_file("small", name)) for name in REFERENCES}
    monkeypatch.setattr(references, "FOLDER", root / "none")
    toys.store(root, *own.values())
    board = read_board(root)
    assert "anchor" not in names(board)  # that folder is everybody's
    reasons = {refused.file: refused.reason for refused in board.refused}
    assert "references/small/anchor/nothing.json is not there" in reasons["anchor.json"]
    brought = root / "references" / "small" / "anchor"
    brought.mkdir(parents=True)
    for name, reference in own.items():
        (brought / f"{name}.json").write_bytes(reference.to_json())
    before = read_board(root).entry("small", "anchor")
    assert before.references == "own"
    clean = own["clean"]
    for generation in clean.tasks[toys.IMAGE].lineages[0].generations[1:]:
        generation.profile[clean.tasks[toys.IMAGE].primary] -= 0.2  # better: less is recovered
    (brought / "clean.json").write_bytes(clean.to_json())
    after = read_board(root).entry("small", "anchor")
    assert after.recoveries[toys.IMAGE][0] < before.recoveries[toys.IMAGE][0]
    assert after.recoveries[toys.IMAGE][1:] == before.recoveries[toys.IMAGE][1:]


def test_trust_is_that_of_these_very_bytes(root):
    file = root / FILE
    record_state(file, "re-scored", "samples give the same profile", by="Grace")
    state = read_board(root).entry("small", "anchor").state
    assert (state.name, state.reason) == ("re-scored", "samples give the same profile")
    assert (state.by, bool(state.commit)) == ("Grace", True)
    edited(root, "created", "2026-11-01T00:00:00+00:00")
    assert read_board(root).entry("small", "anchor").state.name == "self-reported"
    record_state(file, "rejected", "reads the test set")
    board = read_board(root)
    assert "anchor" not in names(board)
    assert "was rejected on" in board.refused[0].reason
    assert "reads the test set" in board.refused[0].reason


def test_an_entry_that_was_run_again_shows_the_numbers_of_the_re_run(root):
    record = toys.rerun(root / FILE, 0.27)
    entry = read_board(root).entry("small", "anchor")
    assert entry.recoveries == {task: list(of) for task, of in record.recoveries.items()}
    assert entry.seeds == (2**53 + 1, 2**63 - 2, 2**63 - 1)  # to the last digit
    assert entry.claimed == pytest.approx(0.305, abs=0.02)
    row = make_frame(read_board(root), "small").set_index("method").loc["anchor"]
    assert row["score"] == pytest.approx(0.27)
    assert row["claimed"] == pytest.approx(entry.claimed)
    record_state(root / "results/small/other.json", "re-scored", "it follows")
    other = read_board(root).entry("small", "other")
    assert (other.trusted, other.claimed) == (False, None)  # no more than self-reported


def test_checking_another_result_of_its_name_takes_nothing_from_an_entry(root):
    """Anybody can send one, and it need not even be merged."""
    published = (root / FILE).read_bytes()
    toys.rerun(root / FILE, 0.27)
    before = read_board(root).entry("small", "anchor")
    toys.store(root, toys.result("anchor", 0.9))
    toys.rerun(root / FILE, 0.5)
    record_state(root / FILE, "rejected", "it does not agree")
    (root / FILE).write_bytes(published)
    record_state(root / FILE, "re-scored", "it follows")  # says less than is known
    after = read_board(root).entry("small", "anchor")
    assert (after.state, after.recoveries) == (before.state, before.recoveries)
    assert len(load_trust(root / FILE).earlier) == 1


def test_an_entry_that_is_verified_twice_keeps_its_state_and_both_records(root):
    toys.rerun(root / FILE, 0.27)
    before = read_board(root).entry("small", "anchor")
    toys.rerun(root / FILE, 0.31)
    assert read_board(root).entry("small", "anchor") == before
    assert len(list((root / "results/small/verified").iterdir())) == 2


def test_only_maintainers_say_how_far_an_entry_is_trusted(root, tmp_path_factory):
    """A pull request that brings trust of its own changes nothing, and the page says so."""
    ours = tmp_path_factory.mktemp("ours")
    toys.rerun(root / FILE, 0.9)
    record_state(root / "results/small/other.json", "rejected", "a rival")
    board = read_board(root, findings=ours)
    assert names(board) == [*REFERENCES, "anchor", "other"]
    assert {e.state.name for e in board.entries["small"] if not e.reference} == {"self-reported"}
    assert board.entry("small", "anchor").recoveries[toys.IMAGE][0] < 0.5
    said = {refused.file: refused.reason for refused in board.refused}
    assert len(board.refused) == 3  # two states and a record
    forged = only_record(root).name
    assert "came with a submission, and only maintainers say" in said["other.json"]
    toys.rerun(root / FILE, 0.27, findings=ours)
    record_state(root / "results/small/other.json", "rejected", "it cheats", findings=ours)
    board = read_board(root, findings=ours)
    assert board.entry("small", "anchor").state.name == "re-run"
    assert "other" not in names(board)
    for kept in (trust_file(root / FILE, ours), only_record(ours)):  # a copy of ours is no news
        (root / kept.relative_to(ours)).write_bytes(kept.read_bytes())
    said = {refused.file for refused in read_board(root, findings=ours).refused}
    assert said == {"other.json", forged}


def test_a_forged_file_moves_nobody_else(root):
    """Tiers and ranks are made of entries that were run again."""
    for name, recovery in (("anchor", 0.3), ("other", 0.5)):
        toys.rerun(root / "results" / "small" / f"{name}.json", recovery)
    toys.store(root, toys.result("honest", 0.4))

    def places(board):
        rows = make_frame(board, "small").to_dict("records")
        return {row["method"]: (row["tier"], row["ranks"]) for row in rows}

    before = places(read_board(root))
    assert [before[name][0] for name in ("clean", "other", "anchor", "nothing")] == [1, 2, 3, 4]
    assert before["honest"] == (3, "3")
    for k, recovery in enumerate((-20.0, 0.0, 0.3, 0.41, 0.5, 0.99, 1.0, 20.0)):
        for noise in (0.0, 0.01, 5.0):
            toys.store(root, toys.result(f"forged_{k}", recovery, noise=noise))
            after = places(read_board(root))
            assert {name: after[name] for name in before} == before
            tier = after[f"forged_{k}"][0]
            assert tier in {of for of, _ in before.values()}


def test_what_maintainers_measured_makes_tiers_and_keeps_its_numbers(root):
    for name, recovery in (("anchor", 0.3), ("other", 0.5)):
        file = toys.store(root, toys.result(name, recovery))
        record_state(file, "measured", "ours")
    toys.store(root, toys.result("honest", 0.4))
    rows = make_frame(read_board(root), "small").set_index("method")
    assert rows.loc[["other", "anchor", "honest"], "tier"].tolist() == [2, 3, 3]
    assert read_board(root).entry("small", "anchor").claimed is None
    assert rows["trust"].loc[["anchor", "honest"]].tolist() == ["measured", "self-reported"]


def test_a_score_above_1_carries_a_warning_until_it_was_run_again(root):
    file = toys.store(root, toys.result("anchor", 1.2))
    row = make_frame(read_board(root), "small").set_index("method")["warning"]
    assert "above 1" in row["anchor"]
    assert not row["other"] + row["clean"]
    toys.rerun(file, 1.19)
    assert not make_frame(read_board(root), "small").set_index("method")["warning"]["anchor"]


def test_a_previewed_result_is_marked_beside_the_published_one(root, tmp_path):
    own = toys.store(tmp_path / "runs", toys.result("anchor", 0.3))
    board = read_board(root, [own])
    assert names(board)[-1] == "anchor (yours)"
    assert board.entry("small", "anchor (yours)").mine
    own.write_text("{}")
    with pytest.raises(AutophagyError, match="is not a result"):
        read_board(root, [own])


@pytest.mark.parametrize("summary", ["A toy.", '"@0"', "@1"])
def test_a_stored_result_has_a_generation_a_line_and_comes_back(tmp_path, summary):
    some = toys.result("anchor", summary=summary)
    file = tmp_path / "anchor.json"
    file.write_bytes(some.to_json())
    assert load_result(file) == some
    assert some.is_written_as(file.read_bytes())
    lines = [line for line in file.read_text().splitlines() if '"generation": ' in line]
    count = sum(len(x.generations) for task in some.tasks.values() for x in task.lineages)
    assert len(lines) == count
    before = json.dumps(some.model_dump(), indent=1, sort_keys=True) + "\n"
    assert some.is_written_as(before.encode())
    assert not some.is_written_as(before.replace("\n", "\r\n").encode())
