"""Check the files of a split, and decide what the copy will have."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LabelRow, TextRow
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.media.medium import FilePlan, MediumPlan
from actiseg_noise.media.registry import list_media
from actiseg_noise.split.clean_parts import CleanPart, make_part
from actiseg_noise.split.list_documents import ListDocuments
from actiseg_noise.split.noise_inputs import INSTALLED, NoiseInputs


@dataclass(frozen=True)
class CopySource:
    """The part of a clean dataset that goes into a noisy copy, and the recipe for it.

    Attributes
    ----------
    split : Split
        The clean split.
    recipe : Recipe
        The checked recipe.
    sequences : tuple of VideoSequence
        The sequences of the split that get noise.
    clean : tuple of Split
        Lists of the same root that are added without noise.
    weights : bool
        Whether training weights go into the copy, if the source has them.
    inputs : NoiseInputs
        What the noise depends on besides the recipe and the clean split.
    """

    split: Split
    recipe: Recipe
    sequences: tuple[VideoSequence, ...]
    clean: tuple[Split, ...] = ()
    weights: bool = True
    inputs: NoiseInputs = INSTALLED

    def make_parts(self) -> tuple[CleanPart, ...]:
        """Collect what goes into the copy, each sequence once; see `CorruptionPlan.parts`."""
        parts = [make_part(self.split, self.sequences, weights=self.weights)]
        taken: set[str] = set()
        for clean in self.clean:
            part = make_part(clean, clean.sequences, weights=self.weights)
            new = tuple(sequence for sequence in part.sequences if sequence.folder not in taken)
            taken |= {sequence.folder for sequence in new}
            parts.append(replace(part, sequences=new))
        return tuple(parts)


@dataclass(frozen=True)
class CorruptionPlan:
    """What a recipe will change in a split.

    Attributes
    ----------
    source : CopySource
        What goes into the copy, and the recipe.
    parts : tuple of CleanPart
        The sequences that get noise, in list order, and then those of each clean list that no
        earlier part has.
    media : tuple of MediumPlan
        The plan of each noise of the recipe.
    documents : mapping of str to bytes
        The lists and companion files that noise rewrites, by file name.
    image_sets : dict of str to str
        Digests of the lists and companion files as they will be written, by relative path.
    verbatim : frozenset of str
        The names of those that are copied byte for byte.
    list_stamps : dict of str to int
        `stamp_file` of every list that the result depends on, by relative path.
    file_stamps : dict
        The same for masks and weights, by number of the part and sequence folder. An exact recipe
        depends on the whole split.
    """

    source: CopySource
    parts: tuple[CleanPart, ...]
    media: tuple[MediumPlan, ...]
    documents: Mapping[str, bytes]
    image_sets: dict[str, str]
    verbatim: frozenset[str]
    list_stamps: dict[str, int]
    file_stamps: dict[tuple[int, str], tuple[int, ...]]

    @property
    def split(self) -> Split:
        """The clean split that noise is made from."""
        return self.source.split

    @property
    def sequences(self) -> tuple[VideoSequence, ...]:
        """The sequences that get noise."""
        return self.source.sequences

    @property
    def recipe(self) -> Recipe:
        """The checked recipe."""
        return self.source.recipe

    @property
    def file_plan(self) -> FilePlan | None:
        """The plan that changes files, or None if all files are copied."""
        return _find_file_plan(self.media)

    @property
    def rows(self) -> dict[str, list[TextRow | LabelRow]]:
        """The ledger rows that are known before any file is written, by sequence folder."""
        rows: dict[str, list[TextRow | LabelRow]] = {}
        for plan in self.media:
            for folder, own in plan.rows.items():
                rows.setdefault(folder, []).extend(own)
        return rows

    @property
    def classes(self) -> dict[tuple[str, int], int]:
        """New categories in documents with masks, by sequence folder and object id."""
        return dict(chain.from_iterable(plan.classes.items() for plan in self.media))

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The thresholds of an exact recipe, which depend on the whole split; empty otherwise."""
        return dict(chain.from_iterable(plan.exact_thresholds.items() for plan in self.media))

    def list_changed_files(self) -> list[Path]:
        """List the lists, and the mask folders of the sequences, that changed since the plan."""
        root = self.split.root
        changed = [
            root / name
            for name, stamp in self.list_stamps.items()
            if stamp != stamp_file(root / name)
        ]
        for number, part in enumerate(self.parts):
            for sequence in part.split.sequences:
                stamps = self.file_stamps.get((number, sequence.folder))
                if stamps is not None and stamps != _stamp_sequence(part, sequence):
                    changed.append(part.split.find_masks(sequence)[0].parent)
        return changed


def make_plan(
    source: CopySource,
    workers: int | WorkerPool = 1,
    progress: ProgressCallback | None = None,
    *,
    survey: bool = True,
) -> CorruptionPlan:
    """Check the files of a run, and plan the noise of every medium.

    An exact recipe is planned over the whole split, so that a part of it gets the same noise as the
    whole.

    Parameters
    ----------
    source : CopySource
        What goes into the copy, and the recipe.
    workers : int or WorkerPool
        Processes.
    progress : Progress, optional
        Shows progress.
    survey : bool
        False decodes only the files that the plan depends on.

    Raises
    ------
    InputError
        With every faulty file.
    """
    split, sequences = source.split, source.sequences
    names = [name for opened in (split, *source.clean) for name in opened.list_documents()]
    list_stamps = {name: stamp_file(split.root / name) for name in names}
    media = tuple(
        medium.plan(split, sequences, source.inputs) for medium in list_media(source.recipe)
    )
    documents = ListDocuments(split, sequences)
    for plan in media:
        documents = plan.rewrite_documents(documents)
    parts = source.make_parts()
    file_plan = _find_file_plan(media)
    surveyor = file_plan if file_plan is not None and file_plan.needs_draws else None
    file_stamps: dict[tuple[int, str], tuple[int, ...]] = {}
    if survey or surveyor is not None:
        items = _list_surveyed(parts, whole_split=surveyor is not None)
        surveyed = run_parallel(_survey, (parts, surveyor), items, workers, progress)
        if surveyor is not None:
            drawn = surveyor.apply_draws(draw for _, draws in surveyed for draw in draws)
            media = tuple(drawn if plan is surveyor else plan for plan in media)
        for (number, sequence, _), (stamps, _) in zip(items, surveyed, strict=True):
            file_stamps[number, sequence.folder] = stamps
    file_plan = _find_file_plan(media)
    if file_plan is not None:
        source = replace(source, sequences=file_plan.extend_sequences(sequences))
        parts = source.make_parts()
    image_sets, verbatim = digest_image_sets(split, source.sequences, documents.digests)
    for clean in source.clean:
        digests, whole = digest_image_sets(clean, clean.sequences, {})
        image_sets |= digests
        verbatim |= whole
    return CorruptionPlan(
        source=source,
        parts=parts,
        media=media,
        documents=documents.contents,
        image_sets=image_sets,
        verbatim=verbatim,
        list_stamps=list_stamps,
        file_stamps=file_stamps,
    )


def _find_file_plan(media: Sequence[MediumPlan]) -> FilePlan | None:
    return next((plan for plan in media if isinstance(plan, FilePlan)), None)


def _list_surveyed(
    parts: tuple[CleanPart, ...], *, whole_split: bool
) -> list[tuple[int, VideoSequence, bool]]:
    """List the sequences to survey: the number of the part, the sequence, whether to check it.

    With `whole_split`, the first part includes the sequences that do not go into the copy. These
    are not checked.
    """
    copied = {sequence.folder for sequence in parts[0].sequences}
    return [
        (number, sequence, number > 0 or sequence.folder in copied)
        for number, part in enumerate(parts)
        for sequence in (part.split.sequences if number == 0 and whole_split else part.sequences)
        if part.kinds
    ]


def _survey(
    shared: tuple[tuple[CleanPart, ...], FilePlan | None], item: tuple[int, VideoSequence, bool]
) -> tuple[tuple[int, ...], array[float]]:
    """Check the files of one item of `_list_surveyed`.

    Returns the files' stamps, and the selection draws if a plan needs them. Raises `InputError`
    with every fault of the files.
    """
    parts, surveyor = shared
    number, sequence, is_checked = item
    part = parts[number]
    stamps = _stamp_sequence(part, sequence)
    if is_checked:
        part.check(sequence)
    if number == 0 and surveyor is not None:
        return stamps, surveyor.draw_selection(part.split, sequence)
    return stamps, array("d")


def stamp_file(path: Path) -> int:
    """Return a number that changes when a file is written to or replaced; 0 for a missing file.

    A change during a run is noticed without reading the file again.
    """
    try:
        status = path.stat()
    except OSError:
        return 0  # reading the file reports the reason
    values = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return hash(values)  # hashes of integers are equal in every process


def _stamp_sequence(part: CleanPart, sequence: VideoSequence) -> tuple[int, ...]:
    return tuple(
        stamp_file(path) for kind in part.kinds for path in part.list_paths(kind, sequence)
    )


def digest_image_sets(
    split: Split, sequences: Sequence[VideoSequence], rewritten: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """Digest the lists and companion files of some sequences.

    Parameters
    ----------
    split : Split
        The clean split.
    sequences : sequence of VideoSequence
        The sequences that the documents are cut to.
    rewritten : mapping of str to str
        Digests of the documents that noise rewrites, by relative path.

    Returns
    -------
    digests : dict of str to str
        By relative path.
    verbatim : frozenset of str
        The names of the documents that have exactly these sequences.

    Raises
    ------
    InputError
        For documents that are damaged or lack a sequence of the list.
    """
    problems = ProblemCollector()
    digests: dict[str, str] = {}
    verbatim: set[str] = set()
    for name in split.list_documents():
        with problems.collect():
            if name in rewritten:
                digests[name] = rewritten[name]
            else:
                document, whole = split.cut_document(name, sequences)
                digests[name] = digest_json(document)
                verbatim |= {name} if whole else set()
    problems.raise_if_any()
    return digests, frozenset(verbatim)
