"""What the documents of a noisy split say about each of its sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence, View
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, parse_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import format_name
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.dataset_opening import make_dataset_split
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
)
from actiseg_data.layouts.referring import is_expressions, parse_referring
from actiseg_data.layouts.sequence_record import (
    SEQUENCES_FILE,
    make_sequence_entry,
    parse_sequence_record,
)
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LabelRow,
    LedgerRow,
    MaskRow,
    TextRow,
    parse_ledger_row,
)
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe, parse_recipe
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE, SUMMARY_SCHEMA
from actiseg_noise.split.text_items import parse_noisy_list, restore_record

_HINT = "make the split again, or see what actiseg-noise verify says about it"
_NUMBERED = ("seq_id", "narration", "narration_org")
"""Members of a record that are compared apart from the others."""


@dataclass(frozen=True)
class ObjectWords:
    """The words of an object on disk.

    Attributes
    ----------
    class_id : int or None
        Its class; None without an objects file.
    name : str or None
        Its name; None without an objects file.
    prompts : mapping of str to str
        Its prompts by style.
    """

    class_id: int | None
    name: str | None
    prompts: Mapping[str, str]


@dataclass(frozen=True)
class SequenceSnapshot:
    """One sequence of a noisy split.

    Attributes
    ----------
    sequence : VideoSequence
        The sequence, with its clean narration and names.
    annotations : str
        Digest of its clean record in the action list, without number and narration.
    narration : str
        The narration in the list.
    words : mapping of str to ObjectWords
        By the clean name of the object, or of a referring expression, see `name_expression`.
    mask_rows : mapping of (str, str, str) to MaskRow
        The ledger's rows for masks, by frame, clean name of the object, and kind: that of
        whole-object noise, or an empty one for an outline.
    text_rows : mapping of str to TextRow
        The ledger's rows for text, by clean name of the object; None for the narration. Of the
        nouns of expressions: by the name of the expression and the position of the noun.
    label_rows : mapping of (str, str) to LabelRow
        The ledger's rows for labels, by clean name of the object and kind.
    active : mapping of str to bool
        Whether an object is active in the list, by its clean name; empty without action lists.
    files : mapping of (str, str) to str
        Digests of the pixels of masks and weights, by kind and frame.
    """

    sequence: VideoSequence
    annotations: str
    narration: str
    words: Mapping[str, ObjectWords]
    mask_rows: Mapping[tuple[str, str, str], MaskRow]
    text_rows: Mapping[str | None, TextRow]
    label_rows: Mapping[tuple[str, str], LabelRow]
    active: Mapping[str, bool]
    files: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class SplitSnapshot:
    """A noisy split without its pixels.

    Attributes
    ----------
    recipe : Recipe
        Its recipe.
    summary : mapping
        Its ``summary.json``.
    sequences : tuple of SequenceSnapshot
        The sequences of its noisy list, in order.
    clean_files : mapping of str to str
        Digests of the masks, weights and lists of clean splits in it, by relative path.
    """

    recipe: Recipe
    summary: Mapping[str, Any]
    sequences: tuple[SequenceSnapshot, ...]
    clean_files: Mapping[str, str]


def parse_snapshot(documents: Mapping[str, bytes], where: str) -> SplitSnapshot:
    """Parse the documents of a noisy split.

    Parameters
    ----------
    documents : mapping of str to bytes
        By relative path, see `read_folder_documents`.
    where : str
        The folder or archive, for messages.

    Raises
    ------
    InputError
        If a document is missing, damaged or of an unknown schema, or if the ledger or the digests
        name a sequence, frame or object that the action list does not have.
    """
    source = _Documents(documents, where)
    recipe = parse_recipe(source.parse(RECIPE_FILE), source.name(RECIPE_FILE))
    summary = Cursor(source.parse(SUMMARY_FILE), source.name(SUMMARY_FILE))
    check_schema(summary, SUMMARY_SCHEMA, RELEASE_HINT)
    listed = source.parse_list(recipe.split)
    by_folder = {entry.sequence.folder: entry.sequence for entry in listed}
    rows = source.parse_ledger(by_folder)
    files, clean_files = source.parse_digests(by_folder, recipe.split)
    words = source.parse_words(recipe.split, by_folder)
    sequences = tuple(
        SequenceSnapshot(
            **vars(entry),
            words=words[entry.sequence.folder],
            mask_rows=rows.masks[entry.sequence.folder],
            text_rows=rows.texts[entry.sequence.folder],
            label_rows=rows.labels[entry.sequence.folder],
            files=files[entry.sequence.folder],
        )
        for entry in listed
    )
    return SplitSnapshot(recipe, summary.as_mapping(), sequences, clean_files)


@dataclass(frozen=True)
class _ListedSequence:
    """What the list says about a sequence, as `SequenceSnapshot` has it."""

    sequence: VideoSequence
    annotations: str
    narration: str
    active: Mapping[str, bool]


@dataclass(frozen=True)
class _LedgerItems:
    """The rows of a ledger by sequence folder and item, as `SequenceSnapshot` has them."""

    masks: dict[str, dict[tuple[str, str, str], MaskRow]]
    texts: dict[str, dict[str | None, TextRow]]
    labels: dict[str, dict[tuple[str, str], LabelRow]]


@dataclass(frozen=True)
class _Documents:
    documents: Mapping[str, bytes]
    where: str

    def name(self, file: str) -> str:
        return f"{self.where}: {file}"

    def parse(self, file: str) -> Any:
        if file not in self.documents:
            raise refuse(f"{file} is missing", self.where, _HINT)
        return parse_json(self.documents[file], self.name(file))

    def parse_list(self, split: str) -> list[_ListedSequence]:
        """Parse the list."""
        if SEQUENCES_FILE in self.documents:
            where = self.name(SEQUENCES_FILE)
            _, _, known = parse_sequence_record(self.parse(SEQUENCES_FILE), where)
            return [
                _ListedSequence(entry, digest_json(make_sequence_entry(entry)), "", {})
                for entry in known
            ]
        file = f"{IMAGE_SETS}/{split}.json"
        records, where = self.parse(file), self.name(file)
        listed = parse_noisy_list(records, where)
        if len({sequence.folder for sequence in listed.sequences}) < len(listed.sequences):
            raise refuse("lists a sequence twice", where, _HINT)
        return [
            _ListedSequence(
                sequence,
                digest_json(
                    {k: v for k, v in restore_record(record).items() if k not in _NUMBERED}
                ),
                Cursor(record, where)["narration"].as_text(),
                {label.identity: listed.is_active(sequence, label) for label in sequence.objects},
            )
            for sequence, record in zip(listed.sequences, records, strict=True)
        ]

    def parse_ledger(self, sequences: Mapping[str, VideoSequence]) -> _LedgerItems:
        """Parse the ledger's rows by sequence and item."""
        items = _LedgerItems(
            masks={name: {} for name in sequences},
            texts={name: {} for name in sequences},
            labels={name: {} for name in sequences},
        )
        names = {
            folder: {label.object_id: label.identity for label in sequence.objects}
            for folder, sequence in sequences.items()
        }
        problems = ProblemCollector()
        for number, line in enumerate(self.documents[LEDGER_FILE].splitlines(), 1):
            where = f"{self.name(LEDGER_FILE)}: line {number}"
            with problems.collect():
                row = parse_ledger_row(parse_json(line, where), where)
                known = names.get(row.sequence)
                if known is None:
                    what = f"has the sequence {format_name(row.sequence)}, which is not listed"
                    raise refuse(what, where, _HINT)
                if row.object_id is not None and row.object_id not in known:
                    raise refuse(f"has no listed object {row.object_id}", where, _HINT)
                if isinstance(row, MaskRow) and row.frame not in sequences[row.sequence].frames:
                    raise refuse(f"has no listed frame {row.frame}", where, _HINT)
                name = _name_item(row, known)
                if not _add(items, row, name):
                    raise refuse("has an item that another line has", where, _HINT)
        problems.raise_if_any()
        return items

    def parse_digests(
        self, sequences: Mapping[str, VideoSequence], split: str
    ) -> tuple[dict[str, dict[tuple[str, str], str]], dict[str, str]]:
        """Parse the digests: by sequence, and those of the files of clean lists."""
        top = Cursor(self.parse(DIGESTS_FILE), self.name(DIGESTS_FILE))
        files: dict[str, dict[tuple[str, str], str]] = {name: {} for name in sequences}
        rest: dict[str, str] = {}
        own = {f"{IMAGE_SETS}/{name}" for name in name_image_sets_files(split)}
        own |= self._list_compared()
        masks = self._name_masks(sequences)
        for name, cursor in top.iterate_members():
            digest, parts = cursor.as_text(), name.split("/")
            kind, folder = parts[0], parts[-2] if len(parts) > 1 else ""
            if name in masks:
                folder, item = masks[name]
                files[folder][MASKS, item] = digest
            elif kind in (MASKS, WEIGHTS) and folder in files:
                files[folder][kind, parts[-1].removesuffix(".png")] = digest
            elif name not in own:
                rest[name] = digest
        return files, rest

    def _list_compared(self) -> set[str]:
        """List the documents of a dataset without action lists that are compared item by item."""
        if SEQUENCES_FILE not in self.documents:
            return set()
        form, _, _ = parse_sequence_record(self.parse(SEQUENCES_FILE), self.name(SEQUENCES_FILE))
        return {SEQUENCES_FILE, *form.mask_documents, *filter(is_expressions, form.documents)}

    def _name_masks(self, sequences: Mapping[str, VideoSequence]) -> dict[str, tuple[str, str]]:
        """Return sequence and item of each mask of a dataset without action lists, by its path."""
        if SEQUENCES_FILE not in self.documents:
            return {}
        form, name, known = parse_sequence_record(
            self.parse(SEQUENCES_FILE), self.name(SEQUENCES_FILE)
        )
        split = make_dataset_split(Path(), name, form, known)
        return {
            path: (folder, "/".join((view.frame, *_list_layer(sequence, view))))
            for folder, sequence in sequences.items()
            for path, view in zip(split.name_files(MASKS, sequence), sequence.views, strict=True)
        }

    def parse_words(
        self, split: str, sequences: Mapping[str, VideoSequence]
    ) -> dict[str, dict[str, ObjectWords]]:
        """Parse the words of all objects by sequence and clean name."""
        if SEQUENCES_FILE in self.documents:
            return self._parse_expressions(sequences)
        objects: Mapping[str, Any] = {}
        prompts: dict[str, Mapping[str, Any]] = {}
        file = f"{IMAGE_SETS}/{name_objects_file(split)}"
        if file in self.documents:
            objects = read_by_folder(self._find_videos(file), "objects", read_object_entry)
        for style in PROMPT_STYLES:
            file = f"{IMAGE_SETS}/{name_expressions_file(split, style)}"
            if file in self.documents:
                videos = self._find_videos(file)
                prompts[style] = read_by_folder(videos, "expressions", read_expression)
        return {
            folder: dict(_iterate_words(sequence, objects, prompts))
            for folder, sequence in sequences.items()
        }

    def _parse_expressions(
        self, sequences: Mapping[str, VideoSequence]
    ) -> dict[str, dict[str, ObjectWords]]:
        """Parse the referring expressions of all sequences, if there are any."""
        words: dict[str, dict[str, ObjectWords]] = {folder: {} for folder in sequences}
        for file in self.documents:
            if is_expressions(file):
                listed = parse_referring(self.parse(file), Path(self.name(file)))
                for sequence in listed.sequences:
                    words.setdefault(sequence.folder, {}).update(
                        (
                            name_expression(expression.exp_id),
                            ObjectWords(None, None, {"expression": expression.text}),
                        )
                        for expression in sequence.expressions
                    )
        return words

    def _find_videos(self, file: str) -> Cursor:
        return Cursor(self.parse(file), self.name(file))["videos"]


def name_expression(exp_id: str) -> str:
    """Name a referring expression as `SequenceSnapshot.words` does.

    >>> name_expression("3")
    'expression 3'
    """
    return f"expression {exp_id}"


def _name_item(row: LedgerRow, known: Mapping[int, str]) -> str | None:
    """Name the object or the text that a row is about, as `SequenceSnapshot` does."""
    if isinstance(row, TextRow) and "expression" in row.parameters:
        name = name_expression(str(row.parameters["expression"]))
        return f"{name}, noun {row.parameters.get('noun')}"
    return None if row.object_id is None else known[row.object_id]


def _list_layer(sequence: VideoSequence, view: View) -> list[str]:
    """Name the object of a view, in a dataset with a mask for each object."""
    return [] if sequence.layers is None else [label.identity for label in view.objects]


def _iterate_words(
    sequence: VideoSequence, objects: Mapping[str, Any], prompts: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, ObjectWords]]:
    entries = {entry.object_id: entry for entry in objects.get(sequence.folder, ())}
    styles = {
        style: {prompt.object_id: prompt.exp for prompt in by_folder.get(sequence.folder, ())}
        for style, by_folder in prompts.items()
    }
    for label in sequence.objects:
        entry, number = entries.get(label.object_id), label.object_id
        spoken = {style: exps[number] for style, exps in styles.items() if number in exps}
        class_id, name = (None, None) if entry is None else (entry.class_id, entry.category)
        yield label.identity, ObjectWords(class_id, name, spoken)


def _add(items: _LedgerItems, row: LedgerRow, name: str | None) -> bool:
    """Add the row of an object, unless there is one for the item; return whether it was added."""
    if isinstance(row, TextRow):
        return items.texts[row.sequence].setdefault(name, row) is row
    if isinstance(row, LabelRow):
        return items.labels[row.sequence].setdefault((str(name), row.kind), row) is row
    item = (row.frame, str(name), row.kind if row.is_whole else "")
    return items.masks[row.sequence].setdefault(item, row) is row
