"""Check a release as a stranger finds it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.names import is_plain_text
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.records.licence_terms import find_licences
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.releases.checks.archive_checking import TEXTS, FindTraces
from actiseg_noise.releases.checks.baseline_checking import find_baseline_faults
from actiseg_noise.releases.checks.configuration_checking import check_configuration
from actiseg_noise.releases.checks.document_checks import check_card, check_croissant
from actiseg_noise.releases.checks.statement_checking import (
    find_foreign_files,
    find_foreign_statistics,
    find_licence_text_faults,
    find_picture_faults,
    find_statement_faults,
)
from actiseg_noise.releases.contents.checksums import (
    find_changed_files,
    find_irregular_files,
    list_release_files,
)
from actiseg_noise.releases.contents.privacy import find_emails, find_private_traces
from actiseg_noise.releases.contents.release_note import NOTE_FILE, ReleaseNote, read_note
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.releases.metadata.licence_files import LICENCES
from actiseg_noise.split.split_archive import ARCHIVES, iterate_archive

_ATTRIBUTIONS = (LICENSE_FILE, NOTICE_FILE)


@dataclass(frozen=True)
class ReleaseCheck:
    """The result of `check_release`.

    Attributes
    ----------
    lines : tuple of str
        One line for each fault.
    counts : dict of str to int
        What was checked.
    """

    lines: tuple[str, ...]
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether there is no fault."""
        return not self.lines


def check_release(
    release: PathLike, workers: int = 1, stage: StageProgress = ignore_progress
) -> ReleaseCheck:
    """Check a release: what is in it, and whether others can read it.

    All files must be regular files; otherwise nothing else is checked, because reading from a pipe
    or a device may never end. Every file must have its checksum. Card and Croissant must be
    readable by the libraries of their makers, and records must be readable through Croissant.
    Archives must be safe to unpack; their documents, lists and masks must agree with one another,
    with the rebuild kits and with the rows of the Parquet files.
    No text may have a path of a machine, or an e-mail address that was not given. Photographs need
    a licence.

    Parameters
    ----------
    release : str or Path
        The release folder.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If the folder is not a release, or if a library of the extra `[publish]` is not installed.
        Faults of its content are lines, not errors.
    """
    folder = as_path(release, "release")
    note = read_note(folder)
    lines: list[str] = list(find_irregular_files(folder))
    if lines:  # no reader of the other checks may open them
        return ReleaseCheck((*lines, "nothing else was checked"), {})
    counts: Counter[str] = Counter()
    with stage("checking checksums"):
        lines += _collect(find_changed_files(folder, workers))
        counts["files"] = len(list_release_files(folder))
    with stage("reading the card and Croissant"):
        lines += check_card(folder, note)
        lines += check_croissant(folder)
    find_traces = partial(find_private_traces, given=_find_given_addresses(folder, note))
    for name in note.configurations:
        counts["configurations"] += 1
        with stage(f"checking {name}"):
            lines += _collect(check_configuration(folder, note, name, find_traces))
    lines += _collect(_find_missing_licences(folder, note))
    for find_faults in (
        find_foreign_files,
        find_licence_text_faults,
        find_statement_faults,
        find_baseline_faults,
    ):
        lines += _collect(find_faults(folder, note))
    lines += find_picture_faults(folder)
    if note.data != "none":
        lines += find_foreign_statistics(folder, note)
    lines += _collect(_check_texts(folder, find_traces))
    shown = (line if is_plain_text(line) else ascii(line) for line in lines)
    return ReleaseCheck(tuple(dict.fromkeys(shown)), dict(counts))


def _collect(faults: Iterator[str]) -> list[str]:
    """List the lines of a check; an error that stops it becomes further lines."""
    lines: list[str] = []
    try:
        lines.extend(faults)
    except InputError as error:
        lines += [f"{problem.where}: {problem.what}" for problem in error.problems]
    return lines


def _find_missing_licences(folder: Path, note: ReleaseNote) -> Iterator[str]:
    """Find full texts of licences that are missing."""
    for expression in filter(None, (note.licence, note.frames_licence)):
        for terms in find_licences(expression, NOTE_FILE):
            file = f"{LICENCES}/{terms.identifier}.txt"
            if terms.text is not None and not (folder / file).is_file():
                yield f"{file}: is missing"


def _find_given_addresses(folder: Path, note: ReleaseNote) -> set[str]:
    """Find the e-mail addresses that the maintainer or the source gave for publication.

    Those of the source are in the LICENSE and NOTICE of the archives as well, if there are any.
    """
    description = note.description
    said = json.dumps([description.title, description.maintenance, description.url])
    given = find_emails(said + " ".join(author.name for author in description.authors))
    texts = [read_text(folder / name) for name in _ATTRIBUTIONS]
    attributed = find_emails(" ".join(texts))
    if note.data != "none":
        attributed &= find_emails(" ".join(_read_attributions(folder, note)))
    return given | attributed


def _read_attributions(folder: Path, note: ReleaseNote) -> Iterator[str]:
    """Read LICENSE and NOTICE of the archives; damaged archives have none."""
    for name in note.configurations:
        with suppress(InputError):
            for file in iterate_archive(folder / ARCHIVES / f"{name}.tar"):
                if file.name in _ATTRIBUTIONS:
                    yield file.read().decode("utf-8", "replace")


def _check_texts(folder: Path, find_traces: FindTraces) -> Iterator[str]:
    """Find paths and addresses in the texts of the release outside the archives."""
    for name in list_release_files(folder):
        if name.endswith(TEXTS):
            text = read_text(folder / name)
            yield from (f"{name}: {line}" for line in find_traces(text))
