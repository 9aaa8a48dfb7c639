"""Write all documents of a release into its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actiseg_data.core.files import encode_json, write_bytes
from actiseg_data.records.baseline_record import BASELINES_FILE
from actiseg_noise.releases.contents.checksums import describe_file
from actiseg_noise.releases.contents.release_contents import ReleaseContents, ReleaseFile
from actiseg_noise.releases.metadata.card import CARD_FILE, compose_card
from actiseg_noise.releases.metadata.citation import (
    BIBTEX_FILE,
    CFF_FILE,
    compose_bibtex,
    compose_cff,
)
from actiseg_noise.releases.metadata.croissant import CROISSANT_FILE, describe_in_croissant
from actiseg_noise.releases.metadata.datasheet import DATASHEET_FILE, compose_datasheet
from actiseg_noise.releases.metadata.example_sheets import PLOT_FILE, write_examples
from actiseg_noise.releases.metadata.licence_files import compose_licence_files
from actiseg_noise.releases.metadata.release_facts import find_repeats
from actiseg_noise.releases.metadata.release_statistics import (
    STATISTICS_FILE,
    list_statistics,
    render_statistics,
)
from actiseg_noise.releases.metadata.statistics_plot import draw_statistics
from actiseg_noise.releases.metadata.zenodo import ZENODO_FILE, describe_for_zenodo


def write_release_documents(contents: ReleaseContents, folder: Path) -> ReleaseContents:
    """Write the documents of a release: card, Croissant, datasheet, statistics, licences and more.

    The checksums and the note of the release are written by the caller.

    Parameters
    ----------
    contents : ReleaseContents
        The release. Its files must be in the folder.
    folder : Path
        The release folder.

    Returns
    -------
    ReleaseContents
        With the statistics, pictures and baselines among its files.
    """
    files = (*contents.files, *_write_statistics(contents, folder))
    if contents.baselines is not None:
        data = encode_json(contents.baselines.to_dict(), indent=1)
        files = (*files, _write_file(folder, BASELINES_FILE, "document", data))
    contents = replace(contents, files=files)
    texts = {
        **compose_licence_files(contents),
        CFF_FILE: compose_cff(contents),
        BIBTEX_FILE: compose_bibtex(contents),
        CARD_FILE: compose_card(contents),
        DATASHEET_FILE: compose_datasheet(contents),
    }
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    documents = {
        ZENODO_FILE: describe_for_zenodo(contents),
        CROISSANT_FILE: describe_in_croissant(contents),
    }
    for name, document in documents.items():
        write_bytes(folder / name, encode_json(document, indent=2))
    return contents


def _write_statistics(contents: ReleaseContents, folder: Path) -> list[ReleaseFile]:
    """Write the table of statistics, its plot and the sheets of examples; return them.

    A release without data has no sheets of examples, because these show masks.
    """
    rows = list_statistics(contents)
    files = [_write_file(folder, STATISTICS_FILE, "table", render_statistics(rows).encode())]
    repeats = find_repeats(contents)
    plot = draw_statistics([r for r in rows if (r.configuration, r.medium) not in repeats])
    if plot is not None:
        files.append(_write_file(folder, PLOT_FILE, "picture", plot))
    if contents.data != "none":
        sheets = (
            write_examples(entry, folder)
            for entry in contents.configurations
            if (entry.name, "masks") not in repeats
        )
        files += [sheet for sheet in sheets if sheet is not None]
    return files


def _write_file(folder: Path, name: str, role: str, data: bytes) -> ReleaseFile:
    write_bytes(folder / name, data)
    return describe_file(folder, name, role)
