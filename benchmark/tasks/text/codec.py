"""What every text passes through before it is published: decoded, encoded again, cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import torch
from tokenizers import Tokenizer
from torch import Tensor

from benchmark.basics.errors import InputError
from benchmark.hub.copies import fetch_file
from benchmark.hub.repos import HubRepo
from benchmark.interface.items import Items
from benchmark.tasks.assets import path

START = "<|endoftext|>"  # the token in front of every block
AT_ONCE = 5_000  # texts
MARGIN = 16  # extra tokens written, since encoding again mostly shortens


class TextPublisher:
    """Strings, tokenised again and cut to `length` tokens.

    `tokenizer` is the speeches' without one; `margin` is how many extra tokens are written, since
    encoding again mostly shortens.
    """

    def __init__(self, length: int, tokenizer: Tokenizer | None = None, margin: int = 8) -> None:
        self.length, self.margin = length, margin
        self.tokenizer = speeches_tokenizer() if tokenizer is None else tokenizer

    def publish(self, tokens: Tensor | Sequence[Sequence[int]]) -> Items:
        """Token rows (longer than `length` by the margin) -> `tokens` int64 (N, length).

        A text that is too short after re-encoding goes on with its own beginning.
        """
        rows = tokens.tolist() if isinstance(tokens, Tensor) else tokens
        texts = self.tokenizer.decode_batch(rows, skip_special_tokens=True)
        encoded = [e.ids for e in self.tokenizer.encode_batch(texts)]
        for i, ids in enumerate(encoded):
            if len(ids) < self.length:
                again = self.tokenizer.encode((texts[i] or "?") * self.length).ids
                encoded[i] = again
        return Items(tokens=torch.tensor([ids[: self.length] for ids in encoded]))

    def pass_through(self, texts: Sequence[str]) -> Items:
        """Real texts in published form."""
        # What the tokenizer says of a text takes 50 kB: some thousand at a time.
        chunks = [texts[i : i + AT_ONCE] for i in range(0, max(1, len(texts)), AT_ONCE)]
        return Items.concat(
            self.publish([e.ids for e in self.tokenizer.encode_batch(list(chunk))])
            for chunk in chunks
        )

    def text(self, items: Items) -> list[str]:
        """Items as strings."""
        return self.tokenizer.decode_batch(items["tokens"].tolist())


@lru_cache(maxsize=1)
def speeches_tokenizer() -> Tokenizer:
    """The byte-level BPE tokenizer of the speeches."""
    return Tokenizer.from_file(str(path("speeches-tokenizer.json")))


@lru_cache(maxsize=4)
def cut_tokenizer(repo: HubRepo, vocabulary: int) -> Tokenizer:
    """GPT-2's tokenizer with its first `vocabulary` tokens, `START` being the last one.

    Raises:
        InputError: the repository cannot be read, or its tokenizer has fewer tokens.
    """
    document = json.loads(fetch_file(repo, "tokenizer.json").read_text("utf-8"))
    model, last = document["model"], vocabulary - 1
    kept = {token: i for token, i in model["vocab"].items() if i < last}
    if len(kept) < last:
        raise InputError(f"the {repo.title} has fewer than {vocabulary} tokens")
    pairs = (m.split(" ") if isinstance(m, str) else m for m in model["merges"])
    model["merges"] = [[a, b] for a, b in pairs if a + b in kept]
    model["vocab"] = kept | {START: last}
    document["added_tokens"] = []
    cut = Tokenizer.from_str(json.dumps(document))
    cut.add_special_tokens([START])
    return cut
