"""The baselines that act on loss, weights or sampling: each does what its paper's formula says."""

import copy
import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.neon import Neon, extrapolated
from baselines.sims import Sims
from baselines.token_editing import TokenEditing, edited
from baselines.truncated_cross_entropy import TruncatedCrossEntropy
from benchmark import Access, Items, Sampling, TrainingSet
from benchmark.basics.seeds import stream
from benchmark.interface.find import find_method
from benchmark.interface.round import Ledger, Limits, Round
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.tasks.images.labels import add_label_shares
from benchmark.tasks.images.networks import DenoiserOutput
from benchmark.tasks.task import Task
from benchmark.tasks.text import llama
from tests.tiny import TINY, TOY_TASKS, by_name, era_of

TINY_TASKS = by_name(TINY)
IMAGE, TEXT = "digits-replace", "speeches-replace"


def real(task: str) -> TrainingSet:
    return TrainingSet(era_of(TOY_TASKS[task].data.build(), 120, 12, "real").real)


def run(name: str, task: Task, cache) -> LineageMemory:
    store = LineageMemory()
    run_lineage(task, find_method(name).load(), 0, store, cache)
    return store


# --- truncated cross-entropy -------------------------------------------------------------------


def test_truncated_cross_entropy_masks_the_tokens_above_gamma_and_no_other():
    probability = torch.tensor([[0.81, 0.1, 0.09], [0.79, 0.2, 0.01], [0.2, 0.3, 0.5]])
    logits = probability.log()[None].requires_grad_()  # (1, 3, V)
    nats = llama.nll(logits, torch.tensor([[0, 0, 1]]))
    loss = TruncatedCrossEntropy().loss(nats, logits)
    assert loss.tolist() == [[0, *nats[0, 1:].tolist()]]
    plain = torch.autograd.grad(nats.sum(), logits, retain_graph=True)[0]
    truncated = torch.autograd.grad(loss.sum(), logits)[0]
    assert (truncated[0, 0] == 0).all()
    assert torch.equal(truncated[0, 1:], plain[0, 1:])


def test_truncated_cross_entropy_leaves_a_painters_squared_errors_alone():
    errors = torch.tensor([[0.01, 0.2, 4.0]])
    assert torch.equal(TruncatedCrossEntropy().loss(errors, torch.zeros(1, 3)), errors)


# --- token editing -----------------------------------------------------------------------------


def test_token_editing_redraws_sure_tokens_from_the_top_k_with_their_probabilities():
    """One distribution everywhere: tokens 0 and 1 have p = .5 and .3, so only 0 is redrawn."""
    logits = torch.tensor([0.5, 0.3, 0.1, 0.06, 0.04]).log()
    tokens = torch.arange(5).repeat(4_000, 1)
    new = edited(tokens, logits.expand(4_000, 5, 5), 0.499, 3, stream("edit"))
    assert torch.equal(new[:, 1:], tokens[:, 1:])
    share = torch.bincount(new[:, 0], minlength=5) / len(new)
    assert share[3:].tolist() == [0, 0]  # beyond the top 3
    assert share[:3].tolist() == pytest.approx([5 / 9, 3 / 9, 1 / 9], abs=0.03)


def test_token_editing_draws_each_position_from_its_own_distribution():
    """In every place one token has p = .6 and another p = .4: the first is redrawn as either."""
    likely = torch.randint(4, (200, 6), generator=stream("likely"))
    second = likely + 4
    probability = torch.zeros(200, 6, 8)
    probability.scatter_(-1, likely.unsqueeze(-1), 0.6).scatter_(-1, second.unsqueeze(-1), 0.4)
    new = edited(likely, probability.log(), 0.5, 8, stream("edit"))
    assert ((new == likely) | (new == second)).all()
    assert (new == likely).double().mean().item() == pytest.approx(0.6, abs=0.06)
    assert torch.equal(edited(second, probability.log(), 0.5, 8, stream("edit")), second)


def test_token_editing_reads_each_item_once_with_the_own_generator():
    """Only where it is sure, here in the second place, the crawl changes."""

    class Prior:  # sure of token 7 after a 7, and of nothing else
        def logits(self, model, items):
            after = torch.cat([torch.zeros(len(items), 1).long(), items["tokens"][:, :-1]], 1)
            logits = torch.zeros(*items["tokens"].shape, 9)
            logits[..., 7] = torch.where(after == 7, 4.0, 0.0)
            return logits

    crawl = Items(tokens=torch.tensor([[7, 7, 1, 7, 2]] * 300))
    limits, granted = Limits(0, 0, 300), {Access.MODEL: nn.Identity()}
    round_ = Round(1, 300, "text", stream("r"), granted, Prior(), Ledger(), limits)
    new = TokenEditing().curate(crawl, round_).items["tokens"]
    assert round_.ledger.forward_passes == 300
    changed = (new != crawl["tokens"]).float().mean(0)
    assert changed[[0, 2, 3, 4]].tolist() == [0, 0, 0, 0]
    assert changed[1] == pytest.approx(7 / (7 + math.e**4), abs=0.08)


# --- Neon --------------------------------------------------------------------------------------


def layer(weight: float, running: float) -> nn.Module:
    module = nn.BatchNorm1d(1)
    nn.init.constant_(module.weight, weight)
    module.running_mean.fill_(running)
    return module


@pytest.mark.parametrize(("w", "expected"), [(0.0, 3.0), (1.0, 5.0), (2.5, 8.0), (-1.0, 1.0)])
def test_neon_extrapolates_parameters_and_keeps_buffers(w, expected):
    base, degraded = layer(3.0, 10.0), layer(1.0, 20.0)
    result = extrapolated(base, degraded, w)
    assert result.weight.item() == expected  # (1 + w) 3 - w 1
    assert result.running_mean.item() == 10
    assert (base.weight.item(), degraded.weight.item()) == (3, 1)


def test_neon_moves_against_fine_tuning_on_own_samples():
    """The merged model finds its own samples less likely, the fine-tuned one more.

    Over 6 seeds the losses are .19 to .24 and .37 to .46 apart.
    """
    task = TOY_TASKS[IMAGE]
    generator = task.generator.build()
    model = generator.train(real(IMAGE), stream("train"), steps=30)
    seen = []

    class Watched:
        n, steps = 120, 60

        def sample(self, n):
            seen.append(generator.sample(model, n, stream("own"), Sampling()))
            return seen[0]

        def finetune(self, items, steps, rate):
            seen.append(generator.train(TrainingSet(items), stream("f"), None, model, 20, rate))
            assert (steps, rate) == (2, 0.1)
            return seen[1]

    merged = Neon().adjust(model, Watched())
    samples, tuned = seen
    assert len(samples) == 60
    more, plain, less = (generator.loss(m, samples) for m in (tuned, model, merged))
    assert more < plain - 0.1
    assert plain < less - 0.1


@pytest.mark.parametrize("task", [TOY_TASKS[IMAGE], TINY_TASKS[TEXT]], ids=[IMAGE, TEXT])
def test_neon_costs_half_a_crawl_and_no_more_steps_than_any_method(task, shared_cache):
    ledgers = [record["ledger"] for record in run("neon", task, shared_cache).records.values()]
    once, more = task.n, task.n * 3 // 2
    assert [cost["items_generated"] for cost in ledgers] == [once, more, more]
    assert len({cost["items_trained"] for cost in ledgers}) == 1


# --- SIMS --------------------------------------------------------------------------------------


class GaussianFlow(nn.Module):
    """The exact velocity E[e - z | x] of the flow between N(mean, 1) and noise."""

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.mean = mean
        add_label_shares(self, 10)

    def forward(self, x: torch.Tensor, timestep: torch.Tensor, label: torch.Tensor):
        s = timestep[:, None] / 1000
        variance = (1 - s) ** 2 + s**2
        centred = x - (1 - s) * self.mean
        velocity = (s - (1 - s)) / variance * centred - self.mean
        return DenoiserOutput(sample=velocity, hidden=velocity)


@pytest.fixture
def latents():
    """A function (model, how) -> the flow's latents, before the decoder."""
    generator = TOY_TASKS[IMAGE].generator.build()
    generator.publisher = copy.copy(generator.publisher)
    generator.publisher.publish = lambda x, labels: Items(x=x, label=labels)
    return lambda model, how: generator.sample(model, 400, stream("z"), how)["x"]


def test_guidance_away_from_a_gaussian_gives_the_extrapolated_gaussian(latents):
    """For N(m_r, 1) and N(m_s, 1), (1 + w) v_r - w v_s belongs to N(m_r + w (m_r - m_s), 1)."""
    base, negative = GaussianFlow(1.0), GaussianFlow(0.7)
    plain = latents(base, Sampling())
    assert plain.mean().item() == pytest.approx(1.0, abs=0.05)
    for w in (0.5, 2.0):
        guided = latents(base, Sampling(guidance=w, negative=negative))
        away = latents(GaussianFlow(1.0 + w * 0.3), Sampling())
        assert torch.allclose(guided, away, atol=1e-4)


def test_sims_without_guidance_is_plain_sampling(latents):
    how = Sampling(guidance=0.0, negative=GaussianFlow(5.0))
    assert torch.equal(latents(GaussianFlow(1.0), how), latents(GaussianFlow(1.0), Sampling()))


def test_sims_steers_away_from_a_model_of_its_own_samples(shared_cache):
    hows = []

    class Seen(Sims):
        def sampling(self, round):
            hows.append((round.model, super().sampling(round)))
            return hows[-1][1]

    store = LineageMemory()
    run_lineage(TOY_TASKS[IMAGE], Seen, 0, store, shared_cache)
    assert hows[0][1] == Sampling()  # generation 0 leaves no steps
    for model, how in hows[1:]:
        assert how.guidance == 1
        pairs = zip(model.parameters(), how.negative.parameters(), strict=True)
        moved = max((a - b).abs().max().item() for a, b in pairs)
        assert 0 < moved < 0.002  # one step at a tenth of the learning rate
    ledgers = [store.records[t]["ledger"] for t in range(3)]
    assert [cost["items_generated"] for cost in ledgers] == [120, 360, 360]
    assert len({cost["items_trained"] for cost in ledgers}) == 1


# --- decoding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "modalities"),
    [
        ("nucleus", {"text", "pair"}), ("token_editing", {"text"}),
        ("truncated_cross_entropy", {"text", "pair"}), ("guidance", {"image", "pair"}),
        ("sims", {"image", "pair"}), ("temperature", set()),
        ("learning_intensity", {"image", "text"}),
    ],
)  # fmt: skip
def test_methods_name_the_modalities_that_have_the_idea(name, modalities):
    assert find_method(name).load().modalities == modalities


@pytest.fixture(scope="module")
def writer():
    """A generator of texts and a model that it trained."""
    generator = TOY_TASKS[TEXT].generator.build()
    return generator, generator.train(real(TEXT), stream("train"), steps=40)


@pytest.mark.parametrize("name", ["temperature", "nucleus"])
def test_low_temperature_and_nucleus_publish_likelier_text(writer, name):
    """Over 8 seeds the difference of 200 texts is .176 (standard deviation .011) at the low
    temperature and .118 (.010) with the nucleus."""
    generator, model = writer
    how = find_method(name).load()().sampling(SimpleNamespace(modality="text"))
    plain, narrow = (
        generator.loss(model, generator.sample(model, 200, stream("s"), h))
        for h in (Sampling(), how)
    )
    assert narrow < plain - 0.05


@pytest.mark.parametrize("name", ["temperature", "guidance"])
def test_low_temperature_and_guidance_publish_more_typical_images(name):
    """Images of a class differ less from their mean: over 5 seeds by a factor of .883 to .888 at
    the low temperature, .63 to .66 with guidance."""
    generator = TOY_TASKS[IMAGE].generator.build()
    model = generator.train(real(IMAGE), stream("train"), steps=25)
    how = find_method(name).load()().sampling(SimpleNamespace(modality="image"))

    def spread(how: Sampling) -> float:
        items = generator.sample(model, 300, stream("s"), how)
        x = generator.publisher.encode(items)
        return sum(x[items["label"] == c].var(0).sum().item() for c in range(10))

    assert spread(how) < 0.95 * spread(Sampling())


@pytest.mark.parametrize("task", [IMAGE, TEXT])
def test_freeze_publishes_with_the_first_model_for_ever(task, shared_cache):
    store = run("freeze", TINY_TASKS[task], shared_cache)
    for model in (store.models[1], store.models[2]):
        assert all(torch.equal(model[name], store.models[0][name]) for name in model)


def test_a_latent_space_filter_keeps_items_whose_label_is_told_by_their_latents():
    method = find_method("latent_space_filter").load()()
    label = torch.arange(200) % 2
    wrong = torch.arange(200) % 4 >= 2
    shown = torch.where(wrong, 1 - label, label)

    def labelled(seen: Tensor) -> Items:
        return Items(image=seen.view(-1, 1, 1, 1).to(torch.uint8), label=label)

    granted = {Access.ARCHIVE: (labelled(label),), Access.MODEL: None}
    limits = Limits(0, 0, 400)
    round_ = Round(1, 200, "image", stream("latents"), granted, None, Ledger(), limits)
    round_.features = lambda items: F.one_hot(items["image"].view(-1).long(), 2).float()
    kept = method.curate(labelled(shown), round_).items
    assert len(kept) == 100
    assert torch.equal(kept["image"].view(-1).long(), kept["label"])
