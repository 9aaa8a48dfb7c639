"""Publish noisy splits as one release folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import check_choice, refuse
from actiseg_data.core.files import (
    PathLike,
    as_path,
    check_free,
    check_outside,
    new_folder,
    write_json,
)
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, start_workers
from actiseg_data.records.licence_terms import LicenceTerms, find_licence
from actiseg_noise.kits.kit_making import make_kit
from actiseg_noise.kits.kit_record import KITS
from actiseg_noise.releases.contents.checksums import describe_file, write_checksums
from actiseg_noise.releases.contents.configurations import (
    describe_source,
    has_frames,
    open_configurations,
    refuse_other_licences,
)
from actiseg_noise.releases.contents.description import make_description
from actiseg_noise.releases.contents.release_baselines import find_baselines
from actiseg_noise.releases.contents.release_contents import (
    DATA_CHOICES,
    ReleaseContents,
    ReleaseFile,
)
from actiseg_noise.releases.contents.release_history import describe_history, read_previous
from actiseg_noise.releases.contents.release_note import NOTE_FILE, make_note
from actiseg_noise.releases.data_files.archive import write_archive
from actiseg_noise.releases.data_files.parquet_shards import write_shards
from actiseg_noise.releases.metadata.release_documents import write_release_documents
from actiseg_noise.split.split_archive import ARCHIVES


@dataclass(frozen=True)
class Publication:
    """A release that was just made.

    Attributes
    ----------
    path : Path
        The release folder.
    contents : ReleaseContents
        What it has.
    """

    path: Path
    contents: ReleaseContents

    def __repr__(self) -> str:
        names = ", ".join(entry.name for entry in self.contents.configurations)
        return f"Publication({str(self.path)!r}, configurations={names})"


def publish(
    outs: PathLike | Iterable[PathLike],
    to: PathLike,
    *,
    data: str = "masks",
    license: str | None = None,
    source: PathLike | None = None,
    previous: PathLike | None = None,
    baselines: PathLike | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
    **description: Any,
) -> Publication:
    """Make a release of noisy splits of one dataset.

    The keyword arguments have the names of the flags of ``actiseg-noise publish``.

    Parameters
    ----------
    outs : str, Path, or iterable of these
        The noisy splits. Each becomes a configuration of the release.
    to : str or Path
        The release folder to make.
    data : str
        Besides the rebuild kits: ``masks`` as Parquet and as archives, ``frames`` for masks and
        photographs, or ``none``.
    license : str, optional
        SPDX identifier of the photographs' licence, for ``frames``.
    source : str or Path, optional
        The clean dataset. By default the one that the noisy splits name.
    previous : str or Path, optional
        The release of the version before, for the list of changes.
    baselines : str or Path, optional
        The ``report.json`` of ``actiseg-train bench``. The card shows the scores of methods that
        were trained on the labels of the release.
    workers : int
        Processes. The result does not depend on it.
    stage : StageProgress
        Shows progress.
    **description
        What no file says: `title`, `author`, `version`, `url`, `doi`, `maintenance` and `date`, see
        `actiseg_noise.releases.contents.description.make_description`.

    Returns
    -------
    Publication

    Raises
    ------
    InputError
        With everything that is wrong: files that changed since `corrupt` wrote them, splits of
        different sources, a source without a known licence, photographs without a licence, a
        report without a cell of these labels, a release folder that exists.

    Examples
    --------
    ::

        publish(["noisy_boundary", "noisy_text"], "release", title="Noisy cups",
                author="Josiah Carberry (0000-0002-1825-0097)")
    """
    given = [outs] if isinstance(outs, (str, os.PathLike)) else outs
    folders, release = [as_path(out, "outs") for out in given], as_path(to, "to")
    says = make_description(**description)
    check_choice(data, DATA_CHOICES, "data")
    frames_licence = _check_frames_licence(data, license)
    check_free(release, "to")
    check_outside(release, folders, "to")
    root = None if source is None else as_path(source, "source")
    before = None if previous is None else as_path(previous, "previous")
    report = None if baselines is None else as_path(baselines, "baselines")
    note = None if before is None else read_previous(before, says.version)
    with start_workers(workers, __name__) as members:
        configurations = open_configurations(folders, root, members, stage)
        clean = describe_source(configurations)
        refuse_other_licences(configurations)
        check_outside(release, [clean.root], "to")
        if data == "frames" and not has_frames(configurations):
            raise refuse("the source has no frames", "`data`", "give masks")
        scores = None if report is None else find_baselines(report, configurations)
        contents = ReleaseContents(
            says, clean, configurations, data, frames_licence, (), {}, scores
        )
        with new_folder(release, "to") as folder:
            files = _write_data(contents, folder, members, stage)
            if before is not None and note is not None:
                contents = replace(contents, changes=describe_history(before, note, folder))
            contents = write_release_documents(replace(contents, files=files), folder)
            write_json(folder / NOTE_FILE, make_note(contents).to_dict(), indent=1)
            write_checksums(folder, members)
    return Publication(release, contents)


def _check_frames_licence(data: str, identifier: str | None) -> LicenceTerms | None:
    """Return the licence of the photographs, or None if no photographs are published."""
    if data != "frames":
        if identifier is not None:
            raise refuse("has no effect without photographs", "`license`", "leave it out")
        return None
    if identifier is None:
        hint = "give the SPDX identifier of their licence, such as CC-BY-NC-4.0, as `license`"
        raise refuse("photographs need a licence of their own", "`data`", hint)
    return find_licence(identifier, "`license`")


def _write_data(
    contents: ReleaseContents, folder: Path, workers: int | WorkerPool, stage: StageProgress
) -> tuple[ReleaseFile, ...]:
    """Write kits, Parquet files and archives; return them."""
    frames, files = contents.data == "frames", []
    for configuration in contents.configurations:
        name, split = configuration.name, configuration.split.recipe.split
        kit = make_kit(
            name, configuration.split, configuration.documents, configuration.clean_digests
        )
        file = f"{KITS}/{name}.json"
        write_json(folder / file, kit.to_dict(), indent=1)
        files.append(describe_file(folder, file, "kit", name, split))
        if contents.data == "none":
            continue
        files += write_shards(configuration, folder, frames=frames, workers=workers, stage=stage)
        file = f"{ARCHIVES}/{name}.tar"
        with stage(f"writing the archive of {name}"):
            write_archive(configuration.folder, folder / file, frames=frames)
        files.append(describe_file(folder, file, "archive", name, split))
    return tuple(files)
