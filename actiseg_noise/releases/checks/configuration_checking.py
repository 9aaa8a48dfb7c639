"""Compare the kit, the archive and the tables of one configuration of a release."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, MASKS
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_noise.kits.kit_checking import find_kit_differences
from actiseg_noise.kits.kit_reading import read_kit
from actiseg_noise.kits.kit_record import KITS, RebuildKit
from actiseg_noise.media.registry import list_media
from actiseg_noise.media.self_check import compare_documents, open_documents
from actiseg_noise.releases.checks.archive_checking import ArchiveCheck, FindTraces, check_archive
from actiseg_noise.releases.checks.licence_checking import find_archive_licence_faults
from actiseg_noise.releases.checks.row_checking import ListedRows, check_rows
from actiseg_noise.releases.checks.statement_checking import find_statistics_faults
from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import Configuration
from actiseg_noise.releases.contents.release_note import ReleaseNote
from actiseg_noise.releases.data_files.release_rows import RowSource
from actiseg_noise.releases.data_files.row_planning import plan_rows
from actiseg_noise.releases.metadata.release_statistics import (
    list_configuration_statistics,
    render_statistics,
)
from actiseg_noise.split.noisy_split import open_noisy_split, read_carried_differences
from actiseg_noise.split.split_archive import ARCHIVES


def check_configuration(
    release: Path,
    note: ReleaseNote,
    name: str,
    find_traces: FindTraces,
) -> Iterator[str]:
    """Compare the kit, the archive, the Parquet files and the statistics of a configuration.

    The documents and lists of the archive are unpacked into a temporary folder.

    Parameters
    ----------
    release : Path
        The release.
    note : ReleaseNote
        Its note.
    name : str
        The configuration.
    find_traces : callable
        Finds what a published text must not have.

    Yields
    ------
    str
        One line for each fault.

    Raises
    ------
    InputError
        If a part cannot be read, so that the others cannot be compared with it.
    """
    kit = read_kit(release / KITS / f"{name}.json")
    if kit.name != name:
        yield f"{KITS}/{name}.json: is the kit of {kit.name}"
    if note.data == "none":
        return
    archive = f"{ARCHIVES}/{name}.tar"
    with tempfile.TemporaryDirectory() as place:
        unpacked = Path(place, name)
        check = check_archive(release / archive, find_traces, unpacked)
        yield from (f"{archive}: {line}" for line in check.mismatches)
        if check.frames and note.frames_licence is None:
            yield f"{archive}: has photographs ({FRAMES}) without a licence of their own"
        try:
            yield from _check_unpacked(release, note, kit, unpacked, check)
        except InputError as error:  # its places are in the temporary folder
            for problem in error.problems:
                where = problem.where.replace(str(unpacked), "").lstrip("/\\")
                yield f"{archive}: {where}: {problem.what}".replace(str(unpacked), archive)


def _check_unpacked(
    release: Path,
    note: ReleaseNote,
    kit: RebuildKit,
    folder: Path,
    check: ArchiveCheck,
) -> Iterator[str]:
    """Compare the documents of an archive with one another, with the kit and with the tables."""
    name = folder.name
    documents = open_documents(folder)
    obstacles = (medium.find_obstacle(folder) for medium in list_media(documents.recipe))
    lines = [*compare_documents(folder, documents), *filter(None, obstacles)]
    if documents.summary.get("recipe_digest") != documents.recipe.digest:
        lines.append("summary.json: recipe_digest is not that of recipe.json")
    lines += find_archive_licence_faults(folder, documents, release)
    yield from (f"{ARCHIVES}/{name}.tar: {line}" for line in lines)
    if kit.name == name:
        differences = find_kit_differences(kit, folder, documents)
        yield from (f"{KITS}/{name}.json: {line}" for line in differences)
    carried = read_carried_differences(folder)
    configuration = Configuration(
        name,
        open_noisy_split(folder),
        documents,
        origin=None if carried is None else flatten_text(carried.origin),
    )
    statistics = render_statistics(list_configuration_statistics(configuration))
    yield from find_statistics_faults(release, name, statistics)
    lists = list_rows(configuration)
    yield from check_rows(release, name, lists, check, frames=note.data == "frames")


def list_rows(configuration: Configuration) -> list[ListedRows]:
    """List what the rows of a configuration must be, without its source."""
    documents, lists = configuration.documents, []
    noisy = configuration.split.recipe.split
    for part in documents.open_parts(configuration.folder):
        own = part.split.name == noisy
        rows = documents.mask_rows if own else []
        has_masks = MASKS in part.kinds
        lists.append(
            ListedRows(
                name=part.split.name,
                tasks=tuple(plan_rows(configuration, RowSource(part, None), frames=False)),
                ious={(row.sequence, row.frame, row.object_id): row.iou for row in rows},
                has_noise=own and has_masks and configuration.split.recipe.changes_masks,
                is_filled=isinstance(part.split, PolygonSplit),
            )
        )
    return lists
