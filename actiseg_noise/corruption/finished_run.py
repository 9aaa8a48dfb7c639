"""Recognise a finished run that a repeated call would only make again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data import __version__
from actiseg_data.core.errors import InputError, Interruption
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise.corruption.corruption_result import Corruption
from actiseg_noise.corruption.split_plan import CorruptionPlan
from actiseg_noise.media.self_check import check_consistency, open_documents
from actiseg_noise.split.clean_parts import digest_sequence_files, summarise_digests
from actiseg_noise.split.partial_split import clear_work, discard_partial, read_unfinished_job


def describe_job(identity: dict[str, Any]) -> dict[str, Any]:
    """Describe what two runs must have in common for one to resume the other.

    The release is part of it, because the records of another release may differ.
    """
    return identity | {"toolkit": __version__}


def find_finished_run(
    out: Path,
    plan: CorruptionPlan,
    identity: dict[str, Any],
    workers: int | WorkerPool,
) -> Corruption | None:
    """Return an identical run at `out` whose files are consistent, or None."""
    try:
        summary = read_summary(out / SUMMARY_FILE)
        digests = read_digests(out / DIGESTS_FILE)
        same = identity.items() <= summary.items() and plan.image_sets.items() <= digests.items()
        if not same or not _is_consistent(out, workers):
            return None
        if not _has_same_source(plan, summary, digests, workers):
            return None
    except Interruption:
        raise
    except InputError:
        return None
    clear_work(out)
    if read_unfinished_job(out) == describe_job(identity):
        with suppress(InputError):  # a run that is still working there will find this one finished
            discard_partial(out)
    return Corruption(out, plan.recipe.digest, summary, made=False)


def _is_consistent(out: Path, workers: int | WorkerPool) -> bool:
    check = check_consistency(out, open_documents(out), workers=workers)
    return not check.lines and check.obstacle is None


def _has_same_source(
    plan: CorruptionPlan,
    summary: Mapping[str, Any],
    digests: Mapping[str, str],
    workers: int | WorkerPool,
) -> bool:
    """Return whether a finished run was made from the files that the source has now."""
    for number, part in enumerate(plan.parts):
        results = run_parallel(digest_sequence_files, part, part.sequences, workers)
        folders = (sequence.folder for sequence in part.sequences)
        by_folder = dict(zip(folders, results, strict=True))
        if number == 0 and plan.file_plan is not None:
            if not summarise_digests(by_folder).items() <= summary.items():
                return False
            continue
        for sequence in part.sequences:
            clean = chain.from_iterable(by_folder[sequence.folder].values())
            copies = zip(part.list_names(sequence), clean, strict=True)
            if any(digests.get(name) != digest for name, digest in copies):
                return False
    return True
