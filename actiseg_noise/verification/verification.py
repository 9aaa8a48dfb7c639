"""Verify a noisy split, either by its digests or by reproducing it from the source."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.arguments import check_selection
from actiseg_data.core.errors import ProblemCollector, check_known
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.layouts.opening import open_source, open_split
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import refuse_noisy_source
from actiseg_noise.corruption.split_plan import CopySource
from actiseg_noise.media.registry import needs_masks
from actiseg_noise.media.self_check import check_consistency, open_documents
from actiseg_noise.split.consistency import find_clutter
from actiseg_noise.split.noise_inputs import read_noise_inputs
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.verification.reproduction import Reproduction


@dataclass(frozen=True)
class Verification:
    """The result of `verify`.

    Attributes
    ----------
    mismatches : tuple of str
        One line for each mismatch.
    counts : dict of str to int
        What was checked.
    clutter : tuple of str
        Files that desktops and archivers left in the folder. They are not mismatches.
    """

    mismatches: tuple[str, ...]
    counts: dict[str, int]
    clutter: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is no mismatch."""
        return not self.mismatches

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={count}" for name, count in self.counts.items())
        return f"Verification(ok={self.ok}, mismatches={len(self.mismatches)}, {counts})"

    def _repr_html_(self) -> str:
        shown = [f"mismatch: {line}" for line in self.mismatches[:20]]
        hidden = len(self.mismatches) - len(shown)
        lines = [repr(self), *shown, *([f"... and {hidden} more"] if hidden else [])]
        return "<br>".join(map(html.escape, lines))


def verify(
    out: PathLike,
    source: PathLike | None = None,
    only: str | Iterable[str] | None = None,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> Verification:
    """Verify a noisy split.

    Every file in ``digests.json`` must exist and decode to its digest. There must be exactly the
    masks, weights and lists that belong to the action lists. Recipe, summary, ledger, lists, text
    and a carried lexicon must agree.

    With the source, every mask, weight map, list, prompt, ledger row and count is reproduced from
    the clean data and compared. Pixels of objects without noise may have changed only where an
    object with noise took or left them. Copied files are compared with those of the source.

    A part of a split with an exact rate, which `actiseg_noise.rebuild` made, has the thresholds of
    the whole split. They are taken from its summary, and counted as given.

    Parameters
    ----------
    out : str or Path
        The noisy split.
    source : str or Path, optional
        The clean dataset. By default nothing is reproduced.
    only : str or iterable of str, optional
        Sequence folders to check, instead of all.
    workers : int or WorkerPool
        Processes.
    stage : StageProgress
        Shows progress.

    Returns
    -------
    Verification
        The mismatches, and what was checked.

    Raises
    ------
    InputError
        If `out` is not a noisy split, or if the source is faulty or noisy. Differences are
        mismatches, not errors.
    """
    out, source = as_path(out, "out"), None if source is None else as_path(source, "source")
    if source is not None:
        refuse_noisy_source(source)
    documents = open_documents(out)
    chosen = set(check_selection(only, "only") or ())
    hint = "give a folder name as in the noisy split's list"
    check_known(sorted(chosen), sorted(documents.folders), "noisy sequence", out, hint)
    check = check_consistency(out, documents, chosen, workers, stage)
    mismatches = list(check.lines)
    counts = Counter(files=check.n_files, ledger_rows=len(documents.rows))
    if check.files.respelled:
        counts["folders_respelled"] = len(check.files.respelled)
    if check.obstacle is not None:
        mismatches.append(check.obstacle)  # reproducing would give different noise
    elif source is not None:
        copied = _open_source(source, documents, out, with_clean=not chosen)
        reproduction = Reproduction(check.files, copied, documents, chosen or documents.folders)
        if copied.inputs.thresholds is not None:
            counts["thresholds_given"] = len(copied.inputs.thresholds)
        result = reproduction.compare(workers, stage)
        mismatches += result.lines
        counts += result.counts
    clutter = tuple(find_clutter(out))
    return Verification(tuple(dict.fromkeys(mismatches)), dict(counts), clutter)


def _open_source(
    source: Path, documents: SplitDocuments, out: Path, *, with_clean: bool
) -> CopySource:
    """Open what the noisy split was made from, as far as the source still has it."""
    recipe = documents.recipe
    split = open_source(source, out, recipe.split, masks=needs_masks(recipe))
    clean = _open_clean_lists(source, documents) if with_clean else ()
    sequences = tuple(seq for seq in split.sequences if seq.folder in documents.folders)
    inputs = read_noise_inputs(out, documents.given_thresholds)
    return CopySource(split, recipe, sequences, clean, inputs=inputs)


def _open_clean_lists(source: Path, documents: SplitDocuments) -> tuple[Split, ...]:
    """Open the source's lists that were added to the noisy split."""
    problems = ProblemCollector()
    opened = []
    for name, kinds in documents.clean.items():
        with problems.collect():
            opened.append(open_split(source, name, masks=MASKS in kinds))
    problems.raise_if_any()
    return tuple(opened)
