"""Data-side baselines on cases that can be checked by hand."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from baselines._content import vectors
from baselines._detector import train
from baselines.covariance_matching import match
from baselines.deduplicate import jaccard
from baselines.density_ratio import ratio
from baselines.detector_resample import resample
from baselines.farthest_point import select
from baselines.golden_ratio import weight_of_real
from benchmark import REAL, Access, Items, Mitigation, Round, TrainingSet
from benchmark.basics.seeds import stream
from benchmark.interface.find import find_method
from benchmark.interface.round import Ledger, Limits
from benchmark.theory.exact import Fit
from benchmark.theory.lineages import gaussian
from benchmark.theory.normal import NormalRecipe


def normal(n: int, mean: float, name: str, dim: int = 5) -> Items:
    noise = torch.randn(n, dim, generator=stream(name), dtype=torch.float64)
    return Items(x=mean + noise)


def line(*x: float) -> Items:
    return Items(x=torch.tensor(x, dtype=torch.float64)[:, None])


def curate(
    name: str,
    crawl: Items,
    archive: list[Items] | None = None,
    reserve: Items | None = None,
    own_mean: float = 0.0,
    verifier=None,
) -> TrainingSet:
    """What baseline `name` makes of the crawl; its own generator is N(own_mean, 1)."""
    method = find_method(name).load()
    dim = crawl["x"].shape[1] if "x" in crawl.columns else 1
    model = Fit({"mean": torch.full((dim,), own_mean).double(), "var": torch.ones(dim).double()})
    granted = {
        Access.ARCHIVE: tuple(archive or ()),
        Access.RESERVE: reserve,
        Access.MODEL: model,
        Access.VERIFIER: verifier,
    }
    round_ = Round(
        generation=max(1, len(archive or ())),
        n=len(crawl),
        modality="toy",
        rng=stream("curated"),
        granted={access: granted[access] for access in method.access},
        generator=NormalRecipe(dim, len(crawl)).build(),
        ledger=Ledger(),
        limits=Limits(0, 10_000, 10_000),
    )
    return method().curate(crawl, round_)


def crawls(*starts: int) -> list[Items]:
    return [line(*range(start, start + 10)) for start in starts]


def shares(training: TrainingSet) -> list[int]:
    """How many items came from 0..9, 100..109, 200..209, ...; all distinct."""
    x = training.items["x"][:, 0]
    assert len(x.unique()) == len(x)
    return torch.bincount(x.long() // 100).tolist()


def test_accumulate_stratified_takes_the_same_number_from_every_crawl():
    *archive, crawl = crawls(0, 100, 200)
    assert shares(curate("accumulate_stratified", crawl, archive)) == [3, 3, 4]


def test_accumulate_half_new_gives_half_to_the_newest_crawl_however_many_came_before():
    *archive, crawl = crawls(0, 100, 200, 300, 400)
    training = curate("accumulate_half_new", crawl, archive)
    assert len(training) == 10
    assert shares(training)[4] == 5


def test_golden_ratio_of_real_and_synthetic_in_equal_numbers():
    assert weight_of_real(1) == pytest.approx(2 / (1 + math.sqrt(5)))
    assert weight_of_real(1e6) == pytest.approx(1, abs=1e-5)
    assert weight_of_real(1e-6) == pytest.approx(1e-3, rel=1e-3)


def test_golden_ratio_gives_that_share_of_the_weight_to_the_reserve():
    training = curate("golden_ratio", *crawls(100), reserve=line(0, 1, 2, 3, 4))
    real = training.items["x"][:, 0] < 100
    share = training.weights[real].sum() / training.weights.sum()
    assert share.item() == pytest.approx(weight_of_real(0.5))
    assert (len(training), int(real.sum())) == (15, 5)


def test_the_golden_ratio_is_best_where_real_data_are_fresh():
    """He et al. 2025: mean of a Gaussian, as many new real items as synthetic ones a generation.

    E mean_t^2 = w^2/r + (1 - w)^2 (m + (1 - m)/s) with m = E mean_{t-1}^2 and r = s = 10 items.
    """

    def drift(w: float) -> float:
        class Weighted(Mitigation):
            access = frozenset({Access.PROVENANCE})

            def curate(self, crawl: Items, round: Round) -> TrainingSet:
                return TrainingSet(crawl, torch.where(round.provenance[-1] == REAL, w, 1 - w))

        means, _ = gaussian("fresh", Weighted, n=20, generations=8, dim=20_000, real_share=0.5)
        return float((means[-1] ** 2).mean())

    m = 1 / 20
    w = weight_of_real(1)
    for _ in range(7):
        m = w**2 / 10 + (1 - w) ** 2 * (m + (1 - m) / 10)
    golden = drift(w)
    assert golden == pytest.approx(m, rel=0.03)
    assert golden < 0.96 * min(drift(0.5), drift(0.75))


@pytest.mark.parametrize(("t", "share"), [(1, 1 / 2), (3, 1 / 4)])
def test_replay_decays_as_the_share_of_real_items_in_a_growing_pool(t, share):
    training = curate("replay_decay", *crawls(100), archive=crawls(*range(t)), reserve=line(0, 1))
    real = training.items["x"][:, 0] < 100
    given = training.weights[real].sum() / training.weights.sum()
    assert given.item() == pytest.approx(share)


def test_the_two_signs_of_likelihood_keep_the_two_halves():
    crawl = line(5, -1, 2, 0, -4, 3)
    confident = curate("likelihood_confident", crawl).items["x"][:, 0]
    surprising = curate("likelihood_surprising", crawl).items["x"][:, 0]
    assert confident.tolist() == [0, -1, 2]
    assert surprising.tolist() == [5, -4, 3]


def test_verifier_filter_keeps_the_half_with_the_highest_scores():
    training = curate("verifier_filter", *crawls(0), verifier=lambda items: -items["x"][:, 0])
    assert training.items["x"][:, 0].tolist() == [0, 1, 2, 3, 4]


def test_detector_separates_and_its_held_out_scores_are_those_of_new_items():
    score, held_out = train(normal(100, 0.0, "real"), normal(200, 1.0, "synthetic"))
    real, synthetic = score(normal(500, 0.0, "new")), score(normal(500, 1.0, "new synthetic"))
    right = (real[:, None] > synthetic).double().mean()
    assert right > 0.9  # the best possible is 0.94
    dropped = (real < held_out.quantile(0.2)).double().mean()
    assert 0.1 < dropped < 0.3


def test_detector_leave_one_out_is_what_training_without_the_item_gives():
    real, synthetic = normal(40, 0.0, "loo real", 2), normal(60, 1.0, "loo synthetic", 2)
    _, held_out = train(real, synthetic)
    for i in range(5):
        others = real.take([j for j in range(40) if j != i])
        score, _ = train(others, synthetic)
        assert score(real.take([i])).item() == pytest.approx(held_out[i].item(), abs=0.1)


def test_detector_threshold_keeps_most_real_items_and_drops_most_synthetic_ones():
    crawl = Items.concat([normal(100, 0.0, "crawled"), normal(100, 2.0, "crawled synthetic")])
    training = curate("detector_threshold", crawl, reserve=normal(50, 0.0, "r"), own_mean=2.0)
    kept = torch.isin(crawl["x"][:, 0], training.items["x"][:, 0])
    assert kept[:100].sum() > 65  # 80 expected
    assert kept[100:].sum() < 10


def test_detector_threshold_keeps_the_best_third_of_a_crawl_without_real_items():
    crawl = normal(90, 4.0, "all synthetic")
    assert (
        len(curate("detector_threshold", crawl, reserve=normal(50, 0.0, "r"), own_mean=4.0)) == 30
    )


def test_resampling_repeats_an_item_three_times_at_most():
    confidence = torch.cat([torch.zeros(20), torch.full((80,), 0.9)])
    counts = torch.bincount(resample(confidence, 60, stream("cap")), minlength=100)
    assert counts.tolist() == [3] * 20 + [0] * 80
    everything_detected = resample(torch.ones(100), 100, stream("underflow"))
    assert torch.bincount(everything_detected).max() <= 3


def test_resampling_is_in_proportion_to_the_tenth_power():
    half = 1 - 0.5**0.1  # (1 - confidence)^10 = 1/2
    confidence = torch.cat([torch.zeros(20_000), torch.full((20_000,), half)])
    drawn = resample(confidence, 2_000, stream("proportion"))
    assert (drawn < 20_000).double().mean().item() == pytest.approx(2 / 3, abs=0.04)


def test_detector_resample_returns_n_items_mostly_real():
    crawl = Items.concat([normal(50, 0.0, "crawled"), normal(150, 2.0, "crawled synthetic")])
    training = curate("detector_resample", crawl, reserve=normal(50, 0.0, "r"), own_mean=2.0)
    assert len(training) == 200
    assert torch.isin(training.items["x"][:, 0], crawl["x"][:50, 0]).sum() > 100  # 50 by chance


def test_farthest_point_goes_to_the_extremes_and_never_takes_an_item_twice():
    points = torch.tensor([[0.0], [0.1], [0.2], [10.0], [5.0]])
    assert select(points, 3, start=0).tolist() == [0, 3, 4]
    cloud = 3 + normal(30, 0.0, "cloud", 2)["x"]
    chosen = select(cloud, 30, start=0).tolist()
    for i in range(1, 30):
        nearest = torch.cdist(cloud, cloud[chosen[:i]]).min(1).values
        assert nearest[chosen[i]].item() == pytest.approx(nearest.max().item())
    copies = torch.ones(6, 2)
    assert sorted(select(copies, 6, start=2).tolist()) == list(range(6))


def test_farthest_point_prefers_what_is_spread_out():
    """Shi et al. 2025: real items survive where a random draw keeps half of them."""
    narrow = Items(x=0.1 * normal(60, 0.0, "narrow")["x"])
    training = curate("farthest_point", narrow, archive=[normal(60, 0.0, "spread")])
    assert len(training) == 60
    assert torch.isin(training.items["x"][:, 0], narrow["x"][:, 0]).sum() < 10  # 30 by chance


def test_density_ratio_counts_neighbours():
    real, own = torch.linspace(0, 0.1, 20)[:, None], torch.linspace(5, 5.1, 20)[:, None]
    assert ratio(torch.tensor([[0.05], [5.05]]), real, own).tolist() == [10, 0]
    mixed = ratio(
        torch.tensor([[0.05]]), torch.zeros(5, 1), torch.linspace(0.05, 0.06, 20)[:, None]
    )
    assert mixed.item() == pytest.approx(0)
    few = ratio(torch.tensor([[0.0]]), torch.zeros(6, 1), torch.linspace(1, 2, 20)[:, None])
    assert few.item() == pytest.approx(6 / 5)


def test_density_ratio_keeps_everything_and_weighs_real_items_more():
    crawl = Items.concat([normal(100, 0.0, "crawled"), normal(100, 1.5, "crawled synthetic")])
    training = curate("density_ratio", crawl, reserve=normal(50, 0.0, "r"), own_mean=1.5)
    assert len(training) == 200
    assert training.weights[:100].sum() > 0.85 * training.weights.sum()


def test_deduplicate_drops_copies_in_every_class():
    noise = torch.randint(0, 256, (20, 1, 8, 8), generator=stream("pictures"), dtype=torch.uint8)
    label = torch.arange(20) % 2
    noise[[16, 17, 18, 19]] = noise[[0, 1, 2, 3]]  # two later copies in either class
    kept = curate("deduplicate", Items(image=noise, label=label)).items
    assert len(kept) == 16
    assert len(kept.unique()) == 16
    assert kept["label"].bincount().tolist() == [8, 8]


def test_deduplicate_drops_near_copies_of_texts():
    tokens = torch.randint(0, 512, (10, 30), generator=stream("texts"))
    tokens[7], tokens[9] = tokens[2], tokens[4]
    tokens[9, 0] = 511
    kept = curate("deduplicate", Items(tokens=tokens)).items["tokens"]
    expected = tokens[[0, 1, 2, 3, 4, 5, 6, 8]]
    assert sorted(kept.tolist()) == sorted(expected.tolist())


def test_jaccard_of_three_grams():
    tokens = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [7, 8, 9, 7, 8]])
    assert jaccard(tokens)[0].tolist() == pytest.approx([1, 2 / 4, 0])


def test_vectors_of_texts_are_roots_of_counts():
    v = vectors(Items(tokens=torch.tensor([[5, 5, 5, 5]])))
    assert sorted(v[v > 0].tolist()) == pytest.approx([math.sqrt(2), math.sqrt(3), 2])


def moments_apart(chosen: Tensor, target: Tensor) -> float:
    covariance = chosen.T @ chosen / len(chosen) - target.T @ target / len(target)
    return float(chosen.mean(0).square().sum() + covariance.square().sum())


def test_covariance_matching_is_greedy_and_beats_a_random_half():
    candidates = 0.3 + 1.5 * normal(60, 0.0, "candidates", 3)["x"]
    target = normal(40, 0.0, "target", 3)["x"]
    target = target - target.mean(0)
    chosen = match(candidates, target, 30).tolist()
    for i in range(30):
        left = [j for j in range(60) if j not in chosen[:i]]
        apart = {j: moments_apart(candidates[[*chosen[:i], j]], target) for j in left}
        assert apart[chosen[i]] == pytest.approx(min(apart.values()))
    drawn = torch.randperm(60, generator=stream("half"))[:30]
    best = moments_apart(candidates[chosen], target)
    assert best < 0.3 * moments_apart(candidates[drawn], target)


def test_covariance_matching_undoes_a_shift():
    crawl = Items.concat([normal(100, 0.0, "crawled"), normal(100, 2.0, "crawled synthetic")])
    training = curate("covariance_matching", crawl, reserve=normal(80, 0.0, "r"), own_mean=1.0)
    assert len(training) == 100
    assert torch.isin(training.items["x"][:, 0], crawl["x"][:100, 0]).sum() > 85


def test_a_sliding_archive_holds_the_newest_three_crawls():
    *archive, crawl = crawls(0, 100, 200, 300)
    assert shares(curate("sliding_archive", crawl, archive)) == [0, 10, 10, 10]
    assert shares(curate("sliding_archive", archive[1], archive[:1])) == [10, 10]


def test_weighted_accumulation_draws_crawl_i_at_rate_one_over_i_plus_one():
    *archive, crawl = crawls(0, 100, 200)
    training = curate("accumulate_weighted", crawl, archive)
    rates = training.weights.view(3, 10)
    assert shares(training) == [10, 10, 10]
    assert (rates == rates[:, :1]).all()
    assert rates[:, 0].tolist() == pytest.approx([1, 1 / 2, 1 / 3])


def test_newest_and_reserve_gives_the_reserve_three_tenths_of_every_batch():
    training = curate("newest_and_reserve", line(*range(30)), reserve=line(100, 101))
    assert len(training) == 32
    trusted = training.items["x"][:, 0] >= 100
    assert float(training.weights[trusted].sum()) == pytest.approx(0.3)
    assert float(training.weights.sum()) == pytest.approx(1)


def test_an_entropy_reservoir_is_a_tenth_of_heated_samples():
    training = curate("entropy_reservoir", Items(x=torch.full((1000, 1), 50.0).double()))
    own = training.items["x"][:, 0] < 40
    assert len(training) == 1000
    assert int(own.sum()) == 100
    assert 1.1 < float(training.items["x"][own].std()) < 1.7


def test_a_drift_detector_keeps_what_is_real_however_far_the_world_has_moved():
    """The world moves along one axis, the model errs along another."""

    def real(t: int, n: int = 200) -> Tensor:
        return normal(n, 0.0, f"era {t}")["x"] + 3 * t * torch.eye(5, dtype=torch.float64)[0]

    own = normal(200, 0.0, "own")["x"] + torch.tensor([9.0, 3, 0, 0, 0], dtype=torch.float64)
    archive = [Items(x=real(t)) for t in range(3)]
    crawl = Items(x=torch.cat([real(3), own]))
    method = find_method("drift_detector").load()()
    granted = {Access.ARCHIVE: tuple(archive), Access.MODEL: None}
    round_ = Round(3, 400, "toy", stream("drift"), granted, None, Ledger(), Limits(0, 400, 0))
    round_.sample = lambda n: Items(x=own[:n])
    kept = method.curate(crawl, round_).items["x"]
    assert len(kept) == 200
    assert (kept[:, None] == crawl["x"][:200]).all(2).any(1).float().mean() > 0.85


def test_learning_intensity_falls_with_the_anchors_likelihood_and_never_below_a_quarter():
    method, crawl = find_method("learning_intensity").load()(), line(*range(100))

    def steps(gap: float) -> int:
        """How long is trained when own samples are `gap` standard deviations likelier."""
        granted = {Access.ARCHIVE: (line(*[-gap] * 100),), Access.MODEL: None}
        limits, generator = Limits(0, 1000, 1000), SimpleNamespace(steps=80)
        round_ = Round(1, 100, "toy", stream("anchors"), granted, generator, Ledger(), limits)
        round_.sample = lambda n: line(*([-1, 1] * (n // 2)))
        round_.log_prob = lambda items: items["x"][:, 0] / items["x"].std().nan_to_num(1).clamp(1)
        return method.curate(crawl, round_).steps

    assert steps(-1.0) == steps(0.0) == 80
    assert steps(0.5) == pytest.approx(80 * math.exp(-0.5), abs=3)
    assert steps(9.0) == 20
