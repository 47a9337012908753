"""The engine reproduces the closed forms, and a broken engine does not."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm
from typer.testing import CliRunner

import benchmark.lineage.loop
import benchmark.lineage.web
from benchmark import Mitigation, Sampling
from benchmark.basics.cache import NoCache
from benchmark.basics.errors import Diverged, InputError, MethodError
from benchmark.basics.seeds import stream
from benchmark.commands.main import app
from benchmark.interface.items import Items, TrainingSet
from benchmark.lineage.granted import Grants
from benchmark.lineage.store import LineageMemory
from benchmark.lineage.web import Web
from benchmark.metrics.frechet import frechet_distance
from benchmark.metrics.neighbours import prdc
from benchmark.tasks.schedules import SCHEDULES, Draw, Fresh, Maker
from benchmark.tasks.task import Task
from benchmark.theory import categorical, formulas, gaussian, pairs, regression
from benchmark.theory.catalogue import catalogue
from benchmark.theory.exact import Fit
from benchmark.theory.experiments import BOUND, Measurement, Quantity, measure
from benchmark.theory.figure import PANELS
from benchmark.theory.least_squares import LinearData, LinearRecipe
from benchmark.theory.normal import NormalData, NormalGenerator, NormalRecipe
from benchmark.theory.pairs import PairData, PairGenerator, PairRecipe
from benchmark.theory.tasks import gaussian_task
from benchmark.theory.unigram import UnigramData, UnigramRecipe, zipf
from tests.tiny import era_of

METHODS = ("nothing", "accumulate", "accumulate_subsample", "first_crawl")
EXPERIMENTS = {experiment.setting: experiment for experiment in catalogue()}
# Every form, schedule and panel once.
FEW = [
    EXPERIMENTS[setting]
    for setting in (
        "replace, nothing",
        "replace, nothing, ddof 1",
        "replace, accumulate",
        "replace, accumulate_subsample",
        "fixed_real, nothing, real_share 0.1",
        "fresh, nothing, real_share 0.1",
        "web, nothing",
        "web, oracle",
        "fresh, FirstHalf, real_share 0.5",
        "fixed_real, Shifted, real_share 0.1",
        "regression, replace, nothing",
        "unigram, replace, nothing",
        "Zipf 1.5, n 100, cut at rank 20",
        "fresh, Uniform, real_share 0.3",
        "unigram, fresh, real_share 0.5",
        "numbers 1..999, n 2000",
        "web, clean, moving",
        "replace, nothing, moving",
        "web, first_crawl, foreign_share 0, moving",
        "accumulate, nothing, moving",
        "fresh, Marked_1, real_share 0.3, moving",
        "pairs, replace, nothing",
        "pairs, fresh, captions of 25% permuted",
    )
]
# The experiments, and their share of seeds.
RUNS = {"few": (FEW, 0.25), "all": (list(EXPERIMENTS.values()), 0.5)}
ROWS = {
    name: [(e.setting, i, q.form) for e in experiments for i, q in enumerate(e.quantities)]
    for name, (experiments, _) in RUNS.items()
}
SLOW = {"few": (), "all": pytest.mark.slow}


@pytest.fixture(scope="session", params=[pytest.param(name, marks=SLOW[name]) for name in RUNS])
def command(request, once):
    """`autophagy theory --json --plot FILE`, run once for these experiments: (exit code, what it
    printed, figure)."""
    experiments, share = RUNS[request.param]

    def fill(folder):
        words = ["theory", "--json", "--share", str(share)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("benchmark.commands.theory.catalogue", lambda: experiments)
            result = CliRunner().invoke(app, [*words, "--plot", str(folder / "figure.svg")])
        document = json.loads(result.stdout)
        (folder / "said.json").write_text(json.dumps([result.exit_code, document]))

    folder = once(f"theory {request.param}", fill)
    code, document = json.loads((folder / "said.json").read_text())
    return code, document, (folder / "figure.svg").read_text()


# --- the closed forms -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected", "at"),
    [
        pytest.param(name, row, at, marks=SLOW[name], id="-".join(map(str, (name, *row))))
        for name, rows in ROWS.items()
        for at, row in enumerate(rows)
    ],
    indirect=["command"],
)
def test_engine_meets_the_closed_form(command, expected, at):
    setting, _, form = expected
    row = command[1]["rows"][at]
    assert (row["setting"], row["form"]) == (setting, form)
    assert row["standard_error"] < 0.1 * abs(row["exact"])  # else the check would not bite
    assert abs(row["z"]) < BOUND, row


def test_command_succeeds_and_draws(command):
    code, document, figure = command
    assert code == 0
    assert document["passed"] is True
    assert all(row["passed"] for row in document["rows"])
    assert figure.startswith("<?xml")
    assert figure.count('id="axes_') == 8


def test_every_schedule_and_form_is_covered():
    forms = {name: {form for _, _, form in rows} for name, rows in ROWS.items()}
    assert {"G0", "G1", "G2", "G3", "L1", "D1", "D2", "C1", "B1"} <= forms["all"]
    assert {"M0", "M1", "M2", "M3", "W1", "R1", "N1", "P1", "J1"} <= forms["all"]
    assert forms["few"] == forms["all"]
    for experiments, _ in RUNS.values():
        assert {q.panel for e in experiments for q in e.quantities} - {None} == set(PANELS)
        settings = [e.setting for e in experiments]
        for name in SCHEDULES:
            assert any(name in setting for setting in settings)
        for method in (*METHODS, "oracle", "clean"):
            assert any(f", {method}" in setting for setting in settings)


# --- a broken engine ---------------------------------------------------------------------------


def z(setting, form, seeds=8):
    """The largest |z| of a form's rows, measured here and now with so many seeds."""
    few = replace(EXPERIMENTS[setting], seeds=seeds)
    return max(abs(m.row.z) for m in measure(few) if m.row.form == form)


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ("replace, nothing", "G0"),
        ("replace, nothing", "G1"),
        ("replace, nothing, ddof 1", "G2"),
        ("replace, accumulate", "G3"),
    ],
)
def test_control_ddof_swapped(monkeypatch, setting, form):
    def build(recipe):
        return NormalGenerator(replace(recipe, ddof=1 - recipe.ddof))

    monkeypatch.setattr(NormalRecipe, "build", build)
    assert z(setting, form) > 2 * BOUND


@pytest.mark.parametrize(
    ("setting", "form", "seeds"),
    [
        ("replace, nothing", "G1", 8),
        ("replace, nothing, ddof 1, spread 0.9", "G2", 8),
        ("accumulate, nothing", "S1", 64),
        ("fixed_real, nothing, real_share 0.1", "S2", 8),
        ("fresh, nothing, real_share 0.1", "S3", 8),
        ("web, nothing", "S4", 16),
        ("fixed_real, Shifted, real_share 0.5", "B1", 8),
        ("regression, replace, nothing", "L1", 8),
        ("unigram, replace, nothing", "D1", 8),
        ("fresh, Uniform, real_share 0.3", "C1", 8),
    ],
)
def test_control_schedule_off_by_one(monkeypatch, setting, form, seeds):
    for cls in SCHEDULES.values():
        late = cls.draws
        monkeypatch.setattr(cls, "draws", lambda self, t, n, f=late: f(self, max(1, t - 1), n))
    assert z(setting, form, seeds) > 2 * BOUND


def test_control_method_subsamples_with_replacement(monkeypatch):
    def draw(self, k, rng):
        return self.take(torch.randint(len(self), (k,), generator=rng))

    monkeypatch.setattr(Items, "draw", draw)
    assert z("replace, accumulate_subsample", "S1", seeds=128) > 2 * BOUND


def test_control_first_crawl_repeats_items(monkeypatch):
    def repeating(size, generator):
        return torch.randint(size, (size,), generator=generator)

    monkeypatch.setattr(benchmark.lineage.web.torch, "randperm", repeating)
    assert z("numbers 1..999, n 2000", "N1") > 2 * BOUND


def test_control_web_draws_with_replacement(monkeypatch):
    randperm = torch.randperm

    def repeating(size, generator):
        n = 20  # the shuffle of the crawl stays one
        if size == n:
            return randperm(size, generator=generator)
        return torch.randint(size, (size,), generator=generator)

    monkeypatch.setattr(benchmark.lineage.web.torch, "randperm", repeating)
    assert z("accumulate, nothing", "S1", seeds=128) > 2 * BOUND


def test_control_order_tells_provenance(monkeypatch):
    crawl = Web.crawl

    def sorted_crawl(self, t, rng):
        items, made = crawl(self, t, rng)
        order = made.argsort(stable=True)
        return items.take(order), made[order]

    monkeypatch.setattr(Web, "crawl", sorted_crawl)
    assert z("fresh, FirstHalf, real_share 0.5", "S6") > 2 * BOUND


@pytest.mark.parametrize(
    ("setting", "form"),
    [("web, oracle", "S5"), ("fresh, Marked_0, real_share 0.3, moving", "W1")],
)
def test_control_synthetic_items_labelled_real(monkeypatch, setting, form):
    crawl = Web.crawl

    def mislabelled(self, t, rng):
        items, made = crawl(self, t, rng)
        return items, torch.full_like(made, -1)

    monkeypatch.setattr(Web, "crawl", mislabelled)
    assert z(setting, form) > 2 * BOUND


MOVING = [
    ("web, clean, moving", "M0"),
    ("fresh, nothing, real_share 0.3, moving", "M1"),
    ("web, nothing, foreign_share 0, moving", "M1"),
    ("web, accumulate, foreign_share 0, moving", "M3"),
    ("web, AgeWeighted, foreign_share 0, moving", "M3"),
    ("accumulate, nothing, moving", "M3"),
    ("fresh, Marked_0.5, real_share 0.3, moving", "W1"),
]


@pytest.mark.parametrize(("setting", "form"), MOVING)
def test_control_world_is_an_era_late(monkeypatch, setting, form):
    world = NormalData.world

    def late(self, *given):
        begin = world(self, *given)
        return lambda t: begin(max(t - 1, 0))

    monkeypatch.setattr(NormalData, "world", late)
    assert z(setting, form, seeds=64 if setting == "accumulate, nothing, moving" else 8) > 2 * BOUND


@pytest.mark.parametrize(
    ("setting", "form"), [("web, first_crawl, foreign_share 0, moving", "M2"), MOVING[3]]
)
def test_control_archive_forgets(monkeypatch, setting, form):
    add = Grants.add

    def forgetful(self, *crawl):
        add(self, *crawl)
        self.crawls = self.crawls[-2:]

    monkeypatch.setattr(Grants, "add", forgetful)
    assert z(setting, form) > 2 * BOUND


@pytest.mark.parametrize(("share", "seeds"), [("0.1", 16), ("0.5", 8)])
def test_control_real_items_are_handed_out_again(monkeypatch, share, seeds):
    def draws(self, t, n):
        real = round(n * self.real_share)
        return [Draw(real, (Maker("real", 0),)), Draw(n - real, (Maker("own", t - 1),))]

    monkeypatch.setattr(Fresh, "draws", draws)
    assert z(f"unigram, fresh, real_share {share}", "R1", seeds) > 2 * BOUND


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ("pairs, replace, nothing", "P1"),
        ("pairs, replace, writer frozen", "P1"),
        ("pairs, fresh, captions of 5% permuted", "J1"),
        ("pairs, fresh, captions of 50% permuted", "J1"),
    ],
)
def test_control_captions_and_pictures_come_apart(monkeypatch, setting, form):
    crawl = Web.crawl

    def torn(self, t, rng):
        items, made = crawl(self, t, rng)
        return Items(tokens=items["tokens"], x=items["x"][torch.randperm(len(items))]), made

    monkeypatch.setattr(Web, "crawl", torn)
    assert z(setting, form) > 2 * BOUND


def test_control_frozen_writer_draws(monkeypatch):
    def build(recipe):
        return PairGenerator(replace(recipe, frozen_writer=False))

    monkeypatch.setattr(PairRecipe, "build", build)
    assert z("pairs, replace, writer frozen", "P1", seeds=32) > BOUND


@pytest.mark.parametrize(
    ("setting", "form"),
    [
        ("regression, replace, nothing", "L1"),
        ("unigram, replace, nothing", "D1"),
        ("pairs, replace, FrozenPainter", "P1"),
    ],
)
def test_control_noise_repeats_every_generation(monkeypatch, setting, form):
    def same(task, seed, t, purpose):
        return stream(task.hash, seed, purpose)

    monkeypatch.setattr(Task, "rng", same)
    assert z(setting, form, seeds=32 if form == "L1" else 8) > BOUND


def test_command_exits_1_when_a_form_is_missed(monkeypatch):
    def build(recipe):
        return NormalGenerator(replace(recipe, ddof=1))

    monkeypatch.setattr(NormalRecipe, "build", build)
    one = [EXPERIMENTS["replace, nothing"]]
    monkeypatch.setattr("benchmark.commands.theory.catalogue", lambda: one)
    result = CliRunner().invoke(app, ["theory", "--share", "0.25"])
    assert result.exit_code == 1
    assert "3 closed forms, 3 missed" in result.stdout


def test_no_spread_is_not_a_pass():
    quantity = Quantity("X", "x", lambda x: x, np.ones(1))
    row = Measurement("nothing varies", 2, quantity, np.ones(1), np.zeros(1)).row
    assert math.isnan(row.z)
    assert not row.passed


# --- the functions -----------------------------------------------------------------------------


def test_shapes_and_seeds():
    means, variances = gaussian("replace", n=8, generations=3, dim=5)
    assert means.shape == variances.shape == (3, 5)
    assert regression("replace", generations=3, dim=2, replicates=4).shape == (3, 4, 2)
    assert categorical("replace", generations=3, words=6, replicates=4).shape == (3, 4, 6)
    fits = pairs("replace", generations=3, captions=6, replicates=4)
    assert {name: number.shape for name, number in fits.items()} == dict.fromkeys(
        ("probability", "mean", "var"), (3, 4, 6)
    )
    again, _ = gaussian("replace", n=8, generations=3, dim=5)
    other, _ = gaussian("replace", n=8, generations=3, dim=5, seed=1)
    assert (means == again).all()
    assert (means != other).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_methods_run_unchanged_on_every_schedule(schedule):
    for family, size in (
        (lambda *a, **k: gaussian(*a, **k)[0], {"dim": 3}),
        (regression, {"replicates": 3}),
        (categorical, {"replicates": 3}),
        (lambda *a, **k: pairs(*a, **k)["mean"], {"replicates": 3}),
    ):
        runs = [family(schedule, method, n=20, generations=4, **size) for method in METHODS]
        assert all(np.isfinite(run).all() for run in runs)
        assert all((run[0] == runs[0][0]).all() for run in runs)  # generation 0 is common
        assert all((run[-1] != runs[0][-1]).any() for run in runs[1:])  # the method acts


def test_first_model_is_the_exact_fit():
    """Generation 0 of the first crawl for ever is every later one too."""
    means, variances = gaussian("replace", "first_crawl", n=20, generations=4, dim=50)
    assert np.allclose(means, means[0], atol=1e-12)
    assert np.allclose(variances, variances[0], atol=1e-12)


@pytest.mark.parametrize(
    "recipe",
    [
        NormalRecipe(dim=3, n=12, ddof=0),
        NormalRecipe(dim=3, n=12, ddof=1),
        LinearRecipe(dim=2, replicates=3, n=12),
        UnigramRecipe(words=4, replicates=3, n=12),
        PairRecipe(captions=3, replicates=3, n=12),
    ],
    ids=["ml", "unbiased", "least squares", "unigram", "pairs"],
)
def test_weights_zero_and_one_choose_items(recipe):
    rng, generator = stream("weights"), recipe.build()
    items = {
        NormalRecipe: NormalData(3),
        LinearRecipe: LinearData(2, 3),
        UnigramRecipe: UnigramData(4, 3, 1.0),
        PairRecipe: PairData(3, 3, 1.0),
    }[type(recipe)]
    items = era_of(items.build(), 12, 1, "weights").real
    weights = torch.tensor([0.0] * 5 + [2.0] * 7)
    weighted = generator.train(TrainingSet(items, weights), rng).state_dict()
    chosen = generator.train(TrainingSet(items.take(slice(5, None))), rng).state_dict()
    for name in set(weighted) - {"x"}:
        assert torch.allclose(weighted[name], chosen[name])
    samples = generator.sample(generator.train(TrainingSet(items), rng), 5, rng, Sampling())
    assert samples.same_kind(items)
    assert len(samples) == 5


def test_log_probabilities():
    x = torch.tensor([[0.5, -1.0], [2.0, 0.0]], dtype=torch.float64)
    normal, model = NormalRecipe(2, 2).build(), Fit({"mean": x[0], "var": torch.tensor([1.0, 4.0])})
    deviation = [1.0, 2.0]
    expected = norm.logpdf(x.numpy(), x[0].numpy(), deviation).sum(1)
    assert normal.log_prob(model, Items(x=x)).numpy() == pytest.approx(expected)
    assert normal.loss(model, Items(x=x)) == pytest.approx(-expected.mean() / 2)
    assert normal.features(model, Items(x=x))[1].tolist() == [1.5, 0.5]

    line, model = LinearRecipe(1, 1, 2, noise=0.5).build(), Fit({"weight": torch.tensor([[3.0]])})
    items = Items(x=torch.tensor([[[1.0]], [[2.0]]]), y=torch.tensor([[3.0], [5.0]]))
    expected = norm.logpdf([3.0, 5.0], [3.0, 6.0], 0.5)
    assert line.log_prob(model, items).numpy() == pytest.approx(expected)
    assert line.features(model, items).flatten().tolist() == [3.0, 6.0]

    words, law = UnigramRecipe(3, 2, 2).build(), torch.tensor([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0]])
    items = Items(tokens=torch.tensor([[0, 1], [1, 2]]))
    scores = words.log_prob(Fit({"probability": law}), items).tolist()
    assert scores == pytest.approx([math.log(0.5 * 0.75), -math.inf])
    painter = PairRecipe(2, 1, 2).build()
    fits = {"probability": [[0.25, 0.75]], "mean": [[0.0, 3.0]], "var": [[1.0, 4.0]]}
    model = Fit({name: torch.tensor(number) for name, number in fits.items()})
    items = Items(tokens=torch.tensor([[0], [1]]), x=torch.tensor([[0.5], [4.0]]))
    expected = [math.log(0.25) + norm.logpdf(0.5), math.log(0.75) + norm.logpdf(4.0, 3.0, 2.0)]
    assert painter.log_prob(model, items).tolist() == pytest.approx(expected)
    assert painter.features(model, items).flatten().tolist() == [0.5, 0.5]

    items = Items(tokens=torch.tensor([[0, 1], [1, 2]]))
    assert words.features(Fit({"probability": law}), items).tolist() == [[0.5, 0.75], [0.5, 0.0]]


class _Cold(Mitigation):
    def sampling(self, round):
        return Sampling(temperature=0.5)


class _Broken(Mitigation):
    def curate(self, crawl, round):
        raise RuntimeError("no idea")


class _Lossy(Mitigation):
    def loss(self, per_element, outputs):
        return per_element


def test_a_class_and_its_sampling_temperature():
    _, variances = gaussian("replace", _Cold, n=50, generations=3, dim=2_000)
    assert variances.mean(1) == pytest.approx(
        formulas.replace_variance(np.arange(1, 4), 50, spread=0.5), rel=0.03
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gaussian("replase"), "there is no schedule 'replase'"),
        (lambda: gaussian("replace", real_share=0.1), "has no option 'real_share': it has none"),
        (lambda: gaussian("fresh", share=0.1), "has no option 'share': it has real_share"),
        (lambda: regression("fresh", real_share=2), "real_share is a share between 0 and 1"),
        (lambda: categorical("replace", "magic"), "there is no method 'magic'"),
        (lambda: gaussian("replace", int), "int is not a subclass"),
        (lambda: gaussian("replace", n=1), "n must be at least 2"),
        (lambda: gaussian("replace", generations=0), "generations must be at least 1"),
        (lambda: gaussian("replace", dim=0), "dim must be at least 1"),
        (lambda: gaussian("replace", seed=-1), "seed must be at least 0"),
        (lambda: gaussian("replace", ddof=2), "ddof is 0 or 1"),
        (lambda: gaussian("replace", spread=0), "spread is positive"),
        (lambda: gaussian("replace", speed=math.inf), "speed is a finite number"),
        (lambda: pairs("replace", captions=1), "captions must be at least 2"),
        (lambda: regression("replace", n=3, dim=4), "n must be at least 4"),
        (lambda: regression("replace", noise=-1), "noise is positive"),
        (lambda: categorical("replace", words=0), "words must be at least 1"),
        (lambda: categorical("replace", cut=0), "cut must be at least 1"),
    ],
)
def test_wrong_input_is_one_sentence(call, said):
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_failures_are_raised():
    with pytest.raises(MethodError, match="no idea"):
        gaussian("replace", _Broken, dim=2)
    with pytest.raises(MethodError, match="no loss to change"):
        gaussian("replace", _Lossy, dim=2)
    with pytest.raises(Diverged, match="not finite"):
        gaussian("replace", spread=1e200, dim=2)
    with pytest.raises(Diverged, match="too few distinct rows"):
        regression("accumulate", n=4, dim=4, generations=20, replicates=2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file/figure.svg", "cannot write the figure .*file"),
        ("folder.svg", "cannot write the figure .*folder"),
        ("figure.txt", "writes .svg, .png or .pdf"),
    ],
)
def test_unwritable_plot_is_told_before_the_work(tmp_path, monkeypatch, name, said):
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr("benchmark.commands.theory.catalogue", lambda: pytest.fail("worked"))
    result = CliRunner().invoke(app, ["theory", "--plot", str(tmp_path / name)])
    with pytest.raises(InputError, match=said):
        raise result.exception


# --- the formulas among themselves -------------------------------------------------------------


def test_accumulation_is_bounded():
    n = 20
    limit = math.sin(math.pi / math.sqrt(n)) / (math.pi / math.sqrt(n))
    variance = formulas.accumulation_variance(np.array([100_000]), n)[0]
    assert variance == pytest.approx(limit, rel=1e-5)
    assert 1 - variance <= math.pi**2 / (6 * n)
    first, late = formulas.regression_risk(np.array([1, 100_000]), n, 5, 1.0, accumulate=True)
    assert late / first == pytest.approx(math.pi**2 / 6, rel=1e-4)


def test_schedules_without_real_items_are_replace():
    t, n = np.arange(1, 15), 20
    replaced = formulas.replace_drift(t, n)
    assert replaced == pytest.approx(1 - (1 - 1 / n) ** t)
    assert formulas.fixed_real_drift(t, n, 0) == pytest.approx(replaced)
    assert formulas.fresh_drift(t, n, 0) == pytest.approx(replaced)
    assert formulas.web_drift(t, n, floor=0.0, fading=0.0, foreign_share=0.0) == pytest.approx(
        replaced
    )
    assert formulas.fresh_drift(t, n, n) == pytest.approx(1 / n)
    assert formulas.replace_drift(t, n, ddof=1) == pytest.approx(t / n)


def test_lost_words():
    t, n, law = np.arange(1, 4), 30, zipf(6, 1.0)
    lost = formulas.lost(t, n, law)
    assert lost[0] == pytest.approx((1 - law) ** n)
    assert (np.diff(lost, axis=0) > 0).all()
    assert formulas.unseen(n, law) == pytest.approx(law @ lost[0])


@pytest.mark.parametrize("beta", [2.0, 3.0])
def test_zipf_exponents(beta):
    law = zipf(1_000_000, beta)
    unseen = [formulas.unseen(n, law) for n in (10_000, 1_000_000)]
    slope = math.log(unseen[1] / unseen[0]) / math.log(100)
    assert slope == pytest.approx(-(1 - 1 / beta), rel=0.01)
    floor = [formulas.unseen(10**12, law, cut) for cut in (100, 1_000)]
    assert math.log10(floor[1] / floor[0]) == pytest.approx(-(beta - 1), rel=0.01)


def test_chi_square_contracts_by_the_synthetic_share_squared():
    p, q, a = zipf(10, 1.0), np.full(10, 0.1), 0.3

    def chi_square(r):
        return np.sum((r - p) ** 2 / p)

    assert chi_square(a * p + (1 - a) * q) == pytest.approx((1 - a) ** 2 * chi_square(q))
    n = 10**9
    values = formulas.chi_square(np.arange(1, 5), n, round(a * n), p, q)
    assert values[3] == pytest.approx((1 - a) ** 4 * chi_square(q), rel=1e-6)


def test_the_longest_memory_is_best_in_a_world_that_stands_still_and_worst_in_a_fast_one():
    """Mean squared error at the end: M1 on `web`, M2, and M3 by its lag."""
    n, t = 20, np.arange(9)
    shares = np.append(1.0, 0.25 + 0.75 * 0.6 ** t[1:])

    def newest(speed):
        return formulas.moving_fit(shares, n, speed)[1][-1]

    def first(speed):
        return speed**2 * t[-1] ** 2 + 1 / n

    assert first(0) < newest(0)
    assert first(0.5) > newest(0.5)
    lags = [formulas.union_lag(shares, 0.5, rate)[-1] for rate in (1e-9, 0.3, 0.6, 1.0)]
    newest_lag = formulas.moving_fit(shares, n, 0.5)[0][-1]
    assert lags[0] == pytest.approx(newest_lag)
    assert lags == sorted(lags, reverse=True)  # the longer the memory, the further behind
    assert lags[-1] > -0.5 * t[-1]


def test_a_floor_of_real_items_bounds_the_lag():
    lags, _ = formulas.moving_fit(np.full(200, 0.25), 20, speed=0.5)
    assert lags[-1] == pytest.approx(-0.75 * 0.5 / 0.25)
    lags, squares = formulas.moving_fit(np.append(1.0, np.zeros(19)), 20, speed=0.5)
    assert lags == pytest.approx(-0.5 * np.arange(20))
    still, drifts = formulas.moving_fit(np.append(1.0, np.zeros(19)), 20, speed=0.0)
    assert (still == 0).all()
    assert drifts == pytest.approx(formulas.replace_drift(np.arange(1, 21), 20))
    assert (squares > lags**2).all()


def test_a_world_of_speed_0_is_still_but_never_hands_out_a_real_item_twice():
    means, _ = gaussian("fixed_real", n=20, generations=6, dim=2_000, real_share=1.0, speed=0.0)
    assert np.abs(means.mean(1)).max() < 4 / math.sqrt(20 * 2_000)
    assert (np.corrcoef(means) < 0.1 + np.eye(6)).all()
    again, _ = gaussian("fixed_real", n=20, generations=6, dim=2_000, real_share=1.0)
    assert np.allclose(again, again[0])  # the first crawl's for ever


def test_a_profile_in_a_moving_world_is_against_its_own_era():
    task = gaussian_task(Fresh(real_share=1.0), n=400, generations=4, dim=50, speed=2.0)
    records = benchmark.lineage.loop.run_lineage(task, Mitigation, 0, LineageMemory(), NoCache())
    assert [record["profile"]["frechet"] < 0.01 for record in records] == [True] * 4


def test_a_watermark_is_worth_between_no_mark_and_provenance():
    """n a^2 (1 + chi^2) with 1 + chi^2 = 1/(a + (1 - a) eps) <= 1/max(a, eps), for large n."""
    n = 10_000
    for a in (0.5, 0.1, 0.02):
        worth = {eps: a * formulas.purity(n, round(a * n), eps) for eps in (0.0, 0.1, 1.0)}
        assert worth[0.0] == pytest.approx(a)
        assert worth[1.0] == pytest.approx(a**2)
        assert worth[0.1] == pytest.approx(a**2 / (a + (1 - a) * 0.1), rel=0.01)
        assert worth[0.1] <= a**2 / max(a, 0.1)


def test_a_learnt_writer_costs_rare_captions_more():
    t, n = np.arange(1, 9), 40
    learnt, frozen = (formulas.picture_variance(t, n, 0.1, w) for w in ("learnt", "frozen"))
    assert learnt[0] == pytest.approx(frozen[0])
    assert (learnt[1:] < frozen[1:]).all()
    certain = formulas.picture_variance(t, n, 1.0, "learnt")
    assert certain == pytest.approx((1 - 1 / n) ** t)


# --- metrics with a closed form ----------------------------------------------------------------


def test_frechet_distance_of_gaussians():
    rng = np.random.default_rng(0)

    def sample(mean, deviation):
        x = rng.standard_normal((500, 3))
        x = (x - x.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
        return torch.from_numpy(mean + deviation * x)

    a, b = sample(0.0, np.array([1.0, 2.0, 3.0])), sample(1.0, np.array([2.0, 2.0, 5.0]))
    assert frechet_distance(a, b) == pytest.approx(3 * 1.0 + 1.0 + 0.0 + 4.0, rel=1e-6)


def test_a_copy_has_perfect_precision_and_recall():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((200, 4)))
    scores = prdc(x, x.clone())
    assert scores["precision"] == scores["recall"] == scores["coverage"] == 1
    far = prdc(x, x + 100)
    assert far["precision"] == far["recall"] == far["coverage"] == 0


def test_the_joint_frechet_distance_grows_with_the_share_of_permuted_captions():
    """J1 by the metric of the real tasks: means and variances stay as they are."""
    rng = np.random.default_rng(0)
    caption = rng.standard_normal(20_000)
    picture = caption + rng.standard_normal(20_000)
    pairs_ = torch.from_numpy(np.stack([picture, caption], 1))
    covariance, found = np.cov(pairs_.T.numpy()), []
    for share in (0.05, 0.1, 0.25, 0.5, 1.0):
        torn, count = pairs_.clone(), int(share * len(pairs_))
        torn[:count, 1] = torn[rng.permutation(count), 1]
        found.append(frechet_distance(pairs_, torn))
        other = covariance.copy()
        other[0, 1] = other[1, 0] = (1 - share) * covariance[0, 1]
        # The shares drawn cost up to 4 standard errors, 1/sqrt(count) each, of the distance's root.
        expected = formulas.joint_frechet(covariance, other)
        assert math.sqrt(found[-1]) == pytest.approx(math.sqrt(expected), rel=8 / math.sqrt(count))
    assert found == sorted(found)
