"""Builds every frozen part from real data, each function says which: `python -m
benchmark.tasks.build_assets`.

Run once per benchmark version. Another machine gives slightly other weights, which would change
the ruler: that is why the files themselves are part of the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from benchmark.basics.seeds import stream
from benchmark.interface.items import Items
from benchmark.tasks.assets import FOLDER, manifest
from benchmark.tasks.icons.drawing import (
    WORDS,
    draw_icons,
    find_fonts,
    list_icons,
    list_words,
    order_words,
)
from benchmark.tasks.icons.reader import OTHERS, IconReader
from benchmark.tasks.icons.tasks import FAMILIES
from benchmark.tasks.images import digits
from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.images.networks import DigitClassifier, DigitFeatures, ImageCodec
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.pairs.reader import NumeralReader, measure_ink
from benchmark.tasks.text import llama
from benchmark.tasks.text.lexicon import words_of
from benchmark.tasks.text.speeches import (
    known_addresses,
    load_addresses,
    old_addresses,
    passages,
)
from benchmark.tasks.training.fit import fit

ICONS_AT = 15.0  # degrees, either way: drawings that are a little off are to be read, too
LEFT_OUT = 0.15  # of the words of a name: a few words are to be enough, for names are new
READ_AT = 15.0  # degrees, either way; no era of the numerals leans further
SLANT = 25.0  # degrees, either way; no era of any suite leans further
VOCAB = 512
LENGTH, PASSAGE = 64, 211  # tokens of a block, and characters that mostly fill one
COMMON = 1e-5  # share of the base's tokens that a token has at least which is common to all eras
BASE = {"vocab": VOCAB, "width": 128, "layers": 2, "heads": 4, "inner": 384}
REFERENCE = BASE
VERIFIER = {"vocab": VOCAB, "width": 96, "layers": 1, "heads": 4, "inner": 256}


def main() -> None:
    """Build all parts and write them with a manifest of configurations and SHA-256."""
    torch.set_num_threads(1)
    parts: dict[str, dict[str, Any]] = {}
    for build in (images, text, pairs, icons):  # pairs read what images have made
        parts |= build()
        for name, entry in parts.items():
            entry["sha256"] = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
        (FOLDER / "manifest.json").write_text(
            json.dumps(parts, indent=1, sort_keys=True) + "\n", "utf-8"
        )
        manifest.cache_clear()


def images() -> dict[str, dict[str, Any]]:
    """Codec, evaluator and verifier of the digits.

    All three have seen all 5,000 digits, at every slant: which digits are held out depends on the
    seed, and no split and no era may be favoured. So they know held-out digits no worse and no
    better than those of crawls and the reserve, and two real sets of an era are equally far apart
    in every era; no method is handed the codec or the evaluator.
    """
    parts: dict[str, dict[str, Any]] = {}
    known = digits.load_digits()
    _save(parts, "digits-codec.safetensors", _codec(known["image"]), "ImageCodec")
    seen = _classifier(DigitFeatures, 16, known, "features")
    _whiten(seen, known["image"])
    _save(parts, "digits-features.safetensors", seen, "DigitFeatures")
    verifier = _classifier(DigitClassifier, 8, known, "verifier")
    _save(parts, "digits-verifier.safetensors", verifier, "DigitClassifier")
    return parts


def pairs() -> dict[str, dict[str, Any]]:
    """The reader of numerals: it has seen all digits, as published, at the slant of every era."""
    parts: dict[str, dict[str, Any]] = {}
    known, publisher = digits.load_digits(), ImagePublisher()
    change = stream("reader", "change")

    def published(rows: Tensor, slant: float) -> Tensor:
        images = change_images(known["image"][rows], slant, change)
        return publisher.pass_through(Items(image=images, label=known["label"][rows]))["image"]

    torch.manual_seed(16)
    model: Any = NumeralReader()

    def loss(model: Any, rows: Tensor) -> Tensor:
        slant = READ_AT * (2 * float(torch.rand((), generator=change)) - 1)
        logits = model.logits(published(rows, slant))
        return F.cross_entropy(logits, known["label"][rows], label_smoothing=0.1)

    fit(model, loss, len(known), 1500, 128, 2e-3, stream("reader"))
    # What ink a digit takes as a rule.
    ink = measure_ink(published(torch.arange(len(known)), 0.0))
    of_class = [ink[known["label"] == digit] for digit in range(10)]
    model.ink_mean.copy_(torch.stack([values.mean() for values in of_class]))
    model.ink_spread.copy_(torch.stack([values.std() for values in of_class]))
    _save(parts, "numerals-reader.safetensors", model, "NumeralReader")
    return parts


def icons() -> dict[str, dict[str, Any]]:
    """Words, reader and verifier of the icons. Both networks have learnt from a third that no era
    holds: from all, they would know every real icon by heart, and any new one worse."""
    parts: dict[str, dict[str, Any]] = {}
    drawn = list_icons(find_fonts(), FAMILIES)
    words = list_words(drawn)
    (FOLDER / WORDS).write_text(json.dumps(words) + "\n", "utf-8")
    parts[WORDS] = {}
    known = draw_icons(drawn, words, known=True)
    pictures, names = known["image"], known["tokens"]
    others = torch.randperm(len(names), generator=stream("icons", "others"))[:OTHERS]
    for name, width, narrow in (("reader", 64, 32), ("verifier", 48, 12)):
        config = {"words": len(words), "width": width, "narrow": narrow}
        torch.manual_seed(width)
        change = stream(f"icons-{name}", "change")

        def loss(model: Any, rows: Tensor, change: torch.Generator = change) -> Tensor:
            slant = ICONS_AT * (2 * torch.rand(len(rows), generator=change) - 1)
            across, along = torch.randint(-2, 3, (2,), generator=change).tolist()
            seen = change_images(pictures[rows], slant, change).roll((across, along), (2, 3))
            both = model(seen, _leave_out_words(names[rows], change))
            own = torch.arange(len(rows))
            return (F.cross_entropy(both, own) + F.cross_entropy(both.T, own)) / 2

        model: Any = IconReader(**config)
        rng = stream(f"icons-{name}")
        fit(model, loss, len(names), 1_200, 256, 2e-3, rng, weight_decay=0.3)
        model.others.copy_(names[others])
        _save(parts, f"icons-{name}.safetensors", model, "IconReader", config)
    return parts


def _leave_out_words(names: Tensor, rng: torch.Generator) -> Tensor:
    """Names without some of their words, but never without all."""
    left = order_words(names.masked_fill(torch.rand(names.shape, generator=rng) < LEFT_OUT, 0))
    return torch.where((left > 0).any(1, keepdim=True), left, names)


def text() -> dict[str, dict[str, Any]]:
    """Tokenizer, base, evaluator, verifier and lexicon of the speeches.

    The tokenizer and the base know the addresses before 1890 only, from which no era is made; the
    two scorers also those later ones that are never held out.
    """
    parts: dict[str, dict[str, Any]] = {}
    old, known = ([a.text for a in some()] for some in (old_addresses, known_addresses))
    tokenizer = _tokenizer(old)
    tokenizer.save(str(FOLDER / "speeches-tokenizer.json"))
    parts["speeches-tokenizer.json"] = {}
    blocks = _blocks(old, tokenizer)
    _save_lexicon(tokenizer, blocks)
    parts["speeches-lexicon.json"] = {}
    for name, config, documents in (
        ("base", BASE, old), ("reference", REFERENCE, known), ("verifier", VERIFIER, known)
    ):  # fmt: skip
        torch.manual_seed(len(name))
        model = llama.build_llama(**config)
        _language_model(model, _blocks(documents, tokenizer), name)
        _save(parts, f"speeches-{name}.safetensors", model, "llama", config)
    return parts


def _codec(images: Tensor) -> Any:
    torch.manual_seed(1)
    model = ImageCodec(width=24)
    change = stream("codec", "change")

    def loss(model: Any, rows: Tensor) -> Tensor:
        batch = _slanted(images[rows], change)
        latents = model.encoder(batch)
        noise = 0.02 * torch.randn(len(rows), model.config.latent)
        decoded = model.decoder(latents + noise)
        # Items are encoded again in every generation: encoding what was decoded must give the
        # latents back, or the codec itself would shrink them a little each time.
        normal = model.encoder[-1]
        again = F.batch_norm(
            model.encoder[:-1](decoded), normal.running_mean.clone(), normal.running_var.clone()
        )
        return F.mse_loss(decoded, batch) + 0.2 * F.mse_loss(again, latents.detach())

    return fit(model, loss, len(images), 3000, 128, 2e-3, stream("codec"))


def _classifier(kind: type[DigitClassifier], width: int, known: Items, name: str) -> Any:
    torch.manual_seed(width)
    model = kind(width=width)
    images, labels, change = known["image"], known["label"], stream(name, "change")

    def loss(model: Any, rows: Tensor) -> Tensor:
        logits = model.head(model.body(_slanted(images[rows], change)))
        return F.cross_entropy(logits, labels[rows], label_smoothing=0.1)

    return fit(model, loss, len(images), 2000, 128, 1e-3, stream(name))


@torch.no_grad()
def _whiten(model: DigitFeatures, images: Tensor) -> None:
    """Set the scale of the features by four views of each image."""
    change = stream("features", "white")
    views = [model.body(_slanted(part, change)) for part in images.repeat(4, 1, 1, 1).split(500)]
    seen = torch.cat(views).double()
    values, vectors = torch.linalg.eigh(torch.cov(seen.T))
    model.centre.copy_(seen.mean(0))
    model.scale.copy_((vectors * values.rsqrt()) @ vectors.T)


def _slanted(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image changed as real ones are, at a slant of its own."""
    slant = SLANT * (2 * torch.rand(len(images), generator=rng) - 1)
    return change_images(images, slant, rng).float() / 127.5 - 1


def _tokenizer(documents: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=["<start>"],
        # Every printable character of later years, too; "\u0120" stands for a space.
        initial_alphabet=[*map(chr, range(33, 127)), "\u0120"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def _blocks(documents: list[str], tokenizer: Tokenizer) -> Tensor:
    """All of the documents in blocks, twice: cut at the middle of the first blocks, too."""
    rows = []
    for shift in (0, PASSAGE // 2):
        pieces = [p for document in documents for p in passages(document[shift:], PASSAGE)]
        rows += [e.ids[:LENGTH] for e in tokenizer.encode_batch(pieces) if len(e.ids) >= LENGTH]
    return torch.tensor(rows)


def _language_model(model: Any, blocks: Tensor, name: str) -> None:
    """One pass over `blocks`."""

    def loss(model: Any, rows: Tensor) -> Tensor:
        return llama.nll(llama.logits_of(model, blocks[rows]), blocks[rows]).mean()

    steps = len(blocks) // 16
    fit(model, loss, len(blocks), steps, 16, 6e-3, stream(name), warmup=0.04)


def _save_lexicon(tokenizer: Tokenizer, blocks: Tensor) -> None:
    """The words of all addresses, and the tokens that are not rare in the base's text.

    A word counts that occurs in any address: what is left are words that nobody wrote.
    """
    words = {word for a in load_addresses() for word in words_of(a.text)}
    common = torch.bincount(blocks.flatten(), minlength=VOCAB) >= COMMON * blocks.numel()
    tokens = [tokenizer.id_to_token(int(i)) for i in common.nonzero()]
    document = {"tokens": tokens, "words": " ".join(sorted(words))}
    (FOLDER / "speeches-lexicon.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _save(
    parts: dict[str, dict[str, Any]],
    name: str,
    model: Any,
    kind: str,
    config: dict[str, Any] | None = None,
) -> None:
    """Half precision on disk: small, and the same numbers wherever it is loaded."""
    if config is None:
        config = {k: v for k, v in model.config.items() if not k.startswith("_")}
    state = {
        key: value.half() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    save_file({key: value.contiguous() for key, value in state.items()}, FOLDER / name)
    parts[name] = {"config": {"kind": kind, **config}}
    print(f"{name}: {os.path.getsize(FOLDER / name) / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
