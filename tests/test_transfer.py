"""Whether a cheap suite predicts a dear one."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from typer.testing import CliRunner

from benchmark.basics.errors import InputError
from benchmark.commands.main import app
from benchmark.results.costs import Costs
from benchmark.results.references import frozen_file
from benchmark.results.schema import load_result
from benchmark.results.standings import Standing
from benchmark.results.transfer import EVERY, compare_suites, pair_tasks, tau_interval

TASKS = ("digits", "speeches")


def standing(method, recoveries, reference=False):
    values = dict(zip(TASKS, recoveries, strict=True))
    mean = float(np.mean(list(values.values())))
    costs = Costs(0, 0, 0, 0, 0.0)
    return Standing(
        method=method, access=(), access_tier="blind", recoveries=values, failed={}, lineages=6,
        costs=costs, reference=reference, tier=None, ranks=None, score=mean, interval=None,
    )  # fmt: skip


def table(centres, noise=0.0, seeds=3):
    """Standings of methods m0, m1, ... whose recoveries lie around `centres`."""
    rng = np.random.default_rng(0)
    return [
        standing(f"m{i}", (centre + noise * rng.normal(size=(2, seeds))).tolist())
        for i, centre in enumerate(centres)
    ]


def test_by_hand():
    # Of the 10 pairs one is turned round: tau = (9 - 1) / 10.
    suites = {"cheap": table([1, 2, 3, 4, 5], seeds=1), "dear": table([1, 3, 2, 4, 5])}
    every, *by_task = compare_suites(suites)
    assert (every.one, every.other, every.tasks, every.methods) == ("cheap", "dear", EVERY, 5)
    assert every.tau == pytest.approx(0.8)
    assert (every.separated, every.agreed) == (10, 9)  # without noise all pairs are separated
    assert [found.tasks for found in by_task] == list(TASKS)
    low, high = every.interval
    assert low < 0.8 < high < 1


def test_tasks_of_another_schedule_are_compared_by_their_data():
    closed = ["digits-replace", "speeches-replace"]
    assert pair_tasks(closed, ["speeches-web", "digits-web"]) == [
        ("digits-replace", "digits-web"),
        ("speeches-replace", "speeches-web"),
    ]
    # Not where it would be a choice, and not beside tasks of one name.
    assert pair_tasks(closed, ["digits-web", "digits-web-fast", "speeches-web"]) == [
        ("speeches-replace", "speeches-web")
    ]
    assert pair_tasks(["a-web", "b-web"], ["b-replace", "a-web"]) == [("a-web", "a-web")]

    def rename(standings, *names):
        return [
            replace(one, recoveries=dict(zip(names, one.recoveries.values(), strict=True)))
            for one in standings
        ]

    suites = {
        "closed": rename(table([1, 2, 3, 4, 5]), *closed),
        "small": rename(table([5, 4, 3, 2, 1]), "digits-web", "speeches-web"),
    }
    found = compare_suites(suites)
    assert [one.tasks for one in found] == [
        EVERY, "digits-replace / digits-web", "speeches-replace / speeches-web"
    ]  # fmt: skip
    assert [one.tau for one in found] == pytest.approx([-1, -1, -1])


def test_only_separated_pairs_count():
    suites = {"cheap": table([5, 4, 3, 2, 1]), "dear": table([0, 0, 0, 0, 9], noise=0.1)}
    found = compare_suites(suites)[0]
    assert (found.separated, found.agreed) == (4, 0)


def test_a_re_run_is_compared_on_its_own_seeds():
    """It is not paired with blocks that it does not share, be they as many or not."""
    cheap = table([1, 2, 3, 4, 5])
    noise = np.array([-0.5, 0.0, 0.5])
    dear = [
        replace(standing(f"m{i}", [(i + noise).tolist()] * 2), seeds=(0, 1, 2)) for i in range(4)
    ]
    shared = replace(standing("m4", [(3.1 + noise).tolist()] * 2), seeds=(0, 1, 2))
    other = replace(shared, seeds=(71, 72, 73))
    more = replace(
        standing("m4", [[2.6, 2.8, 3.1, 3.4, 3.6]] * 2), seeds=(71, 72, 73, 74, 75)
    )  # fmt: skip
    (paired, apart, unlike) = (
        compare_suites({"cheap": cheap, "dear": [*dear, one]})[0] for one in (shared, other, more)
    )
    assert paired.separated == 10  # the noise is common to all, and cancels
    assert apart.separated < 10
    assert unlike.separated < 10


def test_references_and_methods_of_one_suite_are_left_out():
    cheap = [*table([1, 2, 3, 4, 5, 6]), standing("clean", ([1] * 3, [1] * 3), reference=True)]
    dear = [*table([1, 2, 3, 4, 5]), standing("clean", ([1] * 3, [1] * 3), reference=True)]
    assert compare_suites({"cheap": cheap, "dear": dear})[0].methods == 5


@pytest.mark.parametrize(("n", "r"), [(20, 0.6), (5, 0.6), (5, 0.9), (5, -0.9), (6, 0.9)])
def test_the_interval_covers(n, r):
    """For normal scores with correlation r, tau is 2 / pi arcsin r."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        x = rng.normal(size=n)
        y = r * x + (1 - r**2) ** 0.5 * rng.normal(size=n)
        low, high = tau_interval(scipy.stats.kendalltau(x, y).statistic, n)
        covered += low < 2 / np.pi * np.arcsin(r) < high
    assert 0.92 <= covered / 400 <= (0.98 if n == 20 else 1)


def test_the_same_order_of_few_methods_is_little_evidence():
    for tau in (1, -1):
        nearest, farthest = sorted(tau_interval(tau, 5), key=abs)
        assert abs(nearest) < 0.5
        assert farthest == tau
    assert tau_interval(1, 40)[0] > 0.9
    with pytest.raises(ValueError, match="needs 5"):
        tau_interval(0.5, 4)


def test_too_little_to_compare():
    with pytest.raises(InputError, match="needs results of two suites"):
        compare_suites({"cheap": table([1, 2, 3, 4, 5])})
    with pytest.raises(InputError, match="4 methods have results in both 'cheap' and 'dear'"):
        compare_suites({"cheap": table([1, 2, 3, 4]), "dear": table([1, 2, 3, 4, 5])})
    with pytest.raises(InputError, match="score the same"):
        compare_suites({"cheap": table([1] * 5), "dear": table([1, 2, 3, 4, 5])})


def test_what_can_be_compared_is_and_the_rest_is_said():
    suites = {
        "few": table([1, 2, 3]),
        "cheap": table([1, 2, 3, 4, 5]),
        "dear": [
            replace(one, recoveries=one.recoveries | {"digits": [0.5] * 3})
            for one in table([1, 2, 3, 4, 5])
        ],
    }
    told = []
    found = compare_suites(suites, told.append)
    assert [(one.one, one.other, one.tasks) for one in found] == [
        ("cheap", "dear", EVERY), ("cheap", "dear", "speeches"),
    ]  # fmt: skip
    assert [said.partition(":")[0] for said in told] == [
        "3 methods have results in both 'few' and 'cheap'",
        "3 methods have results in both 'few' and 'dear'",
        "all methods score the same in 'cheap' or 'dear' (digits)",
    ]
    with pytest.raises(InputError, match=r"'few' and 'cheap'.*; 3 methods .* 'few' and 'same'"):
        compare_suites({"few": table([1, 2, 3]), "cheap": table([1] * 5), "same": table([1] * 5)})


def test_the_command(tmp_path):
    """Methods whose curves lie between the references', in another order in the other suite."""
    files = []
    for suite, shares in (("quick", (1, 2, 3, 4, 5)), ("small", (1, 2, 3, 5, 4))):
        lower, upper = (load_result(frozen_file(suite, name)) for name in ("nothing", "clean"))
        for i, share in enumerate(shares):
            result = lower.model_copy(deep=True)
            result.method.name = f"m{i}"
            for name, task in result.tasks.items():
                for one, other in zip(task.lineages, upper.tasks[name].lineages, strict=True):
                    for mine, best in zip(one.generations, other.generations, strict=True):
                        worst = mine.profile[task.primary]
                        step = (best.profile[task.primary] - worst) * share / 10
                        mine.profile[task.primary] = worst + step
            file = tmp_path / suite / f"m{i}.json"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(result.to_json())
            files.append(str(file))
    said = CliRunner().invoke(app, ["transfer", *files, "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.output)[0]
    assert (found["one"], found["other"]) == ("quick", "small")
    assert found["tau"] == pytest.approx(0.8)
    shown = CliRunner().invoke(app, ["transfer", *files])
    assert "quick, small" in shown.output
    assert "9 of 10" in shown.output
    # Results of a third suite, of which there are too few, take nothing away.
    third = load_result(tmp_path / "quick" / "m0.json")
    references = [load_result(frozen_file("quick", name)) for name in ("nothing", "clean")]
    for result in (third, *references):
        file = tmp_path / "tiny" / f"{result.method.name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(result.model_copy(update={"suite": "tiny"}).to_json())
        files.append(str(file))
    shown = CliRunner().invoke(app, ["transfer", *files])
    assert shown.exit_code == 0
    assert "9 of 10" in shown.stdout
    assert "Left out: 1 methods have results in both 'quick' and 'tiny'" in shown.stderr
