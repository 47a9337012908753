"""UNets of diffusers: the image network of suite `standard`, and what is inside of any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch.nn.functional as F
from diffusers import UNet2DModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from benchmark.tasks.images.labels import add_label_shares
from benchmark.tasks.training.blueprint import Blueprint


def build_unet(
    size: int,
    widths: Sequence[int],
    attention: Sequence[bool],
    layers: int,
    groups: int,
    classes: int,
) -> UNet2DModel:
    """A randomly initialised UNet; class `classes` stands for "no class"."""
    down = tuple("AttnDownBlock2D" if here else "DownBlock2D" for here in attention)
    up = tuple("AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attention))
    model = UNet2DModel(
        sample_size=size,
        in_channels=3,
        out_channels=3,
        layers_per_block=layers,
        block_out_channels=tuple(widths),
        down_block_types=down,
        up_block_types=up,
        num_class_embeds=classes + 1,
        norm_num_groups=groups,
    )
    keep_layout(model)
    return add_label_shares(model, classes)


def keep_layout(model: nn.Module) -> None:
    """Makes every layer of a UNet that doubles a resolution a `Doubling`."""
    for part in model.modules():
        if type(part) is Upsample2D:
            part.__class__ = Doubling


class Doubling(Upsample2D):
    """The same layer and numbers, in the layout that it is given: the library's goes back to
    contiguous tensors at 64 items and more, which channels-last convolutions must undo."""

    def forward(self, hidden_states: Tensor, output_size: int | None = None) -> Tensor:
        return self.conv(F.interpolate(hidden_states, scale_factor=2.0, mode="nearest"))


def describe_unet(model: UNet2DModel) -> dict[str, Any]:
    """What `build` makes a model of this architecture from."""
    config: Any = model.config
    return {
        "size": config.sample_size,
        "widths": list(config.block_out_channels),
        "attention": [kind == "AttnDownBlock2D" for kind in config.down_block_types],
        "layers": config.layers_per_block,
        "groups": config.norm_num_groups,
        "classes": config.num_class_embeds - 1,
    }


BLUEPRINT = Blueprint(UNet2DModel, build_unet, describe_unet)


def inside(network: Any, predict: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
    """What `predict` returns, and meanwhile the output of `network`'s innermost block, averaged
    over places (N, F)."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _given: object, out: Tensor) -> None:
        kept.append(out)

    hook = network.mid_block.register_forward_hook(keep)
    try:
        predicted = predict()
    finally:
        hook.remove()
    return predicted, kept[0].float().mean((2, 3))
