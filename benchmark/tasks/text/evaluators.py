"""What is measured of text: in the space of a small language model or a pretrained one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.basics import device
from benchmark.hub.repos import HubRepo
from benchmark.interface.generator import Generator
from benchmark.interface.items import Items
from benchmark.metrics import ngrams
from benchmark.metrics.histograms import histogram, total_variation
from benchmark.metrics.memorisation import above_chance
from benchmark.metrics.tails import rarest, tail_mass
from benchmark.tasks import assets
from benchmark.tasks.parts import Era, Profile
from benchmark.tasks.profile import FeatureEvaluator, Known
from benchmark.tasks.text import llama
from benchmark.tasks.text.codec import TextPublisher, speeches_tokenizer
from benchmark.tasks.text.lexicon import common_tokens, share_known
from benchmark.tasks.text.reader import Reader

SCORED = 250  # samples scored by the reference language model, and by the model itself
CONFIDENT = 0.8  # probability of a token of which a model is sure
AT_ONCE = 25  # blocks whose logits are held at a time


class TextProfile(FeatureEvaluator):
    """What is measured of text, whatever language model is the reference.

    Besides the common entries: `distinct_1` to `distinct_3`, `repetition` (of n-grams inside a
    block), `reference_loss` (nats per token of the samples under the frozen language model),
    `own_entropy` and `own_confident` (of the model on its own samples), `heldout_confident` (of
    the model on held-out text) and `bits_per_byte` (the held-out loss per byte of text, which no
    tokenizer enters).
    """

    vocab: int  # tokens that items may hold
    scored: int  # samples that the reference model scores

    def texts(self, tokens: Tensor) -> list[str]:
        """Blocks of tokens as strings."""
        raise NotImplementedError

    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        """Nats per token of the same samples under the reference model."""
        raise NotImplementedError

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        return rarest(histogram(era.real["tokens"], self.vocab))

    def bins(self, era: Era, heldout: Tensor, pool: Tensor) -> Tensor:
        return era.real["tokens"]

    def memorisation(
        self, era: Era, heldout: Tensor, pool: Tensor
    ) -> Callable[[Items, Tensor], float]:
        copied = ngrams.Copied(era.real["tokens"].numpy())
        chance = copied.share(era.heldout["tokens"].numpy())

        def measure(samples: Items, outputs: Tensor) -> float:
            return above_chance(copied.share(samples["tokens"].numpy()), chance)

        return measure

    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        tokens = samples["tokens"]
        unigrams = [histogram(x, self.vocab) for x in (era.heldout["tokens"], tokens)]
        return {
            "histogram_distance": total_variation(*unigrams),
            "tail_mass": tail_mass(known.tail, known.bins, tokens),
            **{f"distinct_{n}": ngrams.distinct(tokens.numpy(), n) for n in (1, 2, 3)},
            "repetition": ngrams.repetition(tokens.numpy()),
            "reference_loss": self.reference_loss(outputs[: self.scored], tokens[: self.scored]),
        }

    def profile(self, generator: Generator, model: nn.Module, samples: Items, era: Era) -> Profile:
        profile = super().profile(generator, model, samples, era)
        tokens = era.heldout["tokens"]
        bits = profile["heldout_loss"] / math.log(2) * tokens.numel()
        size = sum(len(text.encode()) for text in self.texts(tokens))
        own = measure_confidence(generator, model, samples.take(slice(0, SCORED)))
        heldout = measure_confidence(generator, model, era.heldout.take(slice(0, SCORED)))
        return profile | {
            "bits_per_byte": bits / size,
            "own_entropy": own.entropy,
            "own_confident": own.confident,
            "heldout_confident": heldout.confident,
        }


class Confidence(NamedTuple):
    """How sure a language model is of a text: its mean entropy (nats a token), and the share of
    tokens that it gives more than 80%."""

    entropy: float
    confident: float


def measure_confidence(generator: Generator, model: nn.Module, items: Items) -> Confidence:
    """How sure `model` is of the tokens of `items`, each given those before it."""
    entropy, sure = [], []
    for start in range(0, len(items), AT_ONCE):
        part = items.take(slice(start, start + AT_ONCE))
        log_p = generator.logits(model, part).to(device.current()).log_softmax(-1)
        p = log_p.exp()
        drawn = part["tokens"][..., None].to(p.device)
        entropy.append(-torch.where(p > 0, p * log_p, 0.0).sum(-1).cpu())
        sure.append((p.gather(-1, drawn) > CONFIDENT).cpu())
    return Confidence(float(torch.cat(entropy).mean()), float(torch.cat(sure).double().mean()))


class TextEvaluator(TextProfile):
    """In the space of a small language model trained on addresses that are never held out.

    Besides: `known_words`, of the samples. The tail is of tokens that are common to all years: a
    digit or a bracket that nobody wrote before 1890 is rare for another reason.
    """

    most = 500
    most_pool = 250
    scored = SCORED

    def __init__(self) -> None:
        super().__init__()
        network = assets.load_network("speeches-reference.safetensors", llama.build_llama)
        self.vocab = network.config.vocab_size
        self.network: Any = network
        tokens = [speeches_tokenizer().token_to_id(token) for token in common_tokens()]
        self.common = torch.zeros(self.vocab, dtype=torch.bool)
        self.common[tokens] = True

    def tail(self, era: Era, heldout: Tensor) -> Tensor:
        shares = histogram(era.real["tokens"], self.vocab) * self.common
        return rarest(shares / shares.sum()) & self.common

    def outputs(self, items: Items) -> Tensor:
        parts = items["tokens"].split(llama.AT_ONCE)
        return torch.cat([llama.hidden_states(self.network, part) for part in parts])

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs.mean(1).float()

    def texts(self, tokens: Tensor) -> list[str]:
        return speeches_tokenizer().decode_batch(tokens.tolist())

    @torch.no_grad()
    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        parts = zip(outputs.split(100), tokens.split(100), strict=True)
        nats = [llama.nll(self.network.lm_head(h), part) for h, part in parts]
        return float(torch.cat(nats).mean())

    def particular(self, samples: Items, outputs: Tensor, era: Era, known: Known) -> Profile:
        words = share_known(self.texts(samples["tokens"]))
        return super().particular(samples, outputs, era, known) | {"known_words": words}


class StoryEvaluator(TextProfile):
    """Text in the space of a pretrained language model, which reads it in its own tokens."""

    most = 2_000
    most_pool = 2_000
    scored = 2_000

    def __init__(self, network: HubRepo, tokens: TextPublisher) -> None:
        super().__init__()
        self.reader, self.publisher = Reader(network), tokens
        self.vocab = tokens.tokenizer.get_vocab_size()

    def outputs(self, items: Items) -> Tensor:
        return self.reader.read(self.texts(items["tokens"])).to(self.reader.device)

    def pooled(self, outputs: Tensor) -> Tensor:
        return outputs[:, :-2]

    def texts(self, tokens: Tensor) -> list[str]:
        return self.publisher.text(Items(tokens=tokens))

    def reference_loss(self, outputs: Tensor, tokens: Tensor) -> float:
        nats, count = outputs[:, -2:].double().sum(0)
        return float(nats / count)
