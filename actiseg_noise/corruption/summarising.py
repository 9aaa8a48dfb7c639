"""Build ``summary.json``: realised rates, IoU quantiles, and counts of special cases."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from actiseg_data import __version__
from actiseg_data.layouts.action_lists import ACTIONVOS
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_data.records.split_documents import SUMMARY_SCHEMA
from actiseg_noise.corruption.request import CorruptionRequest
from actiseg_noise.corruption.split_plan import CorruptionPlan
from actiseg_noise.media.registry import list_media
from actiseg_noise.split.clean_parts import CleanPart, summarise_digests
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.split.noisy_documents import COPIED, DERIVED, GIVEN_THRESHOLDS


def describe_identity(request: CorruptionRequest, plan: CorruptionPlan) -> dict[str, Any]:
    """Describe what two runs have in common if they make the same folder from the same files."""
    with_weights = request.source.weights
    return {
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": plan.split.fingerprint,
        "images": request.images_taken,
        **_describe_files(
            plan.parts[0], COPIED if plan.file_plan is None else DERIVED, with_weights
        ),
        "with_clean": {
            part.split.name: {
                "dataset_fingerprint": part.split.fingerprint,
                **_describe_files(part, COPIED, with_weights),
            }
            for part in plan.parts[1:]
        },
        **plan.exact_thresholds,
        **({} if request.source.inputs.thresholds is None else {GIVEN_THRESHOLDS: True}),
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def _describe_files(part: CleanPart, how: str, with_weights: bool) -> dict[str, str]:
    """Describe how masks and weights of a part get into the copy, or why they do not.

    `how` is `DERIVED` or `COPIED`.
    """
    absent = "the source has no weights" if with_weights else "left out, as asked"
    return {
        "masks": how if MASKS in part.kinds else "none: the source has no masks",
        "weights": how if WEIGHTS in part.kinds else f"none: {absent}",
    }


def summarise(
    request: CorruptionRequest, plan: CorruptionPlan, records: Iterable[SequenceRecord]
) -> dict[str, Any]:
    """Summarise a run, without its identity and its duration.

    Parameters
    ----------
    request : CorruptionRequest
        The run.
    plan : CorruptionPlan
        Its plan.
    records : iterable of SequenceRecord
        The records of the sequences of all parts, in order. They are consumed one at a time.
    """
    sections = [medium_plan.start_section() for medium_plan in plan.media]
    noisy = {sequence.folder for sequence in plan.sequences}
    clean_digests: dict[str, dict[str, list[str]]] = {}
    for record in records:
        for section in sections:
            section.add(record)
        if record.folder in noisy:
            clean_digests[record.folder] = record.clean_digests
    summary: dict[str, Any] = {
        "schema": SUMMARY_SCHEMA,
        "source": request.source_name or _compute_relative_path(plan.split.root, request.out),
        "split": plan.split.name,
        "frames": sum(len(sequence.frames) for sequence in plan.sequences),
        "rendered_frames": has_rendered_frames(plan.split.root),
        **summarise_digests(clean_digests),
    }
    handled = _count_handled(plan)
    versions: dict[str, str] = {}
    for section in sections:
        for name, member in section.build_members().items():
            summary[name] = {**summary.get(name, {}), **member}
        handled |= section.count_handled()
    for medium in list_media(plan.recipe):
        versions |= medium.list_versions()
    for medium_plan in plan.media:
        versions |= medium_plan.list_versions()
    return summary | {
        "handled": handled,
        "toolkit": f"actiseg {__version__}",
        "versions": versions,
    }


def _count_handled(plan: CorruptionPlan) -> dict[str, int]:
    """Count special cases of the list, which do not depend on the noise."""
    if plan.split.layout != ACTIONVOS.key:
        return {
            "sequences_without_object": sum(not seq.objects for seq in plan.sequences),
            "sequences_numbered_unevenly": sum(
                is_numbered_unevenly(sequence.frames) for sequence in plan.sequences
            ),
            **dict(sorted(_count_in_documents(plan).items())),
        }
    return {
        "sequences_without_active_object": sum(
            not any(label.positive for label in sequence.objects) for sequence in plan.sequences
        ),
        "names_with_colon": sum(":" in sequence.folder for sequence in plan.sequences),
        "companion_files_missing": sum(
            f"{IMAGE_SETS}/{name}" not in plan.image_sets
            for name in name_image_sets_files(plan.split.name)
        ),
    }


def is_numbered_unevenly(frames: Sequence[str]) -> bool:
    """Return whether frames are numbers whose steps differ.

    Names that are more than a number are not compared.

    >>> [is_numbered_unevenly(frames) for frames in (("00", "05", "10"), ("00", "05", "15"))]
    [False, True]
    >>> is_numbered_unevenly(("left", "right", "middle"))
    False
    """
    if not all(name.isascii() and name.isdecimal() for name in frames):
        return False
    numbers = sorted(map(int, frames))
    return len({after - before for before, after in itertools.pairwise(numbers)}) > 1


def _count_in_documents(plan: CorruptionPlan) -> Counter[str]:
    """Count what takes no noise in the whole documents that the sequences are in."""
    if not isinstance(plan.split, DocumentSplit):
        return Counter()
    names = {str(sequence.document) for sequence in plan.sequences}
    return sum((Counter(plan.split.tallies.get(name, {})) for name in names), Counter())


def _compute_relative_path(source: Path, out: Path) -> str:
    """Return the path of the source, relative to the output folder."""
    try:
        return Path(os.path.relpath(source.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.name
