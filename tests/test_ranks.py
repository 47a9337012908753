"""What one of several ranks decides, all decide: none waits for one that has left.

Ranks are threads here that exchange what they gather, pickled; `tests/test_large_tasks.py` has
processes.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch

from benchmark import Items, Mitigation, Sampling
from benchmark.basics import ranks
from benchmark.basics.errors import AutophagyError, Diverged, MethodError
from benchmark.basics.seeds import stream
from benchmark.lineage import hooks
from benchmark.lineage.hooks import Hooks
from benchmark.lineage.marks import write_marked

PATIENCE = 60  # seconds that a rank waits for the others


@pytest.fixture
def in_ranks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[Any]]:
    """Calls a function on two ranks; what each returns, or the error that it ends with."""
    here, barrier = threading.local(), threading.Barrier(2, timeout=PATIENCE)
    box: list[Any] = [None, None]

    def gather(got: list[Any], value: Any) -> None:
        box[here.rank] = pickle.dumps(value)
        barrier.wait()
        got[:] = map(pickle.loads, box)
        barrier.wait()

    monkeypatch.setattr(ranks, "count", lambda: 2)
    monkeypatch.setattr(ranks, "rank", lambda: here.rank)
    monkeypatch.setattr(ranks.dist, "all_gather_object", gather)

    def run(function: Callable[[], Any]) -> list[Any]:
        outcomes: list[Any] = [None, None]

        def one(rank: int) -> None:
            here.rank = rank
            try:
                outcomes[rank] = function()
            except (AutophagyError, threading.BrokenBarrierError) as error:
                outcomes[rank] = error

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes

    return run


def said(outcomes: list[Any]) -> set[tuple[type, str]]:
    return {(type(error), str(error)) for error in outcomes}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_ranks_make_is_what_one_makes(count, in_ranks):
    parts = [(torch.full((2,), float(i)),) for i in range(count)]
    expected = torch.cat([x for (x,) in parts])
    for made in in_ranks(lambda: ranks.spread(lambda x: x, parts)):
        assert torch.equal(made, expected)


@pytest.mark.parametrize("broken", [{1}, {0}, {2, 3}])
def test_a_part_that_diverges_ends_it_on_every_rank_in_the_same_words(broken, in_ranks):
    def make(part: int) -> torch.Tensor:
        if part in broken:
            raise Diverged(f"part {part} is not finite")
        return torch.zeros(1)

    first = min(broken)
    outcomes = in_ranks(lambda: ranks.spread(make, [(i,) for i in range(4)]))
    assert said(outcomes) == {(Diverged, f"part {first} is not finite")}


class Speaker:
    """Texts of three tokens of four words, in parts of two that the ranks share out."""

    def sample(self, model, n, rng, how):
        def text(part: int) -> torch.Tensor:
            written = torch.zeros(2, 0, dtype=torch.int64)
            for _ in range(3):
                logits = torch.zeros(2, 4)
                if how.logits is not None:
                    logits = how.logits(written, logits)
                written = torch.cat([written, logits.argmax(1, keepdim=True)], 1)
            return written

        return Items(tokens=ranks.spread(text, [(i,) for i in range(n // 2)]))


@pytest.mark.parametrize("texts", [2, 4])  # with 2 one rank writes nothing
@pytest.mark.parametrize("strong", [0, 1])
def test_the_bound_of_a_mark_is_that_of_all_texts(strong, texts, in_ranks):
    """One rank's texts break the bound, those of the other are as they were."""

    def mark(written, logits):
        if ranks.rank() == strong:
            logits[:, 1:] = -torch.inf  # 1.39 nats
        return logits

    how = Sampling(logits=mark)
    outcomes = in_ranks(lambda: write_marked(
        Speaker(), torch.nn.Identity(), texts, lambda: stream("m"), how, "M.sampling"
    ))  # fmt: skip
    if texts == 2 and strong == 1:
        assert all(torch.equal(*(x["tokens"] for x in written)) for written in outcomes)
        return
    ((kind, sentence),) = said(outcomes)
    assert kind is MethodError
    assert sentence.startswith("M.sampling: its logits mark changes the model's next-token")


@pytest.mark.parametrize("when", ["forwards", "backwards"])
def test_a_loss_that_fails_on_one_ranks_part_fails_on_all(when, in_ranks, monkeypatch):
    # What is put back belongs to a process, of which these are threads.
    monkeypatch.setattr(hooks, "contain", plainly)
    monkeypatch.setattr(hooks, "Containment", lambda where: threading.Lock())

    class Picky(Mitigation):
        def loss(self, per_element, outputs):
            if ranks.rank() == 1 and when == "forwards":
                raise ValueError("odd")
            if ranks.rank() == 1:
                per_element.register_hook(fail)
            return per_element

    def fail(gradient):
        raise ValueError("odd")

    own = Hooks(Picky, 1, frozenset(), [])

    def train() -> None:
        def step(loss: Any) -> None:
            x = torch.ones(3, requires_grad=True)
            loss(x, x).mean().backward()

        own.train(step)

    ((kind, sentence),) = said(in_ranks(train))
    assert kind is MethodError
    assert "Picky.loss at generation 1" in sentence
    assert "odd" in sentence


def plainly(function: Callable[..., Any], where: str, *_: Any) -> Callable[..., Any]:
    def call(*args: Any) -> Any:
        try:
            return function(*args)
        except ValueError as error:
            raise MethodError(f"{where}: {error}") from error

    return call
