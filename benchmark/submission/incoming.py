"""What a pull request on the results dataset brings: told from its paths, then read, not believed.

Files under trust/ and verified/ are never fetched: only maintainers say how far an entry is
trusted, from their own folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from benchmark.basics.errors import AutophagyError, InputError
from benchmark.basics.plain import clean_line
from benchmark.hub.queue import Changes, Say, UnfitRequest, fetch_revision
from benchmark.interface.names import NAME, REFERENCES
from benchmark.results.gallery import LARGEST as LARGEST_GALLERY
from benchmark.results.gallery import load_gallery
from benchmark.results.references import find_references
from benchmark.results.schema import LARGEST, Result
from benchmark.results.standings import score_result
from benchmark.submission.checks import read_submission
from benchmark.submission.claim import check_belongs, read_claim
from benchmark.submission.folder import LARGEST as LARGEST_OF_FOLDER
from benchmark.submission.trust import FINDING
from benchmark.submission.upload import name_samples
from benchmark.tasks.suites import load_suite

MOST = 8_000_000_000  # bytes of all samples and models
OF_ENTRY = re.compile(
    rf"(?:submissions|(?:results|references|gallery|samples)/{NAME})/({NAME})(?:\.json$|/)"
)
RESULT = re.compile(rf"results/({NAME})/({NAME})\.json")


@dataclass(frozen=True)
class Brought:
    """One entry in a pull request.

    Attributes:
        read: what is looked at first: the submission, its result, its gallery, references of its
            own.
        samples: what the result is recomputed from.
        ignored: findings, which only maintainers may write.
        namesakes: suites on which the dataset has a result of this name already.
        replaced: files of the entry of this name that the dataset has and this changes.
    """

    suite: str
    name: str
    revision: str
    read: tuple[str, ...]
    samples: tuple[str, ...]
    ignored: tuple[str, ...]
    namesakes: tuple[str, ...]
    replaced: tuple[str, ...]

    @property
    def title(self) -> str:
        """Such as "anchor on small"."""
        return f"{self.name} on {self.suite}"

    @property
    def taken(self) -> str:
        """What becomes of the entry of this name that the dataset has; "" where it has none."""
        if not self.namesakes and not self.replaced:
            return ""
        where = f" on {', '.join(self.namesakes)}" if self.namesakes else ""
        said = f"the dataset has an entry {self.name!r}{where} already"
        if self.replaced:
            said += f", of which this replaces {', '.join(self.replaced)}"
        others = [suite for suite in self.namesakes if suite != self.suite]
        if others and f"submissions/{self.name}/method.py" in self.replaced:
            said += f"; its results on {', '.join(others)}, of another method.py, are then refused"
        return said

    def find_size(self, changes: Changes) -> int:
        """Bytes of all that is fetched of it."""
        return sum(changes.there[path] for path in (*self.read, *self.samples))

    def result_in(self, folder: Path) -> Path:
        """Where its result lies once it was fetched."""
        return folder / "results" / self.suite / f"{self.name}.json"

    def submission_in(self, folder: Path) -> Path:
        """Where its method and card lie."""
        return folder / "submissions" / self.name

    def samples_in(self, folder: Path) -> Path:
        """Where its samples and models lie."""
        return folder / "samples" / self.suite / self.name


def find_brought(changes: Changes) -> Brought:
    """The one entry that the pull request brings, told from its paths alone.

    Raises:
        UnfitRequest: it brings none or several, lacks a file, touches what is not its own, is too
            large, or cannot be merged.
    """
    found = [match for path in changes.changed if (match := RESULT.fullmatch(path))]
    found = [match for match in found if match.group(0) in changes.there]
    if withdrawn := find_withdrawn(changes):
        raise UnfitRequest(
            f"it withdraws {withdrawn}: merge it if the account that sent the entry asks for it"
        )
    if len(found) != 1:
        some = f"{len(found)} results" if found else "no result"
        raise UnfitRequest(
            f"it brings {some}: a pull request brings results/SUITE/NAME.json of one entry, as "
            f"autophagy submit sends it"
        )
    suite, name = found[0].groups()
    of_folder = {f"submissions/{name}/{file}": most for file, most in LARGEST_OF_FOLDER.items()}
    sent = {f"references/{suite}/{name}/{r}.json" for r in REFERENCES}
    read = of_folder | dict.fromkeys((found[0].group(0), *sorted(sent)), LARGEST)
    read |= {f"gallery/{suite}/{name}.json": LARGEST_GALLERY}
    samples = _name_samples(suite, name)
    own = {*read, *samples}
    ignored = tuple(path for path in changes.changed if FINDING.fullmatch(path))
    odd = [path for path in changes.changed if path not in own and path not in ignored]
    if odd:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        raise UnfitRequest(
            f"it touches {clean_line(odd[0], 100)}{more}, which is not of the entry {name!r}: send "
            f"the entry alone"
        )
    there = changes.there
    for path in of_folder:
        if path not in there:
            raise UnfitRequest(f"it has no {path}: send the whole submission")
    for path, most in read.items():
        if there.get(path, 0) > most:
            raise UnfitRequest(f"{path} has {there[path]:,} bytes, {most:,} are the most")
    size = sum(there[path] for path in samples if path in there)
    if size > MOST:
        raise UnfitRequest(f"its samples have {size:,} bytes, {MOST:,} are the most")
    if changes.clashing:
        raise UnfitRequest(
            f"it cannot be merged, as {clean_line(changes.clashing[0], 100)} was changed in the "
            f"dataset meanwhile: close it and send it again"
        )
    stored = filter(None, map(RESULT.fullmatch, sorted(changes.known)))
    return Brought(
        suite,
        name,
        changes.revision,
        tuple(path for path in read if path in there),
        tuple(path for path in sorted(samples) if path in there),
        ignored,
        tuple(match[1] for match in stored if match[2] == name),
        tuple(path for path in read if path in changes.changed and path in changes.known),
    )


def find_withdrawn(changes: Changes) -> str:
    """The name of the one entry that the pull request takes out of the dataset, "" if it does
    anything else."""
    names = {match[1] if (match := OF_ENTRY.match(path)) else "" for path in changes.changed}
    gone = all(path in changes.known and path not in changes.there for path in changes.changed)
    return names.pop() if gone and len(names) == 1 else ""


def fetch_brought(
    brought: Brought,
    repo: str,
    folder: Path,
    samples: bool,
    endpoint: str | None = None,
    say: Say = lambda text: None,
) -> None:
    """Put the entry into `folder`, laid out as in the dataset.

    Args:
        samples: with what it is recomputed from.

    Raises:
        UnfitRequest: it is gone.
        InputError: the Hub does not give it.
    """
    paths = brought.read + (brought.samples if samples else ())
    fetch_revision(repo, brought.revision, paths, folder, endpoint, say)


def read_brought(brought: Brought, folder: Path) -> Result:
    """The result of the entry in `folder`, which belongs to the submission; nothing is run.

    Raises:
        UnfitRequest: it is not as a submission must be, cannot be scored, or the result was changed
            after the run.
    """
    file, where = brought.result_in(folder), brought.submission_in(folder)
    try:
        result = read_claim(file)
        submission, card, written = read_submission(where)
        check_belongs(result, file, submission, card, written.summary)
        score_result(result, *find_references(result, file, beside=False).values())
        gallery = folder / "gallery" / brought.suite / file.name
        if gallery.exists():
            load_gallery(gallery)
    except AutophagyError as error:
        raise UnfitRequest(str(error)) from error
    except Exception as error:  # whatever a stranger thought of: it costs this request, no more
        raise UnfitRequest(f"it cannot be read ({type(error).__name__}: {error})") from error
    return result


def _name_samples(suite: str, name: str) -> set[str]:
    """Every path that samples and models of the entry may have.

    Raises:
        UnfitRequest: there is no such suite.
    """
    try:
        chosen, base = load_suite(suite), f"samples/{suite}/{name}"
    except InputError as error:
        raise UnfitRequest(str(error)) from error
    return {
        f"{base}/{file}"
        for task in chosen.tasks
        for seed in chosen.seeds
        for t in range(task.generations + 1)
        for file in name_samples(task.name, seed, t)
    }
