"""Builds every frozen part from the usable (never the held-out) real data: `python -m
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
from benchmark.tasks.assets import FOLDER
from benchmark.tasks.images import digits
from benchmark.tasks.images.networks import DigitClassifier, ImageCodec
from benchmark.tasks.images.slant import change_images
from benchmark.tasks.text import llama, speeches
from benchmark.tasks.training.fit import fit

SLANT = 25.0  # degrees, either way; no era of any suite leans further
VOCAB = 512
REFERENCE = {"vocab": VOCAB, "width": 128, "layers": 2, "heads": 4, "inner": 384}
VERIFIER = {"vocab": VOCAB, "width": 96, "layers": 1, "heads": 4, "inner": 256}


def main() -> None:
    """Build all parts and write them with a manifest of configurations and SHA-256."""
    torch.set_num_threads(1)
    parts = images() | text()
    for name, entry in parts.items():
        entry["sha256"] = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()
    (FOLDER / "manifest.json").write_text(
        json.dumps(parts, indent=1, sort_keys=True) + "\n", "utf-8"
    )


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
    for name, width in (("features", 16), ("verifier", 8)):
        model = _classifier(known["image"], known["label"], name, width)
        _save(parts, f"digits-{name}.safetensors", model, "DigitClassifier")
    return parts


def text() -> dict[str, dict[str, Any]]:
    """Tokenizer, evaluator and verifier of the speeches."""
    parts: dict[str, dict[str, Any]] = {}
    documents, _ = speeches.load_addresses()
    tokenizer = _tokenizer(documents)
    tokenizer.save(str(FOLDER / "speeches-tokenizer.json"))
    parts["speeches-tokenizer.json"] = {}
    text = [torch.tensor(tokenizer.encode(d).ids) for d in documents]
    for name, config in (("reference", REFERENCE), ("verifier", VERIFIER)):
        torch.manual_seed(len(name))
        model = llama.build_llama(**config)
        _language_model(model, torch.cat(text), name)
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


def _classifier(images: Tensor, labels: Tensor, name: str, width: int) -> Any:
    torch.manual_seed(width)
    model = DigitClassifier(width=width)
    change = stream(name, "change")

    def loss(model: Any, rows: Tensor) -> Tensor:
        logits = model.head(model.body(_slanted(images[rows], change)))
        return F.cross_entropy(logits, labels[rows], label_smoothing=0.1)

    return fit(model, loss, len(images), 2000, 128, 1e-3, stream(name))


def _slanted(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image changed as real ones are, at a slant of its own."""
    slant = SLANT * (2 * torch.rand(len(images), generator=rng) - 1)
    return change_images(images, slant, rng).float() / 127.5 - 1


def _tokenizer(documents: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=["<start>"], show_progress=False)
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def _language_model(model: Any, text: Tensor, name: str) -> None:
    windows = text[: len(text) // 64 * 64].view(-1, 64)

    def loss(model: Any, rows: Tensor) -> Tensor:
        return llama.nll(llama.logits_of(model, windows[rows]), windows[rows]).mean()

    fit(model, loss, len(windows), 3000, 32, 4e-3, stream(name))


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
