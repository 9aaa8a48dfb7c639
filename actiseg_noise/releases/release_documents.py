"""Write the documents of a release: card, datasheet, Croissant, citations, licences, statistics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actiseg_data.core.files import write_bytes
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.releases.card import CARD_FILE, compose_card
from actiseg_noise.releases.checksums import digest_file
from actiseg_noise.releases.citation import (
    BIBTEX_FILE,
    CFF_FILE,
    ZENODO_FILE,
    compose_bibtex,
    compose_cff,
    compose_zenodo,
)
from actiseg_noise.releases.croissant import CROISSANT_FILE, compose_croissant
from actiseg_noise.releases.datasheet import DATASHEET_FILE, compose_datasheet
from actiseg_noise.releases.iou_plot import PLOT_FILE, draw_iou_plot
from actiseg_noise.releases.release_contents import ReleaseContents, ReleaseFile
from actiseg_noise.releases.release_statistics import (
    STATISTICS_FILE,
    list_statistics,
    render_statistics,
)

LICENCES = "licences"
"""The folder of the full texts of the licences in a release."""

_COMPOSERS = {
    CARD_FILE: compose_card,
    CROISSANT_FILE: compose_croissant,
    DATASHEET_FILE: compose_datasheet,
    CFF_FILE: compose_cff,
    BIBTEX_FILE: compose_bibtex,
    ZENODO_FILE: compose_zenodo,
}
"""Each document, and the function that composes it."""


def write_release_documents(contents: ReleaseContents, folder: Path) -> ReleaseContents:
    """Write all documents of a release that derive from its contents.

    Parameters
    ----------
    contents : ReleaseContents
        The contents, with the kits, Parquet files and archives as files.
    folder : Path
        The release folder.

    Returns
    -------
    ReleaseContents
        The contents, with statistics and plot as further files.
    """
    rows = [row for entry in contents.configurations for row in list_statistics(entry)]
    added = {STATISTICS_FILE: ("table", render_statistics(rows).encode())}
    plot = draw_iou_plot(rows)
    if plot is not None:
        added[PLOT_FILE] = ("picture", plot)
    files = list(contents.files)
    for name, (role, data) in added.items():
        write_bytes(folder / name, data)
        files.append(_describe_file(folder, name, role))
    contents = replace(contents, files=tuple(files))
    for name, compose in _COMPOSERS.items():
        write_bytes(folder / name, compose(contents).encode())
    _write_licence_files(contents, folder)
    return contents


def _write_licence_files(contents: ReleaseContents, folder: Path) -> None:
    """Write the source's licence, a notice of all changes, and the full texts."""
    write_bytes(folder / LICENSE_FILE, contents.source.license_text.encode())
    notice = contents.source.notice_text
    for entry in contents.configurations:
        changed = (entry.folder / NOTICE_FILE).read_text("utf-8").removeprefix(notice).strip()
        notice += f"\n{entry.name}:\n{changed}\n"
    if contents.frames_licence is not None:
        notice += f"\nThe frames are under {contents.frames_licence.identifier}.\n"
    write_bytes(folder / NOTICE_FILE, notice.encode())
    for terms in contents.licences:
        if terms.text is not None:
            write_bytes(folder / LICENCES / f"{terms.identifier}.txt", terms.text.encode())


def _describe_file(folder: Path, name: str, role: str) -> ReleaseFile:
    path = folder / name
    return ReleaseFile(name, role, None, None, path.stat().st_size, digest_file(path))
