"""Small repositories in the Hub's layout, and the standard tasks at a toy size over them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import Dinov2Config, Dinov2Model, GPT2Config, GPT2LMHeadModel

from benchmark.hub.copies import VARIABLE
from benchmark.hub.repos import HubRepo
from benchmark.tasks.icons.recipes import IconsRecipe
from benchmark.tasks.images.recipes import PixelDiffusionRecipe
from benchmark.tasks.images.tasks import CIFAR10, DINOV2
from benchmark.tasks.suites import load_suite
from benchmark.tasks.task import Task
from benchmark.tasks.text.recipes import StoriesRecipe, Tokens
from benchmark.tasks.text.tasks import GPT2, GPT2_TOKENS, STORIES

SIZE, LENGTH, VOCABULARY = 8, 16, 300  # pixels, tokens of a block, tokens
TRAIN, TEST = 60, 24
WORDS = "the a big little red old happy dog cat bird tree girl boy ran saw liked found and then"


def write(root: Path) -> Path:
    """Every repository of the suite, in `root`/datasets and `root`/models."""
    pictures(root / "datasets" / CIFAR10.name / "plain_text")
    stories(root / "datasets" / STORIES.name / "data")
    language_model(root / "models" / GPT2.name)
    vision(root / "models" / DINOV2.name)
    return root


@contextmanager
def copies(write: Callable[[Path], Path], folder: Path) -> Iterator[None]:
    """Inside, tasks read what `write` writes into `folder` instead of the Hub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(write(folder)))
        patch.setenv("XDG_CACHE_HOME", str(folder / "home"))
        yield


def weights(model: nn.Module) -> torch.Tensor:
    """All of them, one after the other."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def pictures(
    folder: Path, column: str = "img", name: str = "{}-00000-of-00001", second: str = "test"
) -> None:
    """Parquet files of PNGs; each class has its own colour."""
    rng = np.random.default_rng(0)
    features = {"info": {"features": {column: {"_type": "Image"}, "label": {"dtype": "int64",
                "_type": "Value"}}}}  # fmt: skip
    folder.mkdir(parents=True)
    for split, count in (("train", TRAIN), (second, TEST)):
        labels = [i % 10 for i in range(count)]
        cells = []
        for label in labels:
            pixels = rng.integers(0, 60, (SIZE, SIZE, 3)) + np.array([label * 19, 190 - label, 0])
            content = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(content, "PNG")
            cells.append({"bytes": content.getvalue(), "path": None})
        kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        table = pa.table({column: pa.array(cells, kind), "label": labels})
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
        pq.write_table(table, folder / f"{name.format(split)}.parquet")


def stories(folder: Path, parts: int = 4) -> None:
    """Parquet files of sentences, one in five too short for a block, one in two with a quotation
    mark; of the `parts` that the training set has on the Hub the first."""
    rng = random.Random(0)
    folder.mkdir(parents=True)
    train = f"train-00000-of-{parts:05d}-0"
    for split, count in ((train, TRAIN), ("validation-00000-of-00001-0", TEST)):
        texts = [
            ('"' if i % 2 else "")
            + " ".join(rng.choices(WORDS.split(), k=4 if i % 5 == 4 else 60))
            + "."
            for i in range(count * 5 // 4)
        ]
        pq.write_table(pa.table({"text": texts}), folder / f"{split}.parquet")


def language_model(folder: Path) -> None:
    """A random GPT-2 of 16 numbers a token, and a byte-level tokenizer made like GPT-2's."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY + 20, initial_alphabet=alphabet,
                                  show_progress=False)  # fmt: skip
    tokenizer.train_from_iterator([WORDS] * 50, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    count = tokenizer.get_vocab_size()
    config = GPT2Config(vocab_size=count, n_embd=16, n_layer=1, n_head=2, n_positions=128,
                        bos_token_id=None, eos_token_id=None)  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)


def vision(folder: Path) -> None:
    """A random vision transformer of 16 numbers an image."""
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                          image_size=28, patch_size=14)  # fmt: skip
    Dinov2Model(config).save_pretrained(folder)
    constants = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    constants["crop_size"] = {"height": 28, "width": 28}
    (folder / "preprocessor_config.json").write_text(json.dumps(constants))


def toy(task: Task, revisions: dict[str, str] | None = None) -> Task:
    """`task` over these repositories (at `revisions` by name), with tiny networks."""

    if task.modality == "pair":
        return toy_icons(task)

    def local(repo: HubRepo) -> HubRepo:
        revision = (revisions or {}).get(repo.name, repo.revision)
        return replace(repo, revision=revision, sha256=())

    tokens = Tokens(local(GPT2_TOKENS), VOCABULARY, LENGTH)
    unet = PixelDiffusionRecipe(size=SIZE, widths=(8, 8), attention=(False, True), layers=1,
                                groups=4, steps=2, batch=8, sampling_steps=2)  # fmt: skip
    gpt = StoriesRecipe(tokens, width=16, layers=1, heads=2, steps=2, batch=8)
    image = task.modality == "image"
    evaluation, verifier = task.evaluation, task.verifier
    evaluation = replace(evaluation, network=local(evaluation.network))
    verifier = replace(verifier, network=local(verifier.network))
    data = replace(task.data, repo=local(task.data.repo), heldout=12)
    if image:
        verifier = replace(verifier, data=data, images=30)
    else:
        data = replace(data, tokens=tokens)
        evaluation, verifier = replace(evaluation, tokens=tokens), replace(verifier, tokens=tokens)
    recipe = unet if image else gpt
    foreign = tuple(replace(recipe, steps=1 + i) for i, _ in enumerate(task.foreign))
    return replace(
        task, n=24, reserve=8, generations=2, data=data, evaluation=evaluation, verifier=verifier,
        generator=recipe, foreign=foreign,
    )  # fmt: skip


def toy_icons(task: Task) -> Task:
    """The same of a task of icons, over those of one font."""
    tiny = IconsRecipe(widths=(8, 8), layers=1, reading=16, writing=16, depth=1, steps=2, batch=8,
                       sampling_steps=2)  # fmt: skip
    data = replace(task.data, sha256=None, families=("remixicon-",), heldout=12)
    foreign = tuple(replace(tiny, steps=1 + i) for i, _ in enumerate(task.foreign))
    return replace(task, n=24, reserve=8, generations=2, data=data, generator=tiny, foreign=foreign)


def toys(revisions: dict[str, str] | None = None) -> dict[str, Task]:
    """The tasks of suite `standard`, by name, at a toy size."""
    return {task.name: toy(task, revisions) for task in load_suite("standard").tasks}
