"""Methods on pairs: those that only pairs allow, the others, and all of it in the sandbox."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines import agreement_filter, balanced_numbers, crossmodal_anchor
from baselines.mutual_information_filter import MutualInformationFilter
from baselines.recaption import Recaption
from baselines.repaint import Repaint
from benchmark import Items
from benchmark.basics.cache import NoCache
from benchmark.interface.find import find_method
from benchmark.lineage.loop import run_lineage
from benchmark.lineage.store import LineageMemory
from benchmark.runs.sandbox import Bounds, isolate_method
from benchmark.tasks.pairs.language import (
    caption_of,
)
from benchmark.tasks.pairs.law import LawEra
from benchmark.tasks.suites import load_task
from benchmark.tasks.task import Task
from tests.pairs import SIZE, WEB, open_era, open_round, permuted, train_model
from tests.system import needs_bubblewrap


@pytest.fixture
def era() -> LawEra:
    return open_era(4)


@pytest.fixture
def model() -> nn.Module:
    return train_model()


# --- methods -----------------------------------------------------------------------------------


def test_the_agreement_filter_drops_what_disagrees_and_keeps_a_tenth(era):
    verify = load_task("numerals-web").verifier.build()  # type: ignore[union-attr]
    round_ = open_round(None, VERIFIER=verify)
    half = permuted(era.real, 0.5)
    kept = agreement_filter.AgreementFilter().curate(half, round_).items
    assert 0.45 * SIZE < len(kept) < 0.6 * SIZE
    nonsense = Items(image=half["image"], tokens=half["tokens"] * 0 + 20)
    assert len(agreement_filter.AgreementFilter().curate(nonsense, round_)) == SIZE // 10


def test_the_surprising_half_is_that_by_the_word_not_that_of_long_captions():
    crawl = open_era(4).real.take(slice(0, 8))
    tokens = torch.zeros_like(crawl["tokens"])
    tokens[:4, 0] = 20  # one word and an end, each of .9 nats
    tokens[4:, :] = 20  # a full row, .3 nats a word
    width = tokens.shape[1]
    nats = torch.tensor([1.8] * 4 + [0.3 * width] * 4)
    assert nats[4] > nats[0]
    round_ = SimpleNamespace(modality="pair", log_prob=lambda items: -nats)
    items = Items(image=crawl["image"], tokens=tokens)
    kept = find_method("likelihood_surprising").load()().curate(items, round_).items
    assert torch.equal(kept["tokens"], tokens[:4])


def test_deduplication_drops_a_fifth_of_the_pairs_however_many_share_a_caption():
    crawl = open_era(4).real.take(torch.arange(40) // 2)  # every pair twice: captions of two
    round_ = SimpleNamespace(modality="pair")
    kept = find_method("deduplicate").load()().curate(crawl, round_).items
    assert len(kept) == 32
    assert len(kept.unique()) == len(crawl.unique())


def test_the_mutual_information_filter_keeps_what_the_picture_tells(model, era):
    round_ = open_round(model)
    kept = MutualInformationFilter().curate(era.real, round_).items
    tells = round_.log_prob(era.real) - round_.log_prob(era.real, blind=True)
    kept_tells = round_.log_prob(kept) - round_.log_prob(kept, blind=True)
    assert len(kept) == SIZE // 2
    assert kept_tells.min() >= tells.median() - 1e-4


@pytest.mark.parametrize(("method", "kept"), [(Recaption, "image"), (Repaint, "tokens")])
def test_recaption_and_repaint_change_one_column(method, kept, model, era):
    few = era.real.take(slice(0, 50))
    made = method().curate(few, open_round(model)).items
    for column in ("image", "tokens"):
        assert torch.equal(made[column], few[column]) == (column == kept)


def test_the_crossmodal_anchor_is_for_the_painter_alone(era):
    round_ = open_round(None, RESERVE=era.trusted)
    made = crossmodal_anchor.CrossmodalAnchor().curate(era.real, round_)
    trusted = len(era.trusted)
    assert made.weights["image"][:trusted].sum() == pytest.approx(1 / 3)  # type: ignore[index]
    assert made.weights["tokens"][:trusted].sum() == 0  # type: ignore[index]
    assert made.weights["tokens"].sum() == pytest.approx(1, abs=1e-4)  # type: ignore[index]


def test_balanced_numbers_limit_what_is_captioned_alike():
    one, other = caption_of(1, 0, 0), caption_of(342, 0, 0)
    tokens = torch.tensor([one] * 90 + [other] * 110)
    made = balanced_numbers.BalancedNumbers().curate(Items(tokens=tokens), open_round(None))
    assert isinstance(made.weights, Tensor)
    assert made.weights[:90].sum() == pytest.approx(2, abs=1e-4)
    assert made.weights[90:].sum() == pytest.approx(2, abs=1e-4)


NEW = (
    "agreement_filter", "balanced_numbers", "crossmodal_anchor", "mutual_information_filter",
    "recaption", "repaint",
)  # fmt: skip
OLD = (
    "covariance_matching", "deduplicate", "density_ratio", "detector_resample", "farthest_point",
    "guidance", "neon", "nucleus", "oracle", "sims", "temperature", "truncated_cross_entropy",
    "verifier_filter", "watermark_green_list",
)  # fmt: skip


@pytest.fixture(scope="module")
def quick_task() -> Task:
    """Numbers only, so that a lineage takes a second."""
    return replace(WEB, evaluation=OneNumber())


@dataclass(frozen=True)
class OneNumber:
    primary: str = "log_frechet_joint"

    def build(self) -> Any:
        return self

    def profile(self, generator, model, samples, era) -> dict[str, float]:
        return {self.primary: generator.loss(model, era.heldout)}


# One of each list: test_baselines runs every method on pairs.
QUICK = ("crossmodal_anchor", "neon")


@pytest.mark.parametrize(
    "name",
    [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in NEW + OLD if n not in QUICK)],
)
def test_a_lineage_of_pairs_with_every_kind_of_method(name, quick_task):
    records = run_lineage(quick_task, find_method(name).load(), 0, LineageMemory(), NoCache())
    assert [record["status"] for record in records] == ["ok"] * 3, records[-1].get("message")


def test_methods_for_pairs_say_so():
    for name in NEW:
        assert find_method(name).load().modalities == {"pair"}
    assert "pair" not in find_method("token_editing").load().modalities


EVERYTHING = '''
import torch
from benchmark import Access, Items, Mitigation, Sampling, TrainingSet

class Everything(Mitigation):
    """Uses all that only pairs have."""
    access = frozenset(Access) - {Access.PROVENANCE}

    def curate(self, crawl, round):
        tells = round.log_prob(crawl) - round.log_prob(crawl, blind=True)
        kept = crawl.take(tells.argsort()[: len(crawl) // 2])
        items = Items.concat([round.fill(kept, "tokens"), round.fill(kept, "image")])
        rates = torch.rand(2, len(items), generator=round.rng)
        return TrainingSet(items, {"image": rates[0], "tokens": rates[1]}, steps=round.steps - 1)

    def loss(self, per_element, outputs):
        return per_element * (1.5 if outputs.dim() == 3 else 0.5)

    def adjust(self, model, round):
        return round.finetune(round.reserve, 1)

    def sampling(self, round):
        return Sampling(temperature=0.95, guidance=0.1, negative=round.model,
                        logits=lambda written, logits: logits + 0.01,
                        pixels=lambda images: images ^ 1)
'''


@needs_bubblewrap
@pytest.mark.slow
def test_a_run_in_the_sandbox_gives_the_same_numbers(tmp_path):
    file = tmp_path / "everything.py"
    file.write_text(EVERYTHING)
    found = []
    with isolate_method(file, None, Bounds(seconds=60)) as isolated:
        for method in (find_method(file).load(), isolated):
            store = LineageMemory()
            records = run_lineage(WEB, method, 0, store, NoCache())
            assert records[-1]["status"] == "ok", records[-1]["message"]
            said = [{k: r[k] for k in ("profile", "ledger", "training_set")} for r in records]
            found.append((said, [items.digest() for items in store.published.values()]))
    assert found[0] == found[1]
