"""`autophagy score` and the standings behind it, on small hand-made results."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.basics.errors import InputError
from benchmark.commands.run_table import run_table
from benchmark.commands.terminal import Terminal
from benchmark.results.schema import (
    GenerationResult,
    LineageResult,
    MethodResult,
    Result,
    TaskResult,
    load_result,
)
from benchmark.results.standings import Standing, check_comparable, rank_results
from tests.test_run import cli

SEEDS = (0, 1, 2)


def lineage(seed: int, values: list[float], real: int = 0, generations: int = 2) -> LineageResult:
    """Held-out losses of generations 0, 1, ...; fewer than all means that the next one failed."""
    done = [
        GenerationResult(
            generation=t,
            status="ok",
            profile={"heldout_loss": value},
            ledger={
                "items_trained": 100,
                "items_generated": 10,
                "forward_passes": 5,
                "real_items": real * t,
            },
            seconds={"train": 2.0, "evaluate": 0.5},
        )
        for t, value in enumerate(values)
    ]
    if len(done) <= generations:
        done.append(GenerationResult(generation=len(done), status="failed", message="it broke"))
    return LineageResult(seed=seed, generations=done)


def result(
    name: str,
    loss: Callable[[int], list[float]],
    access: tuple[str, ...] = (),
    tasks: tuple[str, ...] = ("speeches-replace", "speeches-web"),
    seeds: tuple[int, ...] = SEEDS,
    real: int = 0,
    suite: str = "small",
) -> Result:
    """A result whose lineages have the losses `loss(seed)` on every task."""
    return Result(
        benchmark_version="0",
        suite=suite,
        method=MethodResult(name=name, summary="", access=list(access), source="0"),
        tasks={
            task: TaskResult(
                hash=f"hash of {task}",
                modality="text",
                primary="heldout_loss",
                generations=2,
                lineages=[lineage(seed, loss(seed), real) for seed in seeds],
            )
            for task in tasks
        },
        versions={},
        hardware="",
        created="",
    )


def nothing(**more) -> Result:
    return result("nothing", lambda seed: [1.0, 2.0, 4.0], **more)


def clean(**more) -> Result:
    return result("clean", lambda seed: [1.0, 1.0, 1.0], ("ARCHIVE", "PROVENANCE"), **more)


def half(**more) -> Result:
    """Recovers .5, .475 and .525: gaps 2, 2.1 and 1.9 of 4."""
    return result("half", lambda s: [1.0, 1.5, 2.5 + (0, 0.1, -0.1)[s]], **more)


def broken() -> Result:
    """Fails with seed 1 after generation 1: gaps .5 and, as the worst seen, 3."""
    return result(
        "broken", lambda s: [1.0, 1.5] if s == 1 else [1.0, 1.5, 2.5], ("RESERVE",), real=7
    )


def absent(task: str = "speeches-web", at: int = 0, seeds: tuple[int, ...] = SEEDS) -> Result:
    """Half, of whose tasks one does not apply, as generation `at` of some seeds finds out."""
    found = half()
    for lineage in found.tasks[task].lineages:
        if lineage.seed in seeds:
            last = GenerationResult(generation=at, status="inapplicable", message="no pictures")
            lineage.generations = [*lineage.generations[:at], last]
    return found


def labelled(*results: Result) -> dict[str, Result]:
    return {f"{i}.json": result for i, result in enumerate(results)}


def by_name(*results: Result) -> dict[str, Standing]:
    return {s.method: s for s in rank_results(labelled(*results))}


def test_standings_by_hand():
    found = rank_results(labelled(half(), broken(), nothing(), clean()))
    assert [s.method for s in found] == ["clean", "half", "broken", "nothing"]
    of = {s.method: s for s in found}
    assert of["half"].recoveries["speeches-web"] == pytest.approx([0.5, 0.475, 0.525])
    assert of["half"].score == pytest.approx(0.5)
    # Variance .025^2 in both tasks; error sqrt(2 * .025^2 / 3) / 2; 4 degrees of freedom.
    reach = 2.776445 * (2 * 0.025**2 / 3) ** 0.5 / 2
    assert of["half"].interval == pytest.approx((0.5 - reach, 0.5 + reach))
    # 1 - 3.5 / 4 would be above 0: a failed lineage scores 0 at most.
    assert of["broken"].recoveries["speeches-web"] == pytest.approx([0.5, 0.0, 0.5])
    assert of["broken"].failed == {"speeches-replace": 1, "speeches-web": 1}
    assert of["broken"].lineages == 6
    assert of["clean"].recoveries["speeches-web"] == [1, 1, 1]
    assert of["nothing"].interval == (0, 0)
    # Half is better than nothing; broken is tied with both.
    assert [s.tier for s in found] == [1, 2, 2, 3]
    assert of["clean"].ranks == (1, 1)
    assert of["half"].ranks == (2, 3)
    assert of["broken"].ranks == (2, 4)
    assert of["nothing"].ranks == (3, 4)
    assert of["half"].access_tier == "blind"
    assert of["clean"].access_tier == "archive + oracle"


def test_ledgers_by_hand():
    costs = by_name(half(real=3), broken(), nothing(), clean())
    of = costs["half"].costs
    # Two tasks, three seeds, three generations.
    assert of.items_trained == 18 * 100
    assert of.items_generated == 18 * 10
    assert of.forward_passes == 18 * 5
    assert of.real_items == 6  # the most in a generation, not the sum
    assert of.cpu_seconds == pytest.approx(18 * 2.5)
    assert costs["broken"].costs.items_trained == 16 * 100  # two lineages lost their last


def test_a_failed_lineage_below_0_keeps_its_value():
    worse = result("worse", lambda s: [1.0, 9.0])
    found = by_name(worse, nothing(), clean())["worse"]
    assert found.recoveries["speeches-web"] == [-3, -3, -3]  # 1 - (8 + 8) / 4


def test_a_metric_that_is_missing_ends_the_curve():
    gap = half()
    gap.tasks["speeches-web"].lineages[0].generations[1].profile["heldout_loss"] = None
    found = by_name(gap, nothing(), clean())["half"]
    assert found.failed == {"speeches-replace": 0, "speeches-web": 1}
    assert found.recoveries["speeches-web"][0] == -0.5  # twice the worst gap of nothing, 3


def test_one_seed_has_neither_interval_nor_tier():
    found = by_name(half(seeds=(0,)), nothing(seeds=(0,)), clean(seeds=(0,)))["half"]
    assert (found.score, found.interval, found.tier, found.ranks) == (0.5, None, None, None)


def test_the_order_of_seeds_and_tasks_does_not_matter():
    turned = half()
    turned.tasks = dict(reversed(turned.tasks.items()))
    for task in turned.tasks.values():
        task.lineages.reverse()
    assert by_name(turned, nothing(), clean()) == by_name(half(), nothing(), clean())


def edited(change: Callable[[Result], object]) -> Result:
    changed = half()
    change(changed)
    return changed


REFUSED = {
    "suite": (
        half(suite="quick"),
        "0.json is of suite 'small' and 2.json of suite 'quick': score each suite by itself",
    ),
    "tasks": (
        half(tasks=("speeches-web", "digits-web")),
        "0.json and 2.json were run on different tasks (only one has digits-web, speeches-replace)",
    ),
    "hash": (
        edited(lambda r: setattr(r.tasks["speeches-web"], "hash", "abcdefghij")),
        "0.json and 2.json were run on different versions of speeches-web (task hash hash of ",
    ),
    "seeds": (
        half(seeds=(0, 2)),
        "0.json and 2.json have different seeds (0, 1, 2 and 0, 2): run both with the same --seeds",
    ),
    "uneven seeds": (
        edited(lambda r: r.tasks["speeches-web"].lineages.pop()),
        "2.json does not hold each seed once on every task",
    ),
    "a seed twice": (half(seeds=(0, 0, 1)), "2.json does not hold each seed once on every task"),
    "no task": (half(tasks=()), "2.json does not hold each seed once on every task"),
    "access": (half(access=("MIND",)), "2.json declares an access that is not known here: MIND"),
    "twice": (clean(), "1.json and 2.json are both results of 'clean'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_results_that_do_not_belong_together_are_refused(name):
    odd, sentence = REFUSED[name]
    with pytest.raises(InputError) as caught:
        rank_results(labelled(nothing(), clean(), odd))
    assert sentence in str(caught.value)


def test_references_that_cannot_serve_are_refused():
    with pytest.raises(InputError, match="no result to score"):
        check_comparable({})
    with pytest.raises(InputError, match="scores need the result of 'clean'"):
        rank_results(labelled(half(), nothing()))
    stopped = result("clean", lambda s: [1.0, 1.0])
    with pytest.raises(InputError, match=r"'clean' did not finish speeches-replace, seed 0"):
        rank_results(labelled(half(), nothing(), stopped))
    equal = result("clean", lambda s: [1.0, 2.0, 4.0])
    with pytest.raises(InputError, match=r"speeches-replace, seed 0 cannot be scored: .*nothing"):
        rank_results(labelled(half(), nothing(), equal))


@pytest.mark.parametrize("at", [0, 1])
def test_a_task_that_does_not_apply_is_no_0_and_leaves_no_rank(at):
    found = rank_results(labelled(absent(at=at), broken(), nothing(), clean()))
    assert found[-1].method == "half"  # below those that are ranked
    one = found[-1]
    assert one.recoveries["speeches-web"] == []
    assert one.score == pytest.approx(0.5)  # over what applies
    assert (one.tier, one.ranks, one.partial, one.lost) == (None, None, True, 0)
    assert [s.tier for s in found[:-1]] == [
        s.tier for s in rank_results(labelled(broken(), nothing(), clean()))
    ]
    assert absent(at=at).failures == []
    assert absent(at=at).inapplicable == {"speeches-web": "no pictures"}


def test_who_finds_out_late_or_with_some_seeds_only_has_failed():
    late = by_name(absent(at=2), nothing(), clean())["half"]
    assert late.recoveries["speeches-web"] == [0, 0, 0]  # 1 - (.5 + 3) / 4 is above: 0 at most
    some = by_name(absent(seeds=(1,)), nothing(), clean())["half"]
    assert some.failed == {"speeches-replace": 0, "speeches-web": 1}
    assert some.recoveries["speeches-web"][1] == -0.5
    assert not some.partial
    assert len(absent(seeds=(1,)).failures) == 1


def test_a_method_that_applies_to_nothing_has_no_score():
    none = absent()
    none.tasks["speeches-replace"].lineages = none.tasks["speeches-web"].lineages
    found = by_name(none, nothing(), clean())["half"]
    assert (found.score, found.interval, found.tier, found.ranks) == (None, None, None, None)


def test_a_score_above_1_is_doubted():
    above = result("above", lambda s: [1.0, 0.9, 0.8])
    found = by_name(above, half(), nothing(), clean())
    assert "above 1" in found["above"].warning
    assert not found["half"].warning + found["clean"].warning


def test_tables_say_what_does_not_apply_and_what_is_doubted(folder, monkeypatch, capsys):
    above = result("above", lambda s: [1.0, 0.9, 0.8])
    for some in (absent(), above):
        (folder / f"{some.method.name}.json").write_bytes(some.to_json())
    assert cli(monkeypatch, "score", "half.json", "above.json") == 0
    out = capsys.readouterr().out
    assert row(out, "half")[0][:5] == ["-", "-", "half", "blind", "0.50~"]
    assert row(out, "half")[1] == ["half", "0.50", "n/a"]
    assert "1.07!" in row(out, "above")[0]
    words = " ".join(out.split())
    assert "!: above 1, better than real data only; not to be believed before a re-run." in words
    assert "~: the method does not apply to all tasks" in words
    assert cli(monkeypatch, "score", "half.json", "above.json", "--json") == 0
    of = {s["method"]: s for s in json.loads(capsys.readouterr().out)["standings"]}
    assert (of["half"]["recoveries"]["speeches-web"], of["half"]["partial"]) == ([], True)
    assert "above 1" in of["above"]["warning"]
    assert cli(monkeypatch, "score", "half.json") == 0
    assert "above 1, better" not in " ".join(capsys.readouterr().out.split())


def test_a_run_says_what_does_not_apply(monkeypatch):
    results = {r.method.name: r for r in (absent(), nothing(), clean())}
    console = Terminal(file=io.StringIO(), width=100)
    console.print(run_table(results))
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert ["half", "n/a", "n/a", "n/a", "n/a", "0.0"] in lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run's folder, which is also the working folder; the terminal has 80 columns."""
    for some in (nothing(), clean(), half(), broken()):
        (tmp_path / f"{some.method.name}.json").write_bytes(some.to_json())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def row(out: str, method: str) -> list[list[str]]:
    """The words of every line of the output in which `method` is a word."""
    return [line.split() for line in out.splitlines() if method in line.split()]


def test_the_table(folder, monkeypatch, capsys):
    assert cli(monkeypatch, "score", "half.json", "broken.json") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "Suite small, 2 tasks, seeds 0, 1, 2" in out
    scores, tasks, costs = row(out, "broken")
    assert scores[:4] == ["2", "2-4", "broken", "reserve"]
    assert scores[-1] == "2/6"
    assert tasks == ["broken", "0.33*", "0.33*"]
    assert costs == ["broken", "1,600", "160", "80", "14", "40"]
    assert row(out, "half")[0] == ["2", "2-3", "half", "blind", "0.50", "0.47", "to", "0.53", "0"]
    assert row(out, "clean")[0][:4] == ["1", "1", "clean", "archive"]
    assert "by definition" in out
    assert "* = with failed lineages" in " ".join(out.split())


def test_long_names_fit(folder, monkeypatch, capsys):
    name = "a_method_with_a_rather_long_name_v2"
    access = ("ARCHIVE", "MODEL", "RESERVE", "WATERMARK", "VERIFIER")
    long = result(name, lambda s: [1.0, 1.5, 12.5 + s], access)
    (folder / "long.json").write_bytes(long.to_json())
    assert cli(monkeypatch, "score", "long.json", "half.json") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "name_v2" in out
    assert "-2.25" in out
    assert "by definition" in out


def test_json_has_the_same_numbers(folder, monkeypatch, capsys):
    words = ("half.json", "clean.json", "broken.json", "nothing.json")
    assert cli(monkeypatch, "score", *words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["suite"] == "small"
    assert document["seeds"] == [0, 1, 2]
    assert document["tasks"]["speeches-web"] == "hash of speeches-web"
    assert document["files"]["half"] == "half.json"
    assert [s["method"] for s in document["standings"]] == ["clean", "half", "broken", "nothing"]
    half_, broken_ = document["standings"][1:3]
    assert half_["interval"] == pytest.approx([0.4717, 0.5283], abs=1e-4)
    assert (half_["tier"], half_["ranks"]) == (2, [2, 3])
    assert broken_["failed"] == {"speeches-replace": 1, "speeches-web": 1}
    assert broken_["costs"]["real_items"] == 14


def test_one_seed_says_so(folder, monkeypatch, capsys):
    for some in (nothing(seeds=(0,)), clean(seeds=(0,)), half(seeds=(0,))):
        (folder / f"{some.method.name}.json").write_bytes(some.to_json())
    assert cli(monkeypatch, "score", "half.json") == 0
    out = capsys.readouterr().out
    assert row(out, "half")[0] == ["-", "-", "half", "blind", "0.50", "-", "0"]
    assert "One seed: no interval and no tiers" in " ".join(out.split())
    assert cli(monkeypatch, "score", "half.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["standings"][1]["interval"] is None


def test_references_are_read_from_beside_any_file(folder, monkeypatch, capsys):
    (folder / "mine").mkdir()
    (folder / "half.json").rename(folder / "mine" / "half.json")
    assert cli(monkeypatch, "score", "mine/half.json") == 1
    assert capsys.readouterr().err == (
        "autophagy: scores need the reference 'nothing', and mine/nothing.json is not there: "
        "autophagy run nothing --suite small, with the same --tasks, --seeds and --out\n"
    )
    assert cli(monkeypatch, "score", "mine/half.json", "broken.json") == 0


def test_bad_files_are_one_sentence(folder, monkeypatch, capsys):
    (folder / "copy.json").write_bytes(half().to_json())
    (folder / "other").mkdir()
    (folder / "other" / "half.json").write_bytes(half().to_json())
    (folder / "other" / "nothing.json").write_bytes(broken().to_json())
    (folder / "other" / "clean.json").write_bytes(clean().to_json())
    (folder / "text.json").write_text("hello")
    for words, sentence in (
        (["half.json", "half.json"], "half.json is given twice"),
        (["half.json", folder / "half.json"], "half.json is given twice"),
        (["half.json", "copy.json"], "half.json and copy.json are both results of 'half'"),
        (["none.json"], "cannot read the result none.json"),
        (["other"], "cannot read the result other: it is a folder; give the files in it that are"),
        (["text.json"], "text.json is not a result of autophagy run"),
        (
            ["other/half.json"],
            "other/nothing.json should be the reference 'nothing', but is a result of 'broken'",
        ),
    ):
        assert cli(monkeypatch, "score", *words) == 1
        said = capsys.readouterr().err
        assert sentence in said
        assert len(said.strip().splitlines()) == 1


def test_scoring_needs_no_torch(folder):
    code = (
        "import sys; sys.argv = ['autophagy', 'score', 'half.json']\n"
        "from benchmark.commands.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('TORCH', 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "TORCH False"


def test_hand_made_results_are_what_a_run_stores(folder):
    assert load_result(folder / "half.json") == half()
