"""A pretrained language model, as the evaluator and the verifier see it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from benchmark.basics.device import current
from benchmark.basics.errors import InputError
from benchmark.hub.copies import fetch_file
from benchmark.hub.repos import HubRepo
from benchmark.tasks.text.codec import START
from benchmark.tasks.training.pretrained import pretrained, reduced


class Reader:
    """A causal language model with its own tokenizer."""

    at_once = 64

    def __init__(self, repo: HubRepo) -> None:
        self.network = pretrained("AutoModelForCausalLM", repo)
        self.device = current()
        self.tokenizer = Tokenizer.from_file(str(fetch_file(repo, "tokenizer.json")))
        start = self.tokenizer.token_to_id(START)
        if start is None:
            raise InputError(f"the tokenizer of the {repo.title} has no token {START}")
        self.start = start
        self.longest: int = self.network.config.n_positions - 1

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        """(N, F + 2) on the CPU: hidden states averaged over the text, its nats in all, and its
        number of tokens (at least 1: an empty text is read as a space). A GPU computes in bf16."""
        encoded = self.tokenizer.encode_batch([text or " " for text in texts])
        rows = [torch.tensor(e.ids[: self.longest]) for e in encoded]
        found = []
        for i in range(0, len(rows), self.at_once):
            part = rows[i : i + self.at_once]
            tokens = torch.nn.utils.rnn.pad_sequence(part, batch_first=True).to(self.device)
            count = torch.tensor([len(row) for row in part], device=self.device)
            there = torch.arange(tokens.shape[1], device=self.device) < count[:, None]
            given = F.pad(tokens, (1, 0), value=self.start)
            mask = F.pad(there, (1, 0), value=True).long()
            with reduced(self.device):
                out = self.network(input_ids=given, attention_mask=mask, output_hidden_states=True)
            logits, states = out.logits[:, :-1].float(), out.hidden_states[-1][:, 1:].float()
            flat = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
            nats = flat.view_as(tokens)
            hidden = (states * there[..., None]).sum(1) / count[:, None]
            numbers = torch.stack([(nats * there).sum(1), count.float()], 1)
            found.append(torch.cat([hidden.float(), numbers], 1).cpu())
        return torch.cat(found)
