"""The frozen reader of icons: pictures and names in one space."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.tasks import assets
from benchmark.tasks.images.networks import in_parts
from benchmark.tasks.pairs.language import LENGTH

OTHERS = 99  # names besides its own among which a picture's is looked for


class IconReader(nn.Module):
    """Says how like pictures and names are (Radford et al. 2021, arXiv 2103.00020).

    Args:
        words: number of words; 0 ends a name.
        width: numbers of a picture, and of a name.
        narrow: channels of the first convolution.

    Attributes:
        others: int64 (OTHERS, L) fixed names, of icons that no era holds.
    """

    others: Tensor

    def __init__(self, words: int, width: int = 64, narrow: int = 24) -> None:
        super().__init__()
        self.words = words
        self.see = nn.Sequential(
            nn.Conv2d(1, narrow, 3, 2, 1), nn.GELU(),
            nn.Conv2d(narrow, 2 * narrow, 3, 2, 1), nn.BatchNorm2d(2 * narrow), nn.GELU(),
            nn.Conv2d(2 * narrow, 4 * narrow, 3, 2, 1), nn.BatchNorm2d(4 * narrow), nn.GELU(),
            nn.Conv2d(4 * narrow, 4 * narrow, 3, 1, 1), nn.GELU(),
            nn.Flatten(), nn.Dropout(0.4), nn.Linear(64 * narrow, width),
        )  # fmt: skip
        self.word = nn.Embedding(words, width, padding_idx=0)
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.scale = nn.Parameter(torch.tensor(2.5))
        self.register_buffer("others", torch.zeros(OTHERS, LENGTH, dtype=torch.int64))

    def look(self, images: Tensor) -> Tensor:
        """(N, width) what uint8 pictures (N, 1, 32, 32) show."""
        return self.see(images.float() / 255)

    def read(self, names: Tensor) -> Tensor:
        """(N, width) what names (N, L) say: of the words up to the first 0, in any order."""
        counted = ((names == 0).cumsum(1) == 0)[:, :, None]
        h = (self.word(names) * counted).sum(1) / counted.sum(1).clamp(min=1) ** 0.5
        return h + self.mix(h)

    def forward(self, images: Tensor, names: Tensor) -> Tensor:
        """(N, M) logits of names for pictures: cosines, scaled."""
        seen, said = self.look(images), self.read(names)
        return self.scale.exp() * F.normalize(seen, dim=1) @ F.normalize(said, dim=1).T


def load_reader(name: str) -> IconReader:
    """A frozen reader by its file."""
    return assets.load_network(name, IconReader)


def look_at(reader: IconReader, images: Tensor) -> Tensor:
    """(N, width) what pictures show, some at a time."""
    return in_parts(reader.look, images)


def rate_names(reader: IconReader, seen: Tensor, names: Tensor) -> Tensor:
    """(N,) log p(own name | picture) in nats, among it and the `others` that are other names.

    Args:
        seen: (N, width) what `look_at` gives.
        names: (N, L) as published.
    """
    return _weigh_names(reader, seen, names).log_softmax(1)[:, 0]


def find_named(reader: IconReader, seen: Tensor, names: Tensor) -> Tensor:
    """(N,) whether each picture is liker to its own name than to every one of those `others`; the
    arguments are those of `rate_names`."""
    logits = _weigh_names(reader, seen, names)
    return (logits[:, 1:] < logits[:, :1]).all(1)


@torch.no_grad()
def _weigh_names(reader: IconReader, seen: Tensor, names: Tensor) -> Tensor:
    """(N, 1 + OTHERS) logits of each picture's own name and of the others, -inf where one of these
    is the own one."""
    pictures, scale = F.normalize(seen, dim=1), reader.scale.exp()
    own = scale * (pictures * F.normalize(reader.read(names), dim=1)).sum(1, keepdim=True)
    logits = scale * pictures @ F.normalize(reader.read(reader.others), dim=1).T
    same = (names[:, None] == reader.others[None]).all(2)
    return torch.cat([own, logits.masked_fill(same, -torch.inf)], 1)
