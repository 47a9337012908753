"""Whether a method has anything to do in a task's modality: a score of no mitigation at all would
say that it does not work, where it was never tried."""

from __future__ import annotations

from dataclasses import fields

from benchmark.basics.errors import Inapplicable
from benchmark.interface.generator import ACTS_ON, Sampling
from benchmark.interface.mitigation import Mitigation, list_overridden


def check_modality(method: type[Mitigation], modality: str) -> None:
    """
    Raises:
        Inapplicable: the method is for other modalities.
    """
    if method.modalities and modality not in method.modalities:
        theirs = " and ".join(sorted(method.modalities))
        raise Inapplicable(
            f"{method.__name__} is for {theirs}: it has nothing to do with {modality}"
        )


def check_effect(method: type[Mitigation], how: Sampling, modality: str) -> None:
    """
    Raises:
        Inapplicable: the method does nothing but set what does not act on this modality, such as
            guidance on text, so that its lineage would be that of `nothing`.
    """
    changed = {f.name for f in fields(how) if getattr(how, f.name) != f.default}
    acting = ACTS_ON.get(modality, changed)
    if list_overridden(method) == ["sampling"] and changed and not changed & acting:
        what = " and ".join(sorted(changed))
        raise Inapplicable(
            f"{method.__name__} does nothing but set {what}, which does not act on {modality}"
        )
