"""Trust in an entry rises, is of one result's bytes, and ends with a rejection."""

import datetime
import errno
import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.results.schema import load_result
from benchmark.results.statistics import intervals
from benchmark.submission.compare import CAP, FLOOR, compare_scores
from benchmark.submission.record import record_state
from benchmark.submission.trust import advance_trust, find_state, load_trust, trust_file
from benchmark.submission.verify import draw_seeds
from tests.test_score_command import half

RESULT = b'{"a": 1}\n'


def test_trust_rises_and_never_falls():
    assert find_state(RESULT, None).name == "self-reported"
    scored = advance_trust(RESULT, None, "re-scored", "12 lineages agree", "2026-01-02")
    state = find_state(RESULT, scored)
    assert (state.name, state.reason, state.date) == (
        "re-scored",
        "12 lineages agree",
        "2026-01-02",
    )
    run = advance_trust(RESULT, scored, "re-run", "agrees")
    assert find_state(RESULT, run).name == "re-run"
    assert advance_trust(RESULT, run, "re-scored", "again") == run
    assert [step.state for step in run.steps] == ["re-scored", "re-run"]


def test_a_rejection_is_final_for_that_result_only():
    gone = advance_trust(RESULT, None, "rejected", "two\nlines\x00")
    assert find_state(RESULT, gone).reason == "two lines "
    with pytest.raises(InputError, match="final: submit a new result"):
        advance_trust(RESULT, gone, "re-run", "agrees")
    assert find_state(b"other", gone).name == "self-reported"
    assert [s.state for s in advance_trust(b"other", gone, "re-run", "agrees").steps] == ["re-run"]


def test_what_was_found_of_earlier_results_of_the_name_stays_known(tmp_path):
    """A rejection is not forgotten by sending a new result, nor does it count against it."""
    one = advance_trust(RESULT, None, "re-scored", "it follows", "2026-01-02", "Ada", "abc")
    one = advance_trust(RESULT, one, "rejected", "it is another", "2026-01-03")
    two = advance_trust(b"other", one, "re-scored", "it follows", "2026-02-02")
    assert find_state(b"other", two).name == "re-scored"
    assert [step.state for step in two.earlier[0].steps] == ["re-scored", "rejected"]
    assert two.earlier[0].steps[0].by == "Ada"
    two = advance_trust(b"other", two, "re-run", "it agrees")
    three = advance_trust(b"third", two, "re-scored", "it follows")
    assert [len(of.steps) for of in three.earlier] == [2, 2]
    assert find_state(b"other", three).name == "re-run"  # the third takes nothing from it
    with pytest.raises(InputError, match=r"on 2026-01-03 \(it is another\), which is final"):
        advance_trust(RESULT, three, "re-run", "it agrees")
    again = advance_trust(b"other", three, "rejected", "it was found out")
    assert [len(of.steps) for of in (*again.earlier, again)] == [2, 1, 3]
    file = tmp_path / "quick" / "mine.json"
    trust_file(file).parent.mkdir(parents=True)
    trust_file(file).write_bytes(three.to_json())
    assert load_trust(file) == three
    assert b"earlier" not in one.to_json()  # as files were before


def test_a_state_is_stored_beside_the_result_and_checked_when_read(tmp_path):
    result = tmp_path / "quick" / "mine.json"
    result.parent.mkdir()
    result.write_bytes(RESULT)
    assert load_trust(result) is None
    record_state(result, "re-scored", "agrees")
    assert trust_file(result) == tmp_path / "quick" / "trust" / "mine.json"
    assert list(tmp_path.glob("*/*.json")) == [result]  # no other command takes it for a result
    text = trust_file(result).read_text()
    for old, new in (
        ('"re-scored"', '"re-run "'),
        ('"version": 1', '"version": 2'),
        ('"agrees"', '""'),
        ('"steps": [', '"steps": [], "more": ['),
        ("{", "[" * 100_000),
    ):
        trust_file(result).write_text(text.replace(old, new, 1))
        with pytest.raises(CorruptFile, match="not a valid trust state"):
            load_trust(result)
    both = text.replace('"steps": [', '"steps": [' + text[text.index("{", 5) :].split("]")[0] + ",")
    trust_file(result).write_text(both)
    with pytest.raises(CorruptFile, match="trust may only rise"):
        load_trust(result)


def test_a_board_can_read_states_and_cards_without_torch():
    code = (
        "import benchmark.submission.card, benchmark.submission.trust, sys\n"
        "print([m for m in ('torch', 'scipy', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_drawn_seeds_are_not_public_and_differ_each_time():
    drawn = [draw_seeds() for _ in range(20)]
    assert all(len(set(seeds)) == 3 and min(seeds) > 2 for seeds in drawn)
    assert len(set(drawn)) == 20


def test_agreement_is_welchs_interval_over_strata():
    rng = np.random.default_rng(0)
    claimed, again = rng.normal(0.5, 0.1, (4, 3)), rng.normal(0.5, 0.1, (4, 3))
    found = compare_scores(claimed, again)
    assert found.difference == pytest.approx(again.mean() - claimed.mean())
    assert found.agrees
    assert not compare_scores(claimed, again - 0.5).agrees
    # As many seeds on both sides: the interval of one, wider by the root of two.
    same = compare_scores(claimed, claimed)
    low, high = intervals(claimed)
    assert (same.high - same.low) / (high - low) == pytest.approx(2**0.5)


def test_a_claim_does_not_widen_the_interval_and_noise_does_not_excuse():
    """The variance is that of the re-run, and there is a cap."""
    again = np.array([[0.29, 0.3, 0.31]] * 2)
    wild = np.array([[-8.0, 0.4, 9.0]] * 2)  # such a claim agreed with everything
    found = compare_scores(wild, again)
    assert found.high - found.low < 0.1
    assert not found.agrees
    noisy = np.array([[-1.0, 0.3, 1.6]] * 2)
    far = compare_scores(noisy + CAP + 0.01, noisy)
    assert far.low < 0 < far.high
    assert not far.agrees
    assert compare_scores(noisy + CAP - 0.01, noisy).agrees


@pytest.mark.parametrize("worth", [0.0, 0.9])
def test_what_does_not_vary_may_differ_by_what_another_processor_makes(worth):
    """As `nothing`, or `oracle` on `closed`: 0 here, nearly 0 by references of another machine."""
    again = np.full((3, 3), worth)
    for difference in (0.0, FLOOR - 0.001, 0.001 - FLOOR):
        assert compare_scores(again - difference, again).agrees
    for difference in (FLOOR + 0.001, -FLOOR - 0.001):
        assert not compare_scores(again - difference, again).agrees


def test_the_intervals_cover_what_they_say():
    rng = np.random.default_rng(1)
    for claims in (1, 3):
        hits = [
            compare_scores(rng.normal(0.4, 0.1, (4, claims)), rng.normal(0.4, 0.1, (4, 3))).agrees
            for _ in range(400)
        ]
        assert 0.91 < np.mean(hits) < 0.99


def test_a_re_run_of_one_seed_says_nothing():
    for claimed in ([[0.5]], [[0.4, 0.5, 0.6]]):
        with pytest.raises(InputError, match="at least two --seeds"):
            compare_scores(claimed, [[0.5]])
    assert compare_scores([[0.5]], [[0.4, 0.6]]).agrees


def test_seeds_are_drawn_from_63_bits_and_survive_every_reader(tmp_path):
    """JavaScript, a spreadsheet and pandas keep 53 bits of a number: a larger one is digits."""
    drawn = [seed for _ in range(20) for seed in draw_seeds()]
    assert max(drawn) > 2**61
    for seed in (0, 2**53 - 1, 2**53, 2**63 - 1, *drawn[:5]):
        one = half(seeds=(0,))
        one.tasks["speeches-web"].lineages[0].seed = seed
        file = tmp_path / "half.json"
        file.write_bytes(one.to_json())
        assert load_result(file).tasks["speeches-web"].lineages[0].seed == seed
        (stored,) = json.loads(one.to_json())["tasks"]["speeches-web"]["lineages"]
        read = pd.Series([stored["seed"]]).astype(str).item()
        assert read == str(seed)
        as_javascript = float(stored["seed"]) if isinstance(stored["seed"], int) else seed
        assert int(as_javascript) == seed


def test_who_when_with_what_and_of_which_bytes_is_recorded(tmp_path):
    result = tmp_path / "quick" / "mine.json"
    result.parent.mkdir()
    result.write_bytes(RESULT)
    path = record_state(result, "re-scored", "it\x1b[31m follows", by="Ada \u202eL.")
    (step,) = json.loads(path.read_text())["steps"]
    assert step["reason"] == "it [31m follows"
    assert step["by"] == "Ada \ufffdL."
    assert step["date"] == datetime.datetime.now(datetime.UTC).date().isoformat()
    assert step["commit"]
    assert json.loads(path.read_text())["result_sha256"] == hashlib.sha256(RESULT).hexdigest()


def test_findings_can_lie_in_a_folder_of_the_maintainers(tmp_path):
    result = tmp_path / "theirs" / "results" / "quick" / "mine.json"
    result.parent.mkdir(parents=True)
    result.write_bytes(RESULT)
    ours = tmp_path / "ours"
    path = record_state(result, "re-scored", "it follows", ours)
    assert path == ours / "results" / "quick" / "trust" / "mine.json"
    assert load_trust(result) is None
    assert find_state(RESULT, load_trust(result, ours)).name == "re-scored"


@pytest.mark.parametrize("by", [None, "Grace"])
def test_a_full_disk_leaves_the_state_as_it_was(tmp_path, monkeypatch, by):
    result = tmp_path / "quick" / "mine.json"
    result.parent.mkdir()
    result.write_bytes(RESULT)
    path = record_state(result, "re-scored", "it follows")
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"cannot write .*mine\.json: No space left"):
        record_state(result, "re-run", "it agrees", by=by)
    assert path.read_bytes() == before
    assert [p for p in path.parent.iterdir() if p.name != ".lock"] == [path]


def test_of_two_who_find_something_out_at_once_neither_is_lost(tmp_path):
    """A rejection is final, whoever writes at the same moment."""
    for attempt in range(5):
        result = tmp_path / str(attempt) / "mine.json"
        result.parent.mkdir()
        result.write_bytes(RESULT)
        with ThreadPoolExecutor(2) as both:
            found = both.map(lambda state: _try(result, state), ("re-scored", "rejected"))  # noqa: B023
        states = [step.state for step in load_trust(result).steps]
        assert states[-1] == "rejected"
        assert len(states) + sum(said is not None for said in found) == 2


def _try(result, state):
    try:
        record_state(result, state, "found out")
    except InputError as error:
        return str(error)
