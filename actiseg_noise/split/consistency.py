"""Do the files of a noisy split fit one another? What can be told without the source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import digest_pixels, read_index_mask
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, ProblemCollector
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.listing import is_clutter, list_folder
from actiseg_data.core.names import check_name
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS, Split, open_split
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    Expression,
    name_expressions_file,
    name_image_sets_files,
    read_by_folder,
    read_expression,
)
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LedgerRow,
    MaskRow,
    TextRow,
)
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
)
from actiseg_noise.split.clean_parts import Part
from actiseg_noise.split.noisy_split import carried_lexicon
from actiseg_noise.split.partial_split import Files
from actiseg_noise.split.summary_document import COPIED, DERIVED, summary_misfits
from actiseg_noise.split.wordings import WordItem, fold, read_noisy_list, read_word_items


@dataclass(frozen=True)
class Documents:
    """What a noisy split says of itself. digests: by relative path. rows: of the ledger."""

    recipe: Recipe
    summary: dict[str, Any]
    digests: dict[str, str]
    rows: list[LedgerRow]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of files, besides lists, that the noisy split has."""
        kinds = _kinds_in(self.summary)
        if self.recipe.mask_noise is not None and MASKS not in kinds:
            return MASKS, *kinds  # summaries once said so of copied masks alone
        return kinds

    @property
    def clean(self) -> dict[str, tuple[str, ...]]:
        """The clean lists of the copy, with the kinds of files that they have."""
        if "with_clean" not in self.summary:
            return {}
        cursor = Cursor(self.summary["with_clean"], f"{SUMMARY_FILE}: with_clean")
        return {
            check_name(name, "split", entry.where): _kinds_in(entry.as_mapping())
            for name, entry in cursor.iterate_members()
        }

    def open_parts(self, out: Path) -> tuple[Part, ...]:
        """The noisy split as it is on disk, and its clean lists; `InputError` with all that cannot be
        opened.
        """
        problems = ProblemCollector()
        parts = []
        for name, kinds in {self.recipe.split: self.kinds, **self.clean}.items():
            with problems.collect():
                split = open_split(out, name, masks=MASKS in kinds)
                parts.append(Part(split, split.sequences, kinds))
        problems.raise_if_any()
        return tuple(parts)


def _kinds_in(members: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of files that a summary, or its entry of a clean list, says to be there."""
    kinds = ((MASKS, "masks"), (WEIGHTS, "weights"))
    return tuple(kind for kind, member in kinds if members.get(member) in (DERIVED, COPIED))


def find_clutter(out: Path) -> list[str]:
    """Files and folders in a noisy split that a desktop or an archiver left there, sorted: their
    paths relative to it. See `actiseg_data.core.listing.is_clutter`.
    """
    found = []
    for folder, folders, files in os.walk(out):
        left = [name for name in (*folders, *files) if is_clutter(name)]
        found += [Path(folder, name).relative_to(out).as_posix() for name in left]
        folders[:] = [name for name in folders if name not in left]
    return sorted(found)


def _files_under(folder: Path, levels: int = 2) -> Iterator[Path]:
    """All files in a folder and its folders except clutter, sorted; none if it is missing.

    levels: how deep the folders of a split are. Deeper ones are not opened, because links can make
    them endless: they are returned like files.
    """
    if folder.is_dir():
        for entry in list_folder(folder):
            if entry.is_folder and levels:
                yield from _files_under(entry.path, levels - 1)
            else:
                yield entry.path


def misfits(files: Files, documents: Documents) -> list[str]:
    """What does not fit among the documents, and files that no document knows; a line each."""
    recipe, summary, digests = documents.recipe, documents.summary, documents.digests
    out = files.root
    lines = []
    if summary.get("recipe_digest") != recipe.digest:
        lines.append(f"{SUMMARY_FILE}: recipe_digest is not that of {RECIPE_FILE}")
    known = {files.find(name) for name in digests}
    for kind in (MASKS, WEIGHTS, IMAGE_SETS):
        for path in _files_under(out / kind):
            if path not in known:
                lines.append(f"{path.relative_to(out).as_posix()}: is not listed in {DIGESTS_FILE}")
    if f"{IMAGE_SETS}/{recipe.split}.json" not in digests:
        lines.append(f"{DIGESTS_FILE}: lacks the action list of the split {recipe.split!r}")
    try:
        parts = documents.open_parts(out)
    except InputError as refused:
        return lines + [str(problem) for problem in refused.problems]
    split = parts[0].split
    lines += _file_misfits(parts, documents)
    if summary.get("sequences") != [sequence.folder for sequence in split.sequences]:
        lines.append(f"{SUMMARY_FILE}: its sequences are not those of the action list")
    lines += [
        f"{SUMMARY_FILE}: {member} is not what {RECIPE_FILE} and {LEDGER_FILE} give"
        for member in summary_misfits(summary, recipe, documents.rows)
    ]
    if summary.get("frames") != sum(len(sequence.frames) for sequence in split.sequences):
        lines.append(f"{SUMMARY_FILE}: frames are not those of the action list")
    lines += _strangers(split, documents.rows)
    if recipe.text_noise is not None:
        lines += _word_misfits(split, recipe, documents.rows)
    else:
        lines += _unasked_words(split)
    return lines


def _file_misfits(parts: Iterable[Part], documents: Documents) -> Iterator[str]:
    """Files of the lists that have no digest, and the other way round."""
    files = {name for part in parts for seq in part.sequences for name in part.names(seq)}
    lists = f"{IMAGE_SETS}/"
    digested = {name for name in documents.digests if not name.startswith(lists)}
    yield from (f"{name}: is not listed in {DIGESTS_FILE}" for name in sorted(files - digested))
    yield from (f"{name}: is not in the action list" for name in sorted(digested - files))


def _strangers(split: Split, rows: list[LedgerRow]) -> Iterator[str]:
    """Rows on what the action list does not have."""
    items = {(seq.folder, label.object_id) for seq in split.sequences for label in seq.objects}
    frames = {(seq.folder, frame) for seq in split.sequences for frame in seq.frames}
    folders = {sequence.folder for sequence in split.sequences}
    for row in rows:
        fits = (row.sequence, row.object_id) in items
        place = row.sequence
        if isinstance(row, MaskRow):
            fits = fits and (row.sequence, row.frame) in frames
            place = f"{row.sequence}, {row.frame}"
        elif row.object_id is None:
            fits = row.sequence in folders
        if not fits:
            yield f"{LEDGER_FILE}: {place} has no object {row.object_id}"


def _unasked_words(split: Split) -> Iterator[str]:
    """Documents with noisy words, which the recipe does not ask for."""
    for name in name_image_sets_files(split.name):
        path = split.root / IMAGE_SETS / name
        if path.is_file() and b'_org"' in read_bytes(path):
            yield f"{IMAGE_SETS}/{name}: tells of noise on words, which {RECIPE_FILE} lacks"


def _word_misfits(split: Split, recipe: Recipe, rows: list[LedgerRow]) -> Iterator[str]:
    """Rows on words against the words of the files, and changed words without a row."""
    lists = split.root / IMAGE_SETS
    try:
        items = read_word_items(lists, split.name, None)
        narrations = read_noisy_list(lists / f"{split.name}.json").narrations
        yield from _other_styles(split, items)
    except InputError as refused:
        yield from map(str, refused.problems)
        return
    yield from _other_clean_words(split, items)
    assert recipe.text_noise is not None, "callers look first"
    if recipe.text_noise.scope != "narration" and narrations:
        yield f"{IMAGE_SETS}/{split.name}.json: has noisy narrations, which {RECIPE_FILE} lacks"
    told = {(row.sequence, row.object_id): row for row in rows if isinstance(row, TextRow)}
    whole = {row.sequence for row in told.values() if row.object_id is None}
    changed = {(of.sequence, of.object_id): of for of in items if of.clean != of.noisy}
    for place, item in changed.items():
        row = told.get(place)
        if row is None and item.sequence in whole and not (item.flipped or item.renamed):
            continue  # its narration alone changed
        if row is None or not _tells(row, item):
            yield f"{lists.name}: the words of {_shown(*place)} are not what {LEDGER_FILE} says"
    for (folder, object_id), row in told.items():
        if object_id is None:
            if narrations.get(folder) != (row.prompt_org, row.prompt):
                yield f"{lists.name}: the narration of {folder} is not what {LEDGER_FILE} says"
        elif (folder, object_id) not in changed:
            yield f"{lists.name}: {_shown(folder, object_id)} is clean, not as {LEDGER_FILE} says"
    for folder, (old, new) in narrations.items():
        if old != new and folder not in whole:
            yield f"{lists.name}: the narration of {folder} changed, which {LEDGER_FILE} lacks"


def _other_clean_words(split: Split, items: list[WordItem]) -> Iterator[str]:
    """Objects whose clean words are not those of the action list."""
    listed = {
        (sequence.folder, label.object_id): (label.class_id, label.name)
        for sequence in split.sequences
        for label in sequence.objects
    }
    for item in items:
        place = (item.sequence, item.object_id)
        if listed.pop(place, None) != (item.clean.class_id, item.clean.name):
            yield f"{IMAGE_SETS}: the clean words of {_shown(*place)} are not the action list's"
    for place in listed:
        yield f"{IMAGE_SETS}: {_shown(*place)} has no words"


def _other_styles(split: Split, items: list[WordItem]) -> Iterator[str]:
    """Prompts in the other styles that do not say what those of the main one do."""
    by_place = {(item.sequence, item.object_id): item for item in items}
    for style, connector in CONNECTORS.items():
        name = name_expressions_file(split.name, style)
        if style == MAIN_STYLE or not split.has_document(name):
            continue
        videos = Cursor(split.read_document(name), name)["videos"]
        for folder, entries in read_by_folder(videos, "expressions", read_expression).items():
            for entry in entries:
                item = by_place.get((folder, entry.object_id or 0))
                if item is None or not _same_words(entry, item, connector):
                    place = _shown(folder, entry.object_id)
                    yield f"{IMAGE_SETS}/{name}: the prompt of {place} is not that of the others"


def _same_words(entry: Expression, item: WordItem, connector: str | None) -> bool:
    """Whether a prompt of another style says what the object's main prompt does. Where the two had
    other narrations when they were clean, names alone are compared.
    """
    main, other = [], []
    for text, class_id, wording in (
        (entry.exp_org, entry.class_id_org, item.clean),
        (entry.exp, entry.class_id, item.noisy),
    ):
        head, tail = (text or "")[: len(wording.name)], (text or "")[len(wording.name) :]
        if class_id != wording.class_id or fold(head) != fold(wording.name):
            return False
        main.append(wording.tail.removeprefix(CONNECTORS[MAIN_STYLE] or ""))
        other.append("" if connector is None else tail.removeprefix(connector))
    return connector is None or main[0] != other[0] or main[1] == other[1]


def _tells(row: TextRow, item: WordItem) -> bool:
    """Whether a row tells what became of an object."""
    clean, noisy = item.clean, item.noisy
    return (row.class_id_org, row.object, row.prompt_org) == (
        clean.class_id,
        clean.name,
        clean.prompt,
    ) and (row.class_id, fold(row.name), row.prompt) == (
        noisy.class_id,
        fold(noisy.name),
        noisy.prompt,
    )


def _shown(folder: str, object_id: int | None) -> str:
    return f"{folder}, object {object_id}"


def lexicon_misfit(out: Path, recipe: Recipe) -> str | None:
    """In what the lexicon that a split carries, or the installed one, is not the recipe's."""
    if recipe.text_noise is None:
        return None
    wanted = recipe.text_noise.parameters["lexicon"]
    try:
        carried = carried_lexicon(out)
    except InputError as refused:
        return f"{LEXICON_FILE}: {refused.problems[0].what}"
    if carried is not None and carried.digest != wanted:
        return f"{LEXICON_FILE}: is not the one that {RECIPE_FILE} names"
    if carried is None and load_lexicon().digest != wanted:
        return (
            f"{LEXICON_FILE}: is missing, or the split was made by another release, whose lexicon "
            "is not the one installed here"
        )
    return None


def file_misfit(files: Files, listed: tuple[str, str], told_by: str = DIGESTS_FILE) -> str | None:
    """In what a file is not what its digest says.

    listed: its relative path, and the digest of its pixels or, of a list, of its content.
    told_by: what the digest is of.
    """
    name, digest = listed
    path = files.find(name)
    if not os.path.lexists(path):
        return f"{name}: is missing"
    try:
        if name.startswith(f"{IMAGE_SETS}/"):
            actual = digest_json(read_json(path))
        else:
            actual = digest_pixels(read_index_mask(path))
    except InputError as refused:
        return f"{name}: {refused.problems[0].what}"
    return None if actual == digest else f"{name}: its content is not what {told_by} says"
