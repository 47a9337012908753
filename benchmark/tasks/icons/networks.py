"""A painter of icons, by a UNet of diffusers, and a writer of their names, by a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from benchmark.tasks.icons.drawing import SIZE
from benchmark.tasks.images.unet import keep_layout
from benchmark.tasks.pairs.language import LENGTH
from benchmark.tasks.pairs.networks import Captioner, Reading
from benchmark.tasks.training.blueprint import Blueprint

HEADS = 4
GROUPS = 8  # of the UNet's norms
PLACES = SIZE // 4  # of a picture as the writer sees it, both ways


def computing(x: Tensor) -> torch.autocast:
    """The context of both networks: a GPU computes in bf16, on float32 weights."""
    return torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda)


class IconPainter(nn.Module):
    """Velocity of a flow over pixels, given a name: the UNet looks at its words at all but the
    finest resolution."""

    def __init__(self, words: int, widths: Sequence[int], layers: int, reading: int) -> None:
        super().__init__()
        self.word = nn.Embedding(words, reading)
        self.place = nn.Parameter(torch.randn(LENGTH, reading) * 0.5)
        self.read = nn.Sequential(Reading(reading), Reading(reading))
        self.unsaid = nn.Parameter(torch.zeros(LENGTH, reading))  # stands for no name
        coarser = len(widths) - 1
        self.unet = UNet2DConditionModel(
            sample_size=SIZE,
            in_channels=1,
            out_channels=1,
            block_out_channels=tuple(widths),
            layers_per_block=layers,
            down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * coarser),
            up_block_types=(*["CrossAttnUpBlock2D"] * coarser, "UpBlock2D"),
            cross_attention_dim=reading,
            attention_head_dim=HEADS,  # their number, as the library takes it
            norm_num_groups=GROUPS,
        )
        keep_layout(self.unet)

    def ask(self, tokens: Tensor, dropped: Tensor | None = None) -> Tensor:
        """(N, L, reading) what names (N, L) ask for; nothing where one is `dropped`."""
        with computing(tokens):
            asked = self.read(self.word(tokens) + self.place).float()
        if dropped is None:
            return asked
        return torch.where(dropped[:, None, None], self.unsaid, asked)

    def forward(self, x: Tensor, s: Tensor, asked: Tensor) -> Tensor:
        """Velocity like the noisy pictures `x` (N, 1, 32, 32) at times `s` (N,) in [0, 1]."""
        with computing(x):
            return self.unet(x, 1000 * s, encoder_hidden_states=asked, return_dict=False)[0]


class IconWriter(Captioner):
    """A transformer that looks at the places of a picture before each word, or writes blindly: at
    learned vectors instead. Its state are the words so far, which are few."""

    def __init__(self, words: int, width: int, depth: int) -> None:
        super().__init__()
        self.start = words
        self.look = nn.Sequential(
            nn.Conv2d(1, width // 4, 3, 1, 1), nn.GroupNorm(1, width // 4), nn.SiLU(),
            nn.Conv2d(width // 4, width // 2, 3, 2, 1), nn.GroupNorm(1, width // 2), nn.SiLU(),
            nn.Conv2d(width // 2, width, 3, 2, 1), nn.GroupNorm(1, width), nn.SiLU(),
            nn.Conv2d(width, width, 3, 1, 1),
        )  # fmt: skip
        self.slot = nn.Parameter(torch.randn(PLACES**2, width) * 0.5)
        self.blind = nn.Parameter(torch.randn(PLACES**2, width) * 0.5)
        self.word = nn.Embedding(words + 1, width)
        self.place = nn.Parameter(torch.randn(LENGTH, width) * 0.5)
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, HEADS, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, words))

    def see(self, z: Tensor | None, n: int, dropped: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Places (n, 64, width) of pictures (n, 1, 32, 32), or of none, twice."""
        seen = self.blind.expand(n, -1, -1)
        if z is not None:
            with computing(z):
                picture = self.look(z).flatten(2).mT.float() + self.slot
            seen = (
                picture if dropped is None else torch.where(dropped[:, None, None], seen, picture)
            )
        return seen, seen

    def go_on(
        self, given: Tensor, state: Tensor | None, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        said = given if state is None else torch.cat([state, given], 1)
        count = said.shape[1]
        later = torch.ones(count, count, dtype=torch.bool, device=said.device).triu(1)
        with computing(said):
            h = self.word(said) + self.place[:count]
            for layer in self.layers:
                # By a flag, not by the mask, where there is a kernel for it.
                h = layer(h, values, tgt_mask=later, tgt_is_causal=True)
        return h[:, -given.shape[1] :].float(), said


class IconModel(nn.Module):
    """The model of a generation of icons."""

    def __init__(
        self,
        words: int,
        widths: Sequence[int],
        layers: int,
        reading: int,
        writing: int,
        depth: int,
    ) -> None:
        super().__init__()
        self.painter = IconPainter(words, widths, layers, reading)
        self.writer = IconWriter(words, writing, depth)


def describe_icon_model(model: IconModel) -> dict[str, Any]:
    """What an `IconModel` of this architecture is made from."""
    painter, writer = model.painter, model.writer
    return {
        "words": painter.word.num_embeddings,
        "widths": list(painter.unet.config["block_out_channels"]),
        "layers": painter.unet.config["layers_per_block"],
        "reading": painter.word.embedding_dim,
        "writing": writer.word.embedding_dim,
        "depth": len(writer.layers),
    }


BLUEPRINT = Blueprint(IconModel, IconModel, describe_icon_model)
