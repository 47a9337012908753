"""A Hub on this machine: the endpoints that huggingface_hub uses, over real HTTP, with faults."""

from tests.hub.server import LoopbackHub

__all__ = ["LoopbackHub"]
