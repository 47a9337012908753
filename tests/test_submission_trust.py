"""Trust in an entry rises, is of one result's bytes, and ends with a rejection."""

import subprocess
import sys

import numpy as np
import pytest

from benchmark.basics.errors import CorruptFile, InputError
from benchmark.results.statistics import intervals
from benchmark.submission.compare import compare_scores
from benchmark.submission.record import record_state
from benchmark.submission.trust import advance_trust, find_state, load_trust, trust_file
from benchmark.submission.verify import draw_seeds

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
    drawn = [draw_seeds((0, 1, 2)) for _ in range(20)]
    assert all(len(set(seeds)) == 3 and min(seeds) > 2 for seeds in drawn)
    assert len(set(drawn)) == 20


def test_agreement_is_welchs_interval_over_strata():
    rng = np.random.default_rng(0)
    claimed, again = rng.normal(0.5, 0.1, (4, 3)), rng.normal(0.5, 0.1, (4, 3))
    found = compare_scores(claimed, again)
    assert found.difference == pytest.approx(again.mean() - claimed.mean())
    assert found.agrees
    assert not compare_scores(claimed, again - 0.5).agrees
    # Twice the same noise: the interval of one, wider by the root of two and for fewer degrees.
    same = compare_scores(claimed, claimed)
    low, high = intervals(claimed)
    assert 1 < (same.high - same.low) / (high - low) < 2**0.5


def test_the_intervals_cover_what_they_say():
    rng = np.random.default_rng(1)
    for claims in (1, 3):
        hits = [
            compare_scores(rng.normal(0.4, 0.1, (4, claims)), rng.normal(0.4, 0.1, (4, 3))).agrees
            for _ in range(400)
        ]
        assert 0.91 < np.mean(hits) < 0.99


def test_one_seed_against_one_says_nothing():
    with pytest.raises(InputError, match="at least two --seeds"):
        compare_scores([[0.5]], [[0.5]])
