"""The language model of suite `standard`: GPT-2's architecture by transformers."""

from __future__ import annotations

from typing import Any

from transformers import GPT2Config, GPT2LMHeadModel

from benchmark.tasks.training.blueprint import Blueprint


def build(vocab: int, width: int, layers: int, heads: int, longest: int) -> GPT2LMHeadModel:
    """A randomly initialised GPT-2 of up to `longest` positions, without dropout."""
    config = GPT2Config(
        vocab_size=vocab,
        n_positions=longest,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config)


def numbers(model: GPT2LMHeadModel) -> dict[str, Any]:
    """What `build` makes a model of this architecture from."""
    config = model.config
    return {
        "vocab": config.vocab_size,
        "width": config.n_embd,
        "layers": config.n_layer,
        "heads": config.n_head,
        "longest": config.n_positions,
    }


BLUEPRINT = Blueprint(GPT2LMHeadModel, build, numbers)
