"""The frozen reader: which digits a picture shows, and how bold the hand that wrote them is."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from benchmark.tasks import assets
from benchmark.tasks.images.networks import DigitClassifier, in_parts
from benchmark.tasks.pairs.codec import cut_digits
from benchmark.tasks.pairs.language import DIGITS, Meaning, digits_of

BOLD, THIN = 0.55, -0.6  # some three tenths of real hands each


class NumeralReader(DigitClassifier):
    """A classifier of digits that also knows how much ink each digit takes as a rule."""

    @register_to_config
    def __init__(self, width: int = 16, num_features: int = 64, classes: int = 10) -> None:
        super().__init__(width, num_features, classes)
        self.register_buffer("ink_mean", torch.zeros(classes))
        self.register_buffer("ink_spread", torch.ones(classes))


class Reader:
    """Reads pictures (N, 1, 28, 84)."""

    def __init__(self, network: Any = None) -> None:
        """`network` is the frozen `NumeralReader` without one."""
        if network is None:
            network = assets.load_network("numerals-reader.safetensors", NumeralReader)
        self.network = network

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, F) what the network sees in every digit."""
        return in_parts(self.network, cut_digits(images)).unflatten(0, (-1, DIGITS))

    @torch.no_grad()
    def read(self, features: Tensor) -> Tensor:
        """(N, 3) the digits themselves."""
        return self.network.head(features).argmax(-1)

    def weigh(self, images: Tensor, digits: Tensor) -> Tensor:
        """(N,) how bold the hand is: mean standardised ink of pictures that show `digits`."""
        ink = measure_ink(cut_digits(images)).unflatten(0, (-1, DIGITS))
        return ((ink - self.network.ink_mean[digits]) / self.network.ink_spread[digits]).mean(1)

    def agreement(self, digits: Tensor, meaning: Meaning) -> Tensor:
        """(N, 3) which digits, as read off pictures, are those that captions name."""
        return (digits == digits_of(meaning.number)) & meaning.readable[:, None]


def measure_ink(digits: Tensor) -> Tensor:
    """(N,) mean grey level of images of digits."""
    return digits.float().flatten(1).mean(1)


def name_hand(weight: Tensor) -> Tensor:
    """(N,) what a caption may say of hands that `weigh` so: 1 bold, 2 thin, 0 neither."""
    return torch.where(weight > BOLD, 1, torch.where(weight < THIN, 2, 0))
