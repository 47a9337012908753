"""What a re-run finds: numbers of its own, another access, a full disk; the runs are made up."""

import errno
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.basics.errors import InputError, Interrupted, Unprinted
from benchmark.commands.terminal import Terminal
from benchmark.interface.names import REFERENCES
from benchmark.results.costs import sum_costs
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.submission import verify
from benchmark.submission.claim import COUNTS
from benchmark.submission.record import record_state, write_verification
from benchmark.submission.trust import Rerun, load_rerun, load_trust, trust_file
from benchmark.submission.verify import Submitted, recall_disagreement, verify_claim
from leaderboard.board.entries import read_board
from tests.board import toys
from tests.test_run import cli

SEEDS = (2**53 + 1, 2**62, 2**63 - 1)


@pytest.fixture
def frozen(tmp_path_factory):
    with toys.frozen(tmp_path_factory.mktemp("frozen")) as folder:
        yield folder


@pytest.fixture
def verified(tmp_path, frozen, monkeypatch):
    """A function that verifies the claim of `anchor`, .3, with a re-run of other numbers."""
    claim = toys.store(tmp_path, toys.result("anchor", 0.3))
    source = load_result(claim).method.source
    monkeypatch.setattr(
        verify, "read_submitted", lambda *_: Submitted(tmp_path, source, card["access"])
    )
    card = {"access": ("RESERVE",)}

    def run(
        recovery=0.3,
        access=("RESERVE",),
        carded=("RESERVE",),
        absent=(),
        seeds=SEEDS,
        stopped=False,
        times=None,
        costs=None,
        stops=None,
    ):
        card["access"] = carded

        def rerun(given, suite, chosen, out, workers, watch):
            run.seeds.append(chosen)
            if stopped:
                raise Interrupted("interrupted")
            own = toys.result("anchor", recovery, access=access, absent=absent, stops=stops)
            for entry, factors in (costs or {}).items():
                charge(own, entry, factors)
            references = {name: toys.result(name) for name in REFERENCES}
            for some in (own, *references.values()):
                reseed(some, chosen)
            if times is not None:
                spend(own, curate=times, train=times, evaluate=50.0)
                spend(references["nothing"], train=2.0, evaluate=1.0)
            return own, references

        monkeypatch.setattr(verify, "rerun_submission", rerun)
        return verify_claim(tmp_path, claim, tmp_path / "out", seeds, by="Ada")

    run.claim = claim
    run.root = tmp_path
    run.seeds = []  # of every re-run that was begun
    return run


def reseed(some, seeds):
    """Leaves the first lineages only, of these seeds."""
    for task in some.tasks.values():
        task.lineages = task.lineages[: len(seeds)]
        for lineage, seed in zip(task.lineages, seeds, strict=True):
            lineage.seed = seed


def spend(some, **seconds):
    """Every generation after the first, which is common to all, took so long."""
    for task in some.tasks.values():
        for lineage in task.lineages:
            lineage.generations[1:] = [
                g.model_copy(update={"seconds": seconds}) for g in lineage.generations[1:]
            ]


def charge(some, entry, factors):
    """What the lineages of a text task took, one factor each."""
    for lineage, factor in zip(some.tasks[toys.TEXT].lineages, factors, strict=False):
        lineage.generations = [
            g.model_copy(update={"ledger": g.ledger | {entry: round(factor * g.ledger[entry])}})
            for g in lineage.generations
        ]


@pytest.mark.parametrize("entry", COUNTS)
def test_a_claim_of_lower_costs_than_the_re_run_took_does_not_agree(verified, entry):
    """Who says less than it takes is found out."""
    found = verified(costs={entry: (1.1, 1.1, 1.1)})
    assert not found.agrees
    said = rf"the claim's ledger of {toys.TEXT} has [\d,]+ {entry} a lineage, the re-run's [\d,]+"
    assert re.search(said, found.sentence)
    assert Rerun.model_validate_json(found.record.read_bytes()).problem == found.problem


@pytest.mark.parametrize(
    "changes",
    [
        {"costs": {"items_generated": (1.04, 1.04, 1.04)}},
        {"costs": {"items_generated": (0.5, 0.5, 0.5)}},  # said to be more than it takes
        {"costs": {"forward_passes": (0.8, 1.3, 1.2)}},  # drawn by chance, seed by seed
        {"stops": {(toys.TEXT, 1): 3, (toys.IMAGE, 0): 2}},
        {"stops": {(toys.TEXT, seed): 2 for seed in range(3)}},
    ],
)
def test_honest_costs_agree_whatever_chance_and_failures_do(verified, changes):
    assert verified(**changes).problem == ""


def test_lineages_that_failed_in_the_claim_do_not_make_it_cheaper(verified):
    """Their generations are compared with the same ones of the re-run."""
    claim = toys.result("anchor", 0.3, stops={(toys.TEXT, seed): 3 for seed in range(5)})
    verified.claim.write_bytes(claim.to_json())
    assert verified().problem == ""
    assert toys.TEXT in verified(costs={"items_trained": (1.2, 1.2, 1.2)}).problem


def test_what_it_computed_beside_its_training_is_told_with_the_scores(verified):
    found = verified(times=4.0)
    assert found.agrees
    assert found.sentence.endswith("3 other seeds, 4.0 times the processor time of nothing")
    record = Rerun.model_validate_json(found.record.read_bytes())
    assert record.times == 4.0
    late = ("times", "costs", "nothing")  # records did not have them before
    earlier = Rerun(**{k: v for k, v in record.model_dump().items() if k not in late})
    assert [getattr(earlier, name) for name in late] == [None] * 3


def test_the_record_holds_the_re_run_and_the_board_shows_it(verified):
    found = verified(0.3)
    assert found.agrees, found.sentence
    record = Rerun.model_validate_json(found.record.read_bytes())
    assert record.seeds == tuple(map(str, SEEDS))
    assert (record.agrees, record.by, record.access) == (True, "Ada", ("RESERVE",))
    document = json.loads(found.record.read_text())
    assert all(isinstance(seed, str) for seed in document["seeds"])
    record_state(verified.claim, "re-run", found.sentence, record=found.record)
    state = read_board(verified.root).entry("small", "anchor").state
    assert load_rerun(verified.claim, state) == record
    entry = read_board(verified.root).entry("small", "anchor")
    assert entry.recoveries[toys.IMAGE] == list(record.recoveries[toys.IMAGE])
    assert entry.claimed == pytest.approx(found.comparison.claimed)


def test_the_costs_on_the_board_are_the_re_run_s(verified):
    """Those of a claim may be anything where they differ from lineage to lineage, and so may the
    references beside which they are shown."""
    uneven = {"items_generated": (1.0, 9.0, 5.0)}
    found = verified(costs=uneven, times=4.0)
    assert found.agrees, found.sentence
    claimed = read_board(verified.root).entry("small", "anchor")
    record_state(verified.claim, "re-run", found.sentence, record=found.record)
    shown = read_board(verified.root).entry("small", "anchor")
    assert claimed.relative.samples == 1
    assert shown.relative.samples > 1.5
    five, three = toys.result("anchor"), toys.result("anchor")
    reseed(three, SEEDS)
    for entry, factors in uneven.items():
        charge(three, entry, factors)
    spend(three, curate=4.0, train=4.0, evaluate=50.0)
    took = sum_costs(lineage for task in three.tasks.values() for lineage in task.lineages)
    seeds = len(five.tasks[toys.TEXT].lineages)
    assert shown.costs.items_generated == round(took.items_generated * seeds / 3)
    assert shown.costs.cpu_seconds == pytest.approx(took.cpu_seconds * seeds / 3)


def test_a_claim_that_shares_no_task_with_the_re_run_is_recorded_and_can_be_rejected(verified):
    claim = toys.result("anchor", 0.3, absent=toys.TASKS[1:])
    verified.claim.write_bytes(claim.to_json())
    found = verified(absent=toys.TASKS[:1])
    assert not found.agrees
    assert "only one of claim and re-run is applicable" in found.sentence
    record_state(verified.claim, "rejected", found.sentence, record=found.record)
    assert load_trust(verified.claim).steps[-1].state == "rejected"


def test_a_rejection_follows_from_the_record_that_was_objected_to(verified):
    assert recall_disagreement(verified.claim) is None
    first = verified(0.9)
    known = recall_disagreement(verified.claim)
    assert (known.sentence, known.record, known.agrees) == (first.sentence, first.record, False)
    verified(0.3)
    assert recall_disagreement(verified.claim) is None  # it agreed when it was run once more


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"access": ("ARCHIVE", "PROVENANCE")}, r"granted \[ARCHIVE, PROVENANCE\], the card says"),
        ({"carded": ()}, r"was granted \[RESERVE\], the card says \[\]"),
        ({"access": (), "carded": ()}, r"was granted \[\], the claim says \[RESERVE\]"),
        ({"absent": [toys.IMAGE]}, f"only one of claim and re-run is applicable to {toys.IMAGE}"),
    ],
)
def test_equal_scores_do_not_excuse_another_access_or_absent_tasks(verified, changes, problem):
    found = verified(**changes)
    assert not found.agrees
    assert re.search(problem, found.sentence)
    record = Rerun.model_validate_json(found.record.read_bytes())
    assert (record.agrees, bool(record.problem)) == (False, True)
    record_state(verified.claim, "rejected", found.sentence, record=found.record)
    digest = hashlib.sha256(found.record.read_bytes()).hexdigest()
    assert load_trust(verified.claim).steps[-1].record_sha256 == digest


def test_a_large_difference_never_agrees_and_one_seed_is_refused(verified):
    assert not verified(0.1).agrees
    with pytest.raises(InputError, match="at least two --seeds"):
        verified(seeds=(71,))
    assert not verified(absent=toys.TASKS).agrees


@pytest.mark.parametrize("seed", [0, 72, 10**6, 2**32 - 1])
def test_a_seed_that_a_method_could_find_by_trying_is_refused(seed, tmp_path):
    given = Submitted(tmp_path, "source", ())
    with pytest.raises(InputError, match=f"the seed {seed} can be guessed by a method.*leave --se"):
        verify.rerun_submission(given, "quick", (2**62, seed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_re_run_that_was_stopped_goes_on_with_its_seeds(verified):
    """They are drawn anew for the next one only, and nobody else may read them meanwhile."""
    for _ in range(2):
        with pytest.raises(Interrupted):
            verified(seeds=None, stopped=True)
    (kept,) = (verified.root / "out").rglob("seeds/*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Interrupted):
        verified(stopped=True)  # seeds that are given are nobody's secret
    found = verified(seeds=None)
    first, again, given, last = verified.seeds
    assert (first, given) == (again, SEEDS)
    assert first == last == found.seeds
    assert kept.exists()  # the entry's state is not written yet
    found.forget_seeds()
    assert not kept.exists()
    assert verified(seeds=None).seeds != first


@pytest.mark.parametrize(("recovery", "state"), [(0.3, "re-run"), (0.1, "rejected")])
def test_what_was_found_is_kept_though_it_cannot_be_printed(verified, monkeypatch, recovery, state):
    verified(recovery)

    def unprinted(*words, **options):
        assert load_trust(verified.claim).steps[-1].state == state
        raise Unprinted from OSError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(Terminal, "print", unprinted)
    out = verified.root / "out"
    words = ("verify", verified.root, "--result", verified.claim, "--out", out, "--reject")
    assert cli(monkeypatch, *words) == 1
    assert load_trust(verified.claim).steps[-1].state == state
    assert not list(out.rglob("seeds/*.json"))


def test_what_was_rejected_is_not_run_again(verified):
    record_state(verified.claim, "rejected", "reads the test set")
    with pytest.raises(
        InputError, match=r"was rejected on .* \(reads the test set\), which is fin"
    ):
        verified()
    assert not verified.seeds


def test_a_record_of_other_tasks_or_that_does_not_agree_costs_the_entry(verified):
    for change in ({"agrees": False}, {"recoveries": {"x": (1.0, 1.0, 1.0)}, "failed": {"x": 0}}):
        record = Rerun.model_validate_json(verified().record.read_bytes())
        forged = record.model_copy(update=change)
        kept = write_verification(verified.claim, forged)
        trust_file(verified.claim).unlink(missing_ok=True)
        record_state(verified.claim, "re-run", "forged", record=kept)
        (refused,) = read_board(verified.root).refused
        assert "is not of this result" in refused.reason
    assert load_trust(verified.claim) is not None


def test_a_reference_is_not_run_again():
    claim = frozen_file("quick", "nothing")
    with pytest.raises(InputError, match="nothing is a reference"):
        verify.read_submitted(Path("nothing"), load_result(claim), claim)


def test_a_baseline_is_run_again_like_any_other(tmp_path, frozen):
    """Own entries are checked, too: by name, with the source that it has now."""
    claim = toys.store(tmp_path, toys.result("anchor", 0.3))
    with pytest.raises(InputError, match="not of the baseline anchor as it is now"):
        verify.read_submitted("anchor", load_result(claim), claim)
    method = verify.find_method("anchor")
    own = load_result(claim)
    own = own.model_copy(update={"method": own.method.model_copy(update={"source": method.source})})
    given = verify.read_submitted("anchor", own, claim)
    assert given == replace(given, source=method.source, access=("RESERVE",))
