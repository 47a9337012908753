"""GPT-2's tokenizer, cut to its first merges."""

from __future__ import annotations

import json
from functools import lru_cache

from tokenizers import Tokenizer

from benchmark.codecs import TextPublisher
from benchmark.errors import InputError
from benchmark.hub.local import file_of
from benchmark.hub.recipes import Tokens

START = "<|endoftext|>"  # the token in front of every block
MARGIN = 16  # extra tokens written, since encoding again mostly shortens


@lru_cache(maxsize=4)
def tokenizer_of(tokens: Tokens) -> Tokenizer:
    """The tokenizer with `tokens.vocabulary` tokens, `START` being the last one.

    Raises:
        InputError: the repository cannot be read, or its tokenizer has fewer tokens.
    """
    document = json.loads(file_of(tokens.repo, "tokenizer.json").read_text("utf-8"))
    model, last = document["model"], tokens.vocabulary - 1
    kept = {token: i for token, i in model["vocab"].items() if i < last}
    if len(kept) < last:
        raise InputError(f"the {tokens.repo.title} has fewer than {tokens.vocabulary} tokens")
    pairs = (m.split(" ") if isinstance(m, str) else m for m in model["merges"])
    model["merges"] = [[a, b] for a, b in pairs if a + b in kept]
    model["vocab"] = kept | {START: last}
    document["added_tokens"] = []
    cut = Tokenizer.from_str(json.dumps(document))
    cut.add_special_tokens([START])
    return cut


def publisher_of(tokens: Tokens) -> TextPublisher:
    """Text in published form."""
    return TextPublisher(tokens.length, tokenizer_of(tokens), MARGIN)
