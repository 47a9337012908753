"""The ceiling: one large matrix product; and that FLOP are counted rightly."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmark.tasks.images.networks import LatentDenoiser
from benchmark.tasks.images.recipes import FlowRecipe
from benchmark.tasks.text import llama
from benchmark.tasks.text.recipes import CausalRecipe
from tests.speed import ceiling, flop


def test_gemm_1024(bench):
    bench(ceiling.product(ceiling.LARGE), 20, ceiling.flop(ceiling.LARGE))


@pytest.mark.parametrize("recipe", [CausalRecipe(), CausalRecipe(width=64, layers=3)])
def test_the_language_models_flop(recipe):
    model = llama.build_llama(flop.VOCAB, recipe.width, recipe.layers, recipe.heads, recipe.inner)
    tokens = torch.ones(3, recipe.length, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        loss = llama.nll(model(input_ids=tokens).logits, tokens).mean()
    assert counter.get_total_flops() == flop.language_forward(recipe, 3)
    with FlopCounterMode(display=False) as counter:
        loss.backward()
    assert counter.get_total_flops() == 2 * flop.language_forward(recipe, 3)


def test_sampling_reads_the_keys_so_far():
    """One token costs a block of length one; the n-th reads n keys in each layer."""
    recipe = CausalRecipe()
    one = flop.language_forward(replace(recipe, length=1), 7)
    assert flop.language_sampling(recipe, 7, 1) == one
    second = flop.language_sampling(recipe, 7, 2) - one
    assert second == one + 7 * 4 * recipe.width * recipe.layers


def test_the_denoisers_flop():
    recipe = FlowRecipe()
    model = LatentDenoiser(flop.LATENT, recipe.width, recipe.blocks, recipe.classes)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(5, flop.LATENT), torch.zeros(5), torch.zeros(5, dtype=torch.int64))
    assert counter.get_total_flops() == flop.denoiser_forward(recipe, 5)
