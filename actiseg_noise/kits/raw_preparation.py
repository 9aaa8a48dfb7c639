"""Prepare the clean dataset of a rebuild kit from raw VISOR files, found by their names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes, record_digests
from actiseg_data.core.files import PathLike
from actiseg_data.core.listing import is_clutter
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress
from actiseg_data.layouts.actionvos import SUBSETS
from actiseg_data.make.prepare.preparation import prepare_visor
from actiseg_data.make.prepare.preparation_report import PrepareReport
from actiseg_data.make.prepare.raw_inputs import RawInput, name_raw_file
from actiseg_noise.kits.kit_record import RebuildKit

_SHARED = ("frame_mapping", "noun_classes", "hos_corrections")
"""Roles of files that decide the labels of every sequence, so that none may be missing."""


@dataclass(frozen=True)
class RawFinding:
    """How the raw files that a dataset was prepared from compare with those of a kit.

    Attributes
    ----------
    changed : tuple of RawInput
        Files of the kit that have another content here.
    absent : tuple of RawInput
        Files of the kit that are not here.
    """

    changed: tuple[RawInput, ...] = ()
    absent: tuple[RawInput, ...] = ()

    def find_suspect(self, video: str) -> RawInput | None:
        """Return the changed file that a sequence of a video depends on; its own annotations first.

        None if no such file changed.
        """
        own = [raw for raw in self.changed if raw.name.partition(".")[0] == video]
        shared = [raw for raw in self.changed if raw.role != "annotations"]
        return next(iter([*own, *shared]), None)


@dataclass(frozen=True)
class _PreparedSplit:
    """One split to prepare: the files of the kit, and where they were found."""

    split: str
    inputs: tuple[RawInput, ...]
    paths: dict[RawInput, Path]
    required: bool

    def find_paths(self, role: str) -> list[Path]:
        """Return the files of a role that are here, in the order of the kit."""
        return [self.paths[raw] for raw in self.inputs if raw.role == role and raw in self.paths]


def prepare_from_raw(
    kit: RebuildKit, visor: Sequence[Path], root: Path, workers: int, stage: StageProgress
) -> RawFinding:
    """Prepare what a kit needs of VISOR into a new root.

    The files are found by their names, packed or not, anywhere below the given folders. If several
    have one name, one with the published content is taken. A file with another content is used,
    and named in the result.

    Parameters
    ----------
    kit : RebuildKit
        The kit, which lists the raw files.
    visor : sequence of Path
        Folders with raw files.
    root : Path
        The folder to prepare into.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If the kit lists no raw file; with every shared file that is missing; if there is no
        annotation file or no table of narrations; or if the files are faulty.
    """
    if not kit.source.inputs:
        raise refuse(
            f"the kit of {kit.name!r} does not say which raw files its dataset was prepared from",
            "`visor`",
            "give the clean dataset as `source`",
        )
    paths = find_raw_files(kit.source.inputs, visor)
    jobs = [job for job in _divide(kit, paths) if job.required or job.find_paths("annotations")]
    problems = ProblemCollector()
    for job in jobs:
        _find_missing(kit, job, problems)
    problems.raise_if_any()
    changed: list[RawInput] = []
    for job in jobs:
        with stage(f"preparing {job.split} from the raw files") as progress:
            report = _prepare(job, root, workers, progress)
        published = {(raw.split, raw.role, raw.name): raw for raw in job.inputs}
        for raw in report.inputs:  # the content that was read, not what is on disk by now
            known = published.get((raw.split, raw.role, raw.name))
            if known is not None and known != raw:
                changed.append(known)
    absent = tuple(raw for raw in kit.source.inputs if raw not in paths)
    return RawFinding(tuple(changed), absent)


def find_raw_files(inputs: Iterable[RawInput], visor: Sequence[Path]) -> dict[RawInput, Path]:
    """Find the raw files of a kit below some folders; those that are not there are left out."""
    by_name: dict[str, list[Path]] = {}
    for path in _iterate_files(visor):
        by_name.setdefault(name_raw_file(path), []).append(path)
    return {raw: _choose(raw, by_name[raw.name]) for raw in inputs if raw.name in by_name}


def _iterate_files(visor: Sequence[Path]) -> Iterable[Path]:
    """Yield all files below the folders, sorted, without clutter; a missing folder is refused."""
    problems = ProblemCollector()
    for folder in visor:
        if not folder.exists():
            problems.add("there is no such folder", folder, "check the path")
    problems.raise_if_any()
    for folder in visor:
        if folder.is_file():
            yield folder
        for parent, folders, names in os.walk(folder):
            folders[:] = sorted(name for name in folders if not is_clutter(name))
            yield from (Path(parent, name) for name in sorted(names) if not is_clutter(name))


def _choose(raw: RawInput, candidates: Sequence[Path]) -> Path:
    """Choose among files of one name: the published content, or else the first."""
    for path in candidates if len(candidates) > 1 else ():
        try:
            with record_digests() as digests:
                read_bytes(path)
        except InputError:
            continue  # if it is the only one left, prepare says what is wrong with it
        if digests[path] == raw.sha256:
            return path
    return candidates[0]


def _divide(kit: RebuildKit, paths: dict[RawInput, Path]) -> list[_PreparedSplit]:
    """Divide the raw files by the split that they are for.

    The split that gets noise is required; splits of clean lists are not.
    """
    jobs = []
    for split in SUBSETS:
        inputs = tuple(raw for raw in kit.source.inputs if raw.split == split)
        lists = {raw.name.removesuffix(".json") for raw in inputs if raw.role == "human_labels"}
        if inputs:
            required = kit.source.split in {split} | lists
            jobs.append(_PreparedSplit(split, inputs, paths, required))
    return jobs


def _find_missing(kit: RebuildKit, job: _PreparedSplit, problems: ProblemCollector) -> None:
    """Add a problem for every raw file that the split cannot do without."""
    lists = {f"{name}.json" for name in (kit.source.split, *kit.clean)}
    hint = "give a folder that has it as `visor`; `visor` can be repeated"
    for raw in job.inputs:
        needed = raw.role in _SHARED or (raw.role == "human_labels" and raw.name in lists)
        if needed and raw not in job.paths:
            problems.add(f"there is no {raw.name} ({raw.role})", "`visor`", hint)
    for role in ("annotations", "narrations"):
        names = [raw.name for raw in job.inputs if raw.role == role]
        if not job.find_paths(role):
            what = (
                f"there is none of the {count_nouns(len(names), 'file')} of {role}, such as "
                f"{names[:1]}"
            )
            problems.add(what.replace("['", "").replace("']", ""), "`visor`", hint)


def _prepare(job: _PreparedSplit, root: Path, workers: int, progress: Any) -> PrepareReport:
    corrections = job.find_paths("hos_corrections")
    return prepare_visor(
        annotations=job.find_paths("annotations"),
        split=job.split,
        frame_mapping=job.find_paths("frame_mapping")[0],
        narrations=job.find_paths("narrations"),
        noun_classes=job.find_paths("noun_classes")[0],
        out=root,
        human_labels=job.find_paths("human_labels"),
        hos_corrections=corrections[0] if corrections else None,
        workers=workers,
        progress=progress,
    )


def as_folders(visor: PathLike | Iterable[PathLike]) -> tuple[Path, ...]:
    """Convert one folder or several to a tuple of paths.

    >>> as_folders("visor")[0].name
    'visor'
    """
    if isinstance(visor, (str, os.PathLike)):
        return (Path(visor),)
    return tuple(Path(folder) for folder in visor)
