"""Read the text of a noisy split together with the clean text that it replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence, number_duplicates
from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.image_sets import (
    MAIN_STYLE,
    Expression,
    ObjectEntry,
    name_expressions_file,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
    read_record,
)


@dataclass(frozen=True)
class ObjectText:
    """The text for one object, either clean or noisy.

    Attributes
    ----------
    class_id : int
        Class of the object.
    name : str
        Name of the object.
    prompt : str
        Prompt in the style `MAIN_STYLE`.
    """

    class_id: int
    name: str
    prompt: str

    @property
    def fits(self) -> bool:
        """Whether the prompt begins with the name, as every prompt of ActionVOS does."""
        return fold(self.prompt).startswith(fold(self.name))

    @property
    def tail(self) -> str:
        """The part of the prompt after the name."""
        return self.prompt[len(self.name) :]


@dataclass(frozen=True)
class TextItem:
    """The text for one object of one sequence, or a noun of an expression, before and after noise.

    Attributes
    ----------
    sequence : str
        Sequence folder.
    object_id : int
        Object id; 0 for an expression that refers to several objects, or to none.
    positive : bool
        Whether the object is active.
    clean, noisy : ObjectText
        The text before and after noise.
    expression : str or None
        The id of the referring expression, for one of its nouns.
    """

    sequence: str
    object_id: int
    positive: bool
    clean: ObjectText
    noisy: ObjectText
    expression: str | None = None

    @property
    def flipped(self) -> bool:
        """Whether the class changed."""
        return self.clean.class_id != self.noisy.class_id

    @property
    def renamed(self) -> bool:
        """Whether the name changed within the same class."""
        return not self.flipped and fold(self.clean.name) != fold(self.noisy.name)


def fold(name: str) -> str:
    """Normalise the case and the spaces of a name, for comparisons.

    >>> fold("Cutting  Board")
    'cutting board'
    """
    return " ".join(name.casefold().split())


def read_text_items(folder: Path, split: str, clean: Path | None) -> list[TextItem]:
    """Read the noisy and the clean text of a split, joined by sequence and object id.

    Parameters
    ----------
    folder : Path
        ImageSets folder of the noisy split.
    split : str
        Name of the split.
    clean : Path or None
        ImageSets folder of the clean dataset. None takes the clean text from the ``*_org`` keys of
        the noisy files.

    Raises
    ------
    InputError
        If files are missing or faulty, if objects and prompts disagree, or if the clean text is
        unknown.
    """
    noisy = read_listed_texts(folder, split)
    if clean is not None:
        return _join(noisy, read_listed_texts(clean, split), folder, clean)
    problems = ProblemCollector()
    joined = (_split_org_keys(entry, problems, folder) for entry in noisy)
    items = [item for item in joined if item]
    problems.raise_if_any()
    return items


@dataclass(frozen=True)
class ListedText:
    """One object as the objects file and the expressions file have it.

    Attributes
    ----------
    sequence : str
        Sequence folder.
    entry : ObjectEntry
        The object in the objects file.
    expression : Expression
        Its prompt in the style `MAIN_STYLE`.
    """

    sequence: str
    entry: ObjectEntry
    expression: Expression

    @property
    def shown(self) -> ObjectText:
        """The text without the ``*_org`` keys."""
        return ObjectText(self.entry.class_id, self.entry.category, self.expression.exp)


_HINT = "make both files together"


def read_listed_texts(folder: Path, split: str) -> list[ListedText]:
    """Read the objects of a split and their prompts from a folder of lists.

    Raises
    ------
    InputError
        If files are missing or faulty, or if objects and prompts disagree.
    """
    style = name_expressions_file(split, MAIN_STYLE)
    objects = _read_by_sequence(folder / name_objects_file(split), "objects", read_object_entry)
    prompts = _read_by_sequence(folder / style, "expressions", read_expression)
    problems = ProblemCollector()
    texts = []
    for sequence, entries in objects.items():
        by_object: dict[int | None, Expression] = {}
        for prompt in prompts.get(sequence, ()):
            if prompt.object_id in by_object:
                what = f"{sequence}, object {prompt.object_id} has two prompts"
                problems.add(what, folder / style, "keep one")
            by_object[prompt.object_id] = prompt
        for entry in entries:
            expression = by_object.get(entry.object_id)
            place = f"{sequence}, object {entry.object_id}"
            if expression is None:
                problems.add(f"{place} has no prompt", folder, _HINT)
            elif expression.class_id not in (None, entry.class_id):
                problems.add(
                    f"{place} has the class {entry.class_id} in the objects file, "
                    f"{expression.class_id} in the expressions file",
                    folder,
                    _HINT,
                )
            else:
                texts.append(ListedText(sequence, entry, expression))
    problems.raise_if_any()
    return texts


def _read_by_sequence(
    path: Path, member: str, read: Callable[[str, Cursor], Any]
) -> dict[str, Any]:
    return read_by_folder(Cursor(read_json(path), str(path))["videos"], member, read)


def _split_org_keys(text: ListedText, problems: ProblemCollector, folder: Path) -> TextItem | None:
    """Separate the clean text, which the noisy files keep under ``*_org`` keys."""
    entry, expression = text.entry, text.expression
    if entry.class_id_org is None or entry.category_org is None or expression.exp_org is None:
        problems.add(
            "the files do not have the clean text (*_org keys)",
            folder,
            "give the clean dataset as `clean`",
        )
        return None
    if expression.class_id_org not in (None, entry.class_id_org):
        problems.add(
            f"{text.sequence}, object {entry.object_id} had the class {entry.class_id_org} in the "
            f"objects file, {expression.class_id_org} in the expressions file (class_id_org)",
            folder,
            _HINT,
        )
        return None
    clean = ObjectText(entry.class_id_org, entry.category_org, expression.exp_org)
    return TextItem(text.sequence, entry.object_id, entry.positive, clean, text.shown)


def _join(
    noisy: list[ListedText], clean: list[ListedText], folder: Path, clean_folder: Path
) -> list[TextItem]:
    """Join noisy and clean text by sequence and object id."""
    by_key = {(text.sequence, text.entry.object_id): text for text in clean}
    keys = [(text.sequence, text.entry.object_id) for text in noisy]
    lacking = [key for key in keys if key not in by_key]
    if lacking:
        raise refuse(
            f"lacks {len(lacking)} of {count_nouns(len(keys), 'object')} of the noisy split, such "
            f"as object {lacking[0][1]} of {lacking[0][0]}",
            clean_folder,
            f"give the dataset that {folder} was made from",
        )
    return [
        TextItem(*key, text.entry.positive, by_key[key].shown, text.shown)
        for key, text in zip(keys, noisy, strict=True)
    ]


@dataclass(frozen=True)
class NoisyList:
    """The action list of a noisy split.

    Attributes
    ----------
    sequences : tuple of VideoSequence
        The sequences, with their clean narrations and labels if the list keeps them.
    narrations : mapping of str to tuple of str
        The clean and the noisy narration by sequence folder, for sequences with a
        ``narration_org`` key.
    activity : mapping of (str, int) to tuple of bool
        Whether an object is active, before and after noise, by sequence folder and object id; for
        objects with a ``positive_org`` key.
    """

    sequences: tuple[VideoSequence, ...]
    narrations: Mapping[str, tuple[str, str]]
    activity: Mapping[tuple[str, int], tuple[bool, bool]] = field(default_factory=dict)

    def is_active(self, sequence: VideoSequence, label: ObjectLabel) -> bool:
        """Return whether an object is active after the noise."""
        key = (sequence.folder, label.object_id)
        return self.activity[key][1] if key in self.activity else label.positive

    @property
    def changed(self) -> set[str]:
        """The folders of the sequences with a changed narration."""
        return {folder for folder, (old, new) in self.narrations.items() if old != new}


def read_noisy_list(path: Path) -> NoisyList:
    """Read the action list of a noisy split; raise `InputError` with every faulty record."""
    return parse_noisy_list(read_json(path), str(path))


def parse_noisy_list(document: Any, where: str) -> NoisyList:
    """Parse the action list of a noisy split; errors are those of `read_noisy_list`."""
    records = [record.as_mapping() for record in Cursor(document, where).iterate_elements()]
    clean = list(map(restore_record, records))
    problems = ProblemCollector()
    elements = list(Cursor(clean, where).iterate_elements())
    sequences = tuple(number_duplicates(collect_valid(elements, read_record, problems)))
    problems.raise_if_any()
    narrations = {
        sequence.folder: (sequence.narration, str(record.get("narration")))
        for sequence, record in zip(sequences, records, strict=True)
        if _KEPT in record
    }
    activity = {}
    for sequence, record in zip(sequences, records, strict=True):
        for label, entry in zip(sequence.objects, record["object_classes"].values(), strict=True):
            if _FLAG in entry:
                noisy = Cursor(entry, f"{where}: {sequence.folder}")["positive"].as_flag()
                activity[sequence.folder, label.object_id] = (label.positive, noisy)
    return NoisyList(sequences, narrations, activity)


_KEPT = "narration_org"
_FLAG = "positive_org"


def restore_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of a noisy list with the clean narration and labels that it keeps."""
    if _KEPT in record:
        record = record | {"narration": record[_KEPT]}
    objects = record.get("object_classes")
    if not isinstance(objects, dict):
        return record
    restored = {
        object_id: _restore_entry(entry) if isinstance(entry, dict) and _FLAG in entry else entry
        for object_id, entry in objects.items()
    }
    return record | {"object_classes": restored}


def _restore_entry(entry: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in entry.items() if name != _FLAG}
    return kept | {"positive": entry[_FLAG]}
