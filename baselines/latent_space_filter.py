"""Keeps the half of the crawl whose class the generator's latents show most clearly."""

import torch
import torch.nn.functional as F

from baselines._content import scale
from benchmark import Access, Items, Mitigation, Round, TrainingSet

RIDGE = 1.0  # of the sum over standardised latents


class LatentSpaceFilter(Mitigation):
    """Keeps the half to whose labels a linear probe of the first crawl's latents gives most.

    Cai, Wang, Liu and Zhang 2025, "Stabilizing self-consuming diffusion models with latent space
    filtering", arXiv 2511.12742 (AAAI 2026): latents of synthetic items lose their low-dimensional
    structure over the generations, and a probe trained on those of real items notices. They take
    the latents of the first diffusion model and filter a growing pool; here the newest generator's
    features stand in, the first crawl is embedded by it anew, and the crawl is filtered. Costs 2 n
    forward passes. Prefers what is typical of its class, so it should narrow; and the probe is of
    the first crawl, so it should age.

    Not for text, which has no classes, nor for pairs.
    """

    access = frozenset({Access.ARCHIVE, Access.MODEL})
    modalities = frozenset({"image"})

    def curate(self, crawl: Items, round: Round) -> TrainingSet:
        real = round.archive[0]
        x, new = (round.features(items).double() for items in (real, crawl))
        centre, width = scale(x)
        x, new = ((v - centre) / width for v in (x, new))
        classes = F.one_hot(real["label"]).double()
        inner = x.T @ x + RIDGE * torch.eye(x.shape[1], dtype=x.dtype)
        scores = new @ torch.linalg.solve(inner, x.T @ (classes - classes.mean(0)))
        label = crawl["label"].clamp(max=classes.shape[1] - 1)
        confidence = scores.log_softmax(1).gather(1, label[:, None]).squeeze(1)
        best = confidence.argsort(descending=True, stable=True)[: len(crawl) // 2]
        return TrainingSet(crawl.take(best))
