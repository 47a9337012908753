"""Ours against what a reader would otherwise use: transformers' Trainer and `generate`, float32."""

from functools import partial

import pytest
import torch
import transformers
from transformers import LlamaForCausalLM, Trainer, TrainingArguments

from benchmark import Sampling
from benchmark.tasks.text import llama
from benchmark.tasks.text.language import make_chooser
from benchmark.tasks.training.fit import fit

ATTENTIONS = ("eager", "sdpa")
VOCAB, WIDTH, LAYERS, HEADS, INNER, LENGTH = 512, 128, 3, 4, 256, 64  # 0.62 M parameters
BATCH = 32
TRAINING, SAMPLING = 1.25, 1.7  # times the speed of the faster peer, at least


@pytest.fixture(autouse=True)
def quiet():
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    yield
    transformers.logging.set_verbosity(before)


def build(attention: str = "eager") -> LlamaForCausalLM:
    torch.manual_seed(0)
    model = llama.build_llama(VOCAB, WIDTH, LAYERS, HEADS, INNER)
    model.set_attn_implementation(attention)
    return model


def test_training(bench, tmp_path):
    """Both take the same steps of 32 x 64 tokens; the library's other settings are its defaults."""
    steps = 10 if bench.enabled else 1
    tokens = torch.randint(1, VOCAB, (320, LENGTH), generator=torch.Generator().manual_seed(0))
    dataset = [{"input_ids": row, "labels": row} for row in tokens]

    def ours() -> None:
        def loss(model: LlamaForCausalLM, rows: torch.Tensor) -> torch.Tensor:
            batch = tokens[rows]
            return llama.nll(llama.logits_of(model, batch), batch).mean()

        rng = torch.Generator().manual_seed(0)
        fit(build(), loss, len(tokens), steps, BATCH, 1e-3, rng)

    def theirs(attention: str) -> None:
        arguments = TrainingArguments(
            str(tmp_path),
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            eval_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(build(attention), arguments, train_dataset=dataset)
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()

    peers = {f"Trainer, {attention}": partial(theirs, attention) for attention in ATTENTIONS}
    speedup = bench.against(ours, peers, rounds=6)
    if bench.enabled:
        assert min(speedup.values()) >= TRAINING


def test_sampling(bench):
    """500 blocks of 64 tokens at temperature 1 from the same weights."""
    rows, length = (500, LENGTH) if bench.enabled else (20, 4)
    model = build()
    uniform = torch.rand(rows, length, generator=torch.Generator().manual_seed(0))
    start = torch.full((rows, 1), llama.START)

    def theirs(peer: LlamaForCausalLM) -> None:
        written = peer.generate(
            start, attention_mask=torch.ones_like(start), do_sample=True, top_k=0,
            max_new_tokens=length, use_cache=True, pad_token_id=llama.START,
        )  # fmt: skip
        assert written.shape == (rows, 1 + length)

    peers = {f"generate, {name}": partial(theirs, build(name).eval()) for name in ATTENTIONS}
    speedup = bench.against(lambda: llama.sample(model, uniform, make_chooser(Sampling())), peers)
    if bench.enabled:
        assert min(speedup.values()) >= SAMPLING
