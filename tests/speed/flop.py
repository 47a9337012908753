"""Floating-point operations of the two model families; a multiplication and an addition are two.

Per token a forward pass takes 2 x the parameters that are in matrix products (the head included,
the embedding not) plus attention's 4 x width x keys a layer (scores and mix); a training step takes
three times that.
"""

from __future__ import annotations

from benchmark.tasks.images.recipes import FlowRecipe
from benchmark.tasks.text.recipes import CausalRecipe

VOCAB, LATENT, FREQUENCIES = 512, 32, 64


def language_forward(recipe: CausalRecipe, rows: int, vocab: int = VOCAB) -> int:
    """Of `rows` blocks in full; the mask saves nothing, as in the models measured."""
    tokens = rows * recipe.length
    attention = 4 * recipe.width * recipe.length * recipe.layers
    return tokens * (2 * language_parameters(recipe, vocab) + attention)


def language_sampling(recipe: CausalRecipe, rows: int, length: int, vocab: int = VOCAB) -> int:
    """Of `rows` blocks of `length` tokens, written one by one with cached keys and values."""
    keys = length * (length + 1) // 2
    dense = length * 2 * language_parameters(recipe, vocab)
    return rows * (dense + 4 * recipe.width * recipe.layers * keys)


def language_parameters(recipe: CausalRecipe, vocab: int = VOCAB) -> int:
    """Parameters in matrix products: projections, gated layer, head."""
    layer = 4 * recipe.width**2 + 3 * recipe.width * recipe.inner
    return recipe.layers * layer + recipe.width * vocab


def denoiser_forward(recipe: FlowRecipe, rows: int) -> int:
    """Of `rows` latents at one time each."""
    w = recipe.width
    time = FREQUENCIES * w + w * w
    return 2 * rows * (time + 2 * LATENT * w + recipe.blocks * 2 * w * w)
