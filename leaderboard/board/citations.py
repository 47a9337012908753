"""The papers of methods as BibTeX. What is not known of a paper is left out, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmark import __version__
from benchmark.basics.plain import clean_line
from leaderboard.board.entries import Entry


class Paper(NamedTuple):
    """What the docstring of a baseline says of its source, with the title in full.

    Attributes:
        authors: family names, all of them or the first only.
        more: whether there are others ("and others").
    """

    authors: tuple[str, ...]
    more: bool
    title: str
    year: int


def _paper(authors: str, title: str, year: int) -> Paper:
    names = authors.removesuffix(" et al.")
    return Paper(tuple(names.split(", ")), names != authors, title, year)


# By arXiv identifier or DOI, as cards link them.
PAPERS = {
    "1510.03055": _paper("Li et al.", "A Diversity-Promoting Objective Function for Neural "
                         "Conversation Models", 2016),
    "1904.09751": _paper("Holtzman et al.", "The Curious Case of Neural Text Degeneration", 2020),
    "2201.12086": _paper("Li et al.", "BLIP: Bootstrapping Language-Image Pre-training for Unified "
                         "Vision-Language Understanding and Generation", 2022),
    "2207.12598": _paper("Ho, Salimans", "Classifier-Free Diffusion Guidance", 2022),
    "2301.10226": _paper("Kirchenbauer et al.", "A Watermark for Large Language Models", 2023),
    "2303.09540": _paper("Abbas et al.", "SemDeDup: Data-efficient learning at web-scale through "
                         "semantic deduplication", 2023),
    "2306.00984": _paper("Tian et al.", "StableRep: Synthetic Images from Text-to-Image Models "
                         "Make Strong Visual Representation Learners", 2023),
    "2307.01850": _paper("Alemohammad et al.", "Self-Consuming Generative Models Go MAD", 2023),
    "2309.16671": _paper("Xu et al.", "Demystifying CLIP Data", 2023),
    "2404.01413": _paper("Gerstgrasser et al.", "Is Model Collapse Inevitable? Breaking the Curse "
                         "of Recursion by Accumulating Real and Synthetic Data", 2024),
    "2406.07515": _paper("Feng et al.", "Beyond Model Collapse: Scaling Up with Synthesized Data "
                         "Requires Verification", 2024),
    "2408.16333": _paper("Alemohammad et al.", "Self-Improving Diffusion Models with Synthetic "
                         "Data", 2024),
    "2410.12341": _paper("Gambetta et al.", "Learning by Surprise", 2024),
    "2410.16713": _paper("Kazdan et al.", "Collapse or Thrive?", 2024),
    "2412.14689": _paper("Zhu et al.", "How to Synthesize Text Data without Model Collapse?", 2024),
    "2502.15654": _paper("Drayson, Yilmaz, Lampos", "Machine-generated text detection prevents "
                         "language model collapse", 2025),
    "2502.18049": _paper("He, Xu, Cheng", "Golden Ratio Weighting Prevents Model Collapse", 2025),
    "2503.08117": _paper("Gao, Li", "Convergence Dynamics and Stabilization Strategies of "
                         "Co-Evolving Generative Models", 2025),
    "2509.08972": _paper("Shabgahi et al.", "ForTIFAI: Fending Off Recursive Training Induced "
                         "Failure for AI Models", 2025),
    "2509.16499": _paper("Shi et al.", "A Closer Look at Model Collapse: From a "
                         "Generalization-to-Memorization Perspective", 2025),
    "2510.03597": _paper("Alemohammad et al.", "Neon: Negative Extrapolation From Self-Training "
                         "Improves Image Generation", 2025),
    "2510.08123": _paper("Rezaei et al.", "High-dimensional Analysis of Synthetic Data Selection",
                         2025),
    "2511.12742": _paper("Cai et al.", "Stabilizing Self-Consuming Diffusion Models with Latent "
                         "Space Filtering", 2025),
    "2512.14879": _paper("Chen", "Entropy-Reservoir Bregman Projection", 2025),
    "2601.15468": _paper("Amin, Bie, Kong, Syed, Vassilvitskii", "Learning from Synthetic Data: "
                         "Limitations of ERM", 2026),
    "2605.14588": _paper("Zhang", "Silent Collapse in Recursive Learning Systems", 2026),
    "10.1038/s41586-024-08025-4": _paper("Dathathri et al.", "Scalable watermarking for "
                                         "identifying large language model outputs", 2024),
}  # fmt: skip
ARXIV = re.compile(r"https?://arxiv\.org/abs/(\d{4}\.\d{4,5})(?:v\d+)?", re.ASCII)
DOI = re.compile(r"https?://(?:dx\.)?doi\.org/(10\.[\w./()-]+)", re.ASCII)
SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
           "^": r"\textasciicircum{}"} | {c: f"\\{c}" for c in "%$&#_"}  # fmt: skip


def make_bibtex(entries: Iterable[Entry]) -> str:
    """The benchmark itself, and the papers that the cards of these entries name, each once.

    Methods without a paper, and what is not known of one, are said in comments.
    """
    by_link: dict[str, list[Entry]] = {}
    without = []
    for entry in entries:
        link = entry.card.paper if entry.card else None
        if link:
            by_link.setdefault(link, []).append(entry)
        elif not entry.reference:
            without.append(clean_line(entry.name, 70))
    parts = [_write_benchmark()]
    taken: set[str] = set()
    for link, of in by_link.items():
        parts.append(_write_paper(link, of, taken))
    if without:
        parts.append(f"% No paper is named by: {', '.join(without)}.")
    return "\n\n".join(parts) + "\n"


def _write_benchmark() -> str:
    fields = {
        "title": "{Autophagy Bench}: a benchmark of strategies that mitigate model collapse",
        "author": "{The Autophagy Bench maintainers}",
        "year": "2026",
        "version": __version__,
    }
    return _write("software", "autophagy_bench", fields)


def _write_paper(link: str, entries: Sequence[Entry], taken: set[str]) -> str:
    names = ", ".join(clean_line(entry.name, 70) for entry in entries)
    arxiv, doi = ARXIV.fullmatch(link), DOI.fullmatch(link)
    found = arxiv or doi
    paper = PAPERS.get(found[1]) if found else None
    fields = {}
    if paper is not None:
        authors = " and ".join((*paper.authors, *(["others"] if paper.more else [])))
        fields = {"title": f"{{{paper.title}}}", "author": authors, "year": str(paper.year)}
    if arxiv:
        fields |= {"eprint": arxiv[1], "archivePrefix": "arXiv"}
    elif doi:
        fields |= {"doi": doi[1]}
    fields |= {"url": _escape_url(link)}
    lines = [f"% Method of the benchmark: {names}."]
    if paper is None:
        lines.append("% Authors and title are not known here: see the link.")
    return "\n".join([*lines, _write("misc", _choose_key(paper, entries[0], taken), fields)])


def _choose_key(paper: Paper | None, entry: Entry, taken: set[str]) -> str:
    """Such as "shi2025closer", or by the method where the paper is not known."""
    base = re.sub(r"[^a-z0-9_]", "", entry.name.casefold())[:40] or "method"
    if paper is not None:
        words = re.findall("[a-z0-9]+", paper.title.casefold())
        word = next((w for w in words if w not in ("a", "an", "the", "is", "on")), "")
        base = f"{paper.authors[0].casefold()}{paper.year}{word}"
    key, n = base, 2
    while key in taken:
        key, n = f"{base}{n}", n + 1
    taken.add(key)
    return key


def _write(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}}}"


def _escape_url(link: str) -> str:
    """A link that a card gave, which may hold what ends a field."""
    return "".join(SPECIAL.get(c, c) if c in "\\{}%" else c for c in link)
