"""Compare what the documents of a release say with its note, and its files with one another."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from actiseg_data.core.errors import InputError
from actiseg_data.core.manifests import find_installed
from actiseg_data.records.baseline_record import BASELINES_FILE
from actiseg_data.records.licence_terms import identify_licences, join_licences, load_licences
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.kits.kit_record import KITS
from actiseg_noise.releases.contents.checksums import list_release_files
from actiseg_noise.releases.contents.description import Author
from actiseg_noise.releases.contents.escaping import escape_bibtex, flatten_text
from actiseg_noise.releases.contents.release_note import NOTE_FILE, ReleaseNote
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.releases.data_files.parquet_shards import DATA
from actiseg_noise.releases.metadata.card import CARD_FILE
from actiseg_noise.releases.metadata.citation import BIBTEX_FILE, CFF_FILE
from actiseg_noise.releases.metadata.croissant import CROISSANT_FILE
from actiseg_noise.releases.metadata.datasheet import DATASHEET_FILE
from actiseg_noise.releases.metadata.example_sheets import PICTURES, PLOT_FILE
from actiseg_noise.releases.metadata.licence_files import LICENCES, WORDNET_TEXT
from actiseg_noise.releases.metadata.release_statistics import STATISTICS_FILE
from actiseg_noise.releases.metadata.zenodo import ZENODO_FILE
from actiseg_noise.split.split_archive import ARCHIVES

_DOCUMENTS = (
    *(CARD_FILE, DATASHEET_FILE, CROISSANT_FILE, STATISTICS_FILE, CFF_FILE, BIBTEX_FILE),
    *(ZENODO_FILE, LICENSE_FILE, NOTICE_FILE, NOTE_FILE),
)
"""What every release has besides its checksums and its data."""


def find_foreign_files(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Find documents that a release lacks, and files and folders that do not belong to it.

    Parquet files are compared with the lists of their configuration elsewhere.
    """
    present = list_release_files(release)
    yield from (f"{name}: is missing" for name in _DOCUMENTS if name not in present)
    known = {*_DOCUMENTS, PLOT_FILE, WORDNET_TEXT, BASELINES_FILE}
    known |= {f"{LICENCES}/{name}.txt" for name in load_licences()}
    known |= {f"{KITS}/{name}.json" for name in note.configurations}
    data = () if note.data == "none" else note.configurations
    known |= {f"{ARCHIVES}/{name}.tar" for name in data}
    known |= {f"{PICTURES}/{name}.png" for name in data}
    shards = tuple(f"{DATA}/{name}/" for name in data)
    for name in present:
        is_shard = name.startswith(shards) and name.endswith(".parquet") and name.count("/") == 2
        if name not in known and not is_shard:
            yield f"{name}: does not belong to a release"
    filled = {parent for name in present for parent in Path(name).parents}
    for path in sorted(release.rglob("*")):
        folder = path.relative_to(release)
        if path.is_dir() and folder not in filled:
            yield f"{folder.as_posix()}: is an empty folder, which does not belong to a release"


def find_licence_text_faults(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Compare LICENSE with the licences of the note, and the full texts with the known ones."""
    try:
        stated = join_licences(identify_licences(release))
    except InputError as error:
        yield from (f"{LICENSE_FILE}: {problem.what}" for problem in error.problems)
    else:
        if stated != note.licence:
            yield f"{LICENSE_FILE}: states {stated}, and {NOTE_FILE} states {note.licence}"
    texts = {f"{LICENCES}/{name}.txt": terms.text for name, terms in load_licences().items()}
    texts[WORDNET_TEXT] = find_installed("lexicon/LICENSE-WORDNET").read_text("utf-8")
    for name, text in texts.items():
        if (release / name).is_file() and read_text(release / name) != text:
            yield f"{name}: is not the text of the licence"


def find_picture_faults(release: Path) -> Iterator[str]:
    """Find pictures that are no PNG. What they show depends on the source."""
    for path in sorted((release / PICTURES).glob("*.png")):
        try:
            with Image.open(path, formats=("PNG",)) as image:
                image.verify()
        except Exception:  # whatever a reader raises, the file cannot be read
            yield f"{PICTURES}/{path.name}: is not a PNG"


def find_statement_faults(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Compare title, version, authors, date and address in the documents with the note.

    Documents that are missing are faults elsewhere.
    """
    says = note.description
    title = flatten_text(says.title)
    dated = {"version": says.version, "date": says.date, "url": says.url}
    for name, read in (
        (CARD_FILE, _read_card),
        (CFF_FILE, _read_cff),
        (ZENODO_FILE, _read_zenodo),
        (CROISSANT_FILE, _read_croissant),
    ):
        if not (release / name).is_file():
            continue
        try:
            stated = read(read_text(release / name))
        except Exception as error:  # whatever a parser raises, the file cannot be read
            yield f"{name}: cannot be read ({type(error).__name__})"
            continue
        authors = stated.pop("authors", None)
        for member, value in {"title": title, **dated}.items():
            if member in stated and stated[member] != value:
                yield f"{name}: its {member} is not that of {NOTE_FILE}"
        if authors is not None and not _are_authors(authors, says.authors):
            yield f"{name}: its authors are not those of {NOTE_FILE}"
    bibtex = read_text(release / BIBTEX_FILE).split("\n}", 1)[0]
    texts = {"title": title, "version": says.version, "url": says.url or ""}
    texts |= {f"author {author.name}": author.family_name for author in says.authors}
    for member, text in texts.items():
        if escape_bibtex(text) not in bibtex:
            yield f"{BIBTEX_FILE}: its {member} is not that of {NOTE_FILE}"


def _read_card(text: str) -> dict[str, Any]:
    import yaml

    return {"title": yaml.safe_load(text.split("---\n")[1])["pretty_name"]}


def _read_cff(text: str) -> dict[str, Any]:
    import yaml

    top = yaml.safe_load(text)
    return {
        "title": top["title"],
        "version": top["version"],
        "date": top.get("date-released"),
        "url": top.get("url"),
        "authors": [
            (
                entry.get("name") or f"{entry['family-names']}, {entry['given-names']}",
                entry.get("orcid"),
            )
            for entry in top["authors"]
        ],
    }


def _read_zenodo(text: str) -> dict[str, Any]:
    top = json.loads(text)
    return {
        "title": top["title"],
        "version": top["version"],
        "date": top.get("publication_date"),
        "authors": [(entry["name"], entry.get("orcid")) for entry in top["creators"]],
    }


def _read_croissant(text: str) -> dict[str, Any]:
    top = json.loads(text)
    return {
        "title": top["name"],
        "version": top["version"],
        "date": top.get("datePublished"),
        "url": top.get("url"),
        "authors": [(entry["name"], entry.get("sameAs")) for entry in top["creator"]],
    }


def _are_authors(stated: list[tuple[Any, Any]], authors: tuple[Author, ...]) -> bool:
    """Return whether names and ORCIDs are those of the note, in any of the usual forms."""
    return len(stated) == len(authors) and all(
        name
        in (
            author.name,
            f"{author.given_names} {author.family_name}",
            f"{author.family_name}, {author.given_names}",
        )
        and str(orcid or "").removeprefix("https://orcid.org/") == (author.orcid or "")
        for (name, orcid), author in zip(stated, authors, strict=True)
    )


def find_statistics_faults(release: Path, name: str, statistics: str) -> Iterator[str]:
    """Compare the rows of a configuration in the table of statistics with those of its archive.

    The items of each size are counted in the source, so they and their rates are not compared.

    Parameters
    ----------
    release : Path
        The release.
    name : str
        The configuration.
    statistics : str
        A CSV table with its rows, computed from its archive.
    """
    rows = _read_statistics(release)
    actual = [row for row in rows or () if row.get("configuration") == name]
    if rows is not None and _drop_sizes(actual) != _drop_sizes(_parse_table(statistics)):
        yield f"{STATISTICS_FILE}: the rows of {name} are not those of its archive"


def find_foreign_statistics(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Find configurations in the table of statistics that the release does not have."""
    named = dict.fromkeys(row.get("configuration") or "" for row in _read_statistics(release) or ())
    for name in named:
        if name not in note.configurations:
            yield f"{STATISTICS_FILE}: names {name!r:.80}, which is no configuration"


def _read_statistics(release: Path) -> list[dict[str, str]] | None:
    """Read the rows of the table of statistics; None if it is missing."""
    path = release / STATISTICS_FILE
    return _parse_table(read_text(path)) if path.is_file() else None


def _parse_table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _drop_sizes(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    unknown = ("items", "rate", "rate_low", "rate_high")
    return [
        {
            name: cell
            for name, cell in row.items()
            if not (row.get("group") == "size" and name in unknown)
        }
        for row in rows
    ]
