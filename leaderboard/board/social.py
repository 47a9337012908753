"""What other sites show of a link to the page: title, sentence and picture, in the page's head."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html import escape

TITLE = "Autophagy Bench: which strategies mitigate model collapse, and how well"
SENTENCE = (
    "Methods against the collapse of generative models that are trained on what models made, "
    "compared on the same images, texts and pairs, with the same contamination and budgets."
)
PICTURE = "social-card.png"  # at the Space's root, drawn by `leaderboard.publishing.social`
SIZE = (1200, 630)  # its pixels
WORDS = "Curves by generation: no mitigation, the best methods, and real data only."


def make_link_preview(surroundings: Mapping[str, str] = os.environ) -> str:
    """Elements for the head of the page. Nothing is loaded by them: only who shows a link asks
    for the picture.

    Args:
        surroundings: of a Space SPACE_ID is its ORG/NAME; elsewhere there is no picture, as its
            address must be a whole one.
    """
    space = surroundings.get("SPACE_ID", "")
    hub = surroundings.get("HF_ENDPOINT") or "https://huggingface.co"
    found = {
        "og:type": "website",
        "og:title": TITLE,
        "og:description": SENTENCE,
        "description": SENTENCE,
        "twitter:card": "summary",
    }
    if re.fullmatch(r"[\w.-]+/[\w.-]+", space, re.ASCII):
        found |= {
            "og:url": f"{hub}/spaces/{space}",
            "og:image": find_picture(space, hub),
            "og:image:width": str(SIZE[0]),
            "og:image:height": str(SIZE[1]),
            "og:image:alt": WORDS,
            "twitter:card": "summary_large_image",
        }
    return "\n".join(_element(name, content) for name, content in found.items())


def find_picture(space: str, hub: str) -> str:
    """The address of the picture of the Space ORG/NAME."""
    return f"{hub}/spaces/{space}/resolve/main/{PICTURE}"


def _element(name: str, content: str) -> str:
    key = "property" if name.startswith("og:") else "name"
    return f'<meta {key}="{name}" content="{escape(content)}">'
