"""Repositories in the Hub's layout for measuring speed where the Hub cannot be reached.

Pieces of speeches as stories, smooth noise (or given images, mirrored and shifted) as pictures, and
networks of random weights at full size: nothing that is computed from them is a score.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Dinov2Config, Dinov2Model, GPT2Config, GPT2LMHeadModel

from benchmark.tasks.images.tasks import CIFAR10, DINOV2
from benchmark.tasks.text import speeches
from benchmark.tasks.text.tasks import GPT2, STORIES

TOKENS, STORY = 12_000, 900  # merges of the tokenizer, characters of a story
LONGEST = 6  # characters of a token: else a story would hold fewer tokens than a block


def write(root: Path, count: int, heldout: int, images: Path | None = None) -> Path:
    """Everything that suite `standard` reads, in `root`; done once."""
    done = root / f"written-{count}-{heldout}"
    if done.exists():
        return root
    rng = np.random.default_rng(0)
    given = None if images is None else np.load(images)["train"]
    for split, n in (("train", count), ("test", heldout)):
        folder = root / "datasets" / CIFAR10.name / "plain_text"
        _pictures(folder / f"{split}-00000-of-00001.parquet", n, given, rng)
    folder = root / "datasets" / STORIES.name / "data"
    text = " ".join(address.text for address in speeches.load_addresses())
    for name, n in (("train-00000-of-00004-0", count), ("validation-00000-of-00001-0", heldout)):
        folder.mkdir(parents=True, exist_ok=True)
        starts = rng.integers(len(text) - STORY, size=n)
        texts = [text[i : i + STORY].partition(" ")[2] for i in starts]
        pq.write_table(pa.table({"text": texts}), folder / f"{name}.parquet")
    _networks(root / "models", text)
    done.touch()
    return root


def _pictures(
    file: Path, n: int, given: NDArray[np.uint8] | None, rng: np.random.Generator
) -> None:
    features = {"info": {"features": {"img": {"_type": "Image"}, "label": {"dtype": "int64",
                "_type": "Value"}}}}  # fmt: skip
    labels = rng.integers(10, size=n)
    cells = []
    for _ in labels:
        if given is None:
            coarse = rng.integers(256, size=(4, 4, 3)).astype(np.uint8)
            image = np.asarray(Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC))
        else:
            image = np.roll(given[rng.integers(len(given))], rng.integers(-3, 4, 2), (0, 1))
            image = image[:, ::-1] if rng.random() < 0.5 else image
        content = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(image)).save(content, "PNG", compress_level=1)
        cells.append({"bytes": content.getvalue(), "path": None})
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    table = pa.table({"img": pa.array(cells, kind), "label": labels})
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(features)}), file,
        row_group_size=1_000,
    )  # fmt: skip


def _networks(root: Path, text: str) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=LONGEST, show_progress=False,
    )  # fmt: skip
    pieces = (text[i : i + 10_000] for i in range(0, len(text), 10_000))
    tokenizer.train_from_iterator(pieces, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    torch.manual_seed(0)
    reader = GPT2LMHeadModel(GPT2Config(bos_token_id=None, eos_token_id=None))
    reader.save_pretrained(root / GPT2.name)
    tokenizer.save(str(root / GPT2.name / "tokenizer.json"))
    vision = Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6,
                          image_size=518, patch_size=14)  # fmt: skip
    Dinov2Model(vision).save_pretrained(root / DINOV2.name)
    constants = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    constants["crop_size"] = {"height": 224, "width": 224}
    (root / DINOV2.name / "preprocessor_config.json").write_text(json.dumps(constants))
