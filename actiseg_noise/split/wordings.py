"""The words of a noisy split as they lie on disk, beside the clean ones that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence, number_duplicates
from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
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
class Wording:
    """What an object is called at one time: class, name and prompt of the style `MAIN_STYLE`."""

    class_id: int
    name: str
    prompt: str

    @property
    def fits(self) -> bool:
        """Whether the prompt begins with the name, as all of ActionVOS do."""
        return fold(self.prompt).startswith(fold(self.name))

    @property
    def tail(self) -> str:
        """What stands behind the name."""
        return self.prompt[len(self.name) :]


@dataclass(frozen=True)
class WordItem:
    """One object of one sequence before and after noise."""

    sequence: str
    object_id: int
    positive: bool
    clean: Wording
    noisy: Wording

    @property
    def flipped(self) -> bool:
        """Whether it is of another class now."""
        return self.clean.class_id != self.noisy.class_id

    @property
    def renamed(self) -> bool:
        """Whether it has another name within its class."""
        return not self.flipped and fold(self.clean.name) != fold(self.noisy.name)


def fold(name: str) -> str:
    """A name as names are compared: whatever the case and the spaces.

    >>> fold("Cutting  Board")
    'cutting board'
    """
    return " ".join(name.casefold().split())


def read_word_items(folder: Path, split: str, clean: Path | None) -> list[WordItem]:
    """The words of a noisy split beside the clean ones, joined by sequence and object id.

    folder, clean: ImageSets folders. Clean words are those of `clean`, else the ``*_org`` keys of
    the noisy files. Raises `InputError` where files are missing or faulty, where objects and prompts
    disagree, or where nothing tells the clean words.
    """
    noisy = _read(folder, split)
    if clean is not None:
        return _beside(noisy, _read(clean, split), folder, clean)
    problems = ProblemCollector()
    items = [item for item in (_by_org_keys(one, problems, folder) for one in noisy) if item]
    problems.raise_if_any()
    return items


@dataclass(frozen=True)
class _Read:
    """One object as the two files have it."""

    sequence: str
    entry: ObjectEntry
    expression: Expression

    @property
    def noisy(self) -> Wording:
        return Wording(self.entry.class_id, self.entry.category, self.expression.exp)


_HINT = "make both files together"


def _read(folder: Path, split: str) -> list[_Read]:
    style = name_expressions_file(split, MAIN_STYLE)
    objects = _by_sequence(folder / name_objects_file(split), "objects", read_object_entry)
    prompts = _by_sequence(folder / style, "expressions", read_expression)
    problems = ProblemCollector()
    found = []
    for sequence, entries in objects.items():
        of_object: dict[int | None, Expression] = {}
        for each in prompts.get(sequence, ()):
            if each.object_id in of_object:
                what = f"{sequence}, object {each.object_id} has two prompts"
                problems.add(what, folder / style, "keep one")
            of_object[each.object_id] = each
        for entry in entries:
            expression = of_object.get(entry.object_id)
            place = f"{sequence}, object {entry.object_id}"
            if expression is None:
                problems.add(f"{place} has no prompt", folder, _HINT)
            elif expression.class_id not in (None, entry.class_id):
                problems.add(
                    f"{place} is of class {entry.class_id} among the objects, "
                    f"{expression.class_id} among the prompts",
                    folder,
                    _HINT,
                )
            else:
                found.append(_Read(sequence, entry, expression))
    problems.raise_if_any()
    return found


def _by_sequence(path: Path, member: str, read: Callable[[str, Cursor], Any]) -> dict[str, Any]:
    return read_by_folder(Cursor(read_json(path), str(path))["videos"], member, read)


def _by_org_keys(one: _Read, problems: ProblemCollector, folder: Path) -> WordItem | None:
    entry, expression = one.entry, one.expression
    if entry.class_id_org is None or entry.category_org is None or expression.exp_org is None:
        problems.add(
            "the files do not tell the clean words (*_org keys)",
            folder,
            "give the clean dataset as --clean",
        )
        return None
    if expression.class_id_org not in (None, entry.class_id_org):
        problems.add(
            f"{one.sequence}, object {entry.object_id} was of class {entry.class_id_org} among the "
            f"objects, {expression.class_id_org} among the prompts (class_id_org)",
            folder,
            _HINT,
        )
        return None
    clean = Wording(entry.class_id_org, entry.category_org, expression.exp_org)
    return WordItem(one.sequence, entry.object_id, entry.positive, clean, one.noisy)


def _beside(
    noisy: list[_Read], clean: list[_Read], folder: Path, clean_folder: Path
) -> list[WordItem]:
    known = {(one.sequence, one.entry.object_id): one for one in clean}
    places = [(one.sequence, one.entry.object_id) for one in noisy]
    lacking = [place for place in places if place not in known]
    if lacking:
        raise refuse(
            f"lacks {len(lacking)} of {len(places)} objects of the noisy split, such as object "
            f"{lacking[0][1]} of {lacking[0][0]}",
            clean_folder,
            f"give the dataset that {folder} was made from",
        )
    return [
        WordItem(*place, one.entry.positive, known[place].noisy, one.noisy)
        for place, one in zip(places, noisy, strict=True)
    ]


@dataclass(frozen=True)
class NoisyList:
    """The action list of a noisy split.

    sequences: with their clean narrations, where the list tells them. narrations: the clean and the
    noisy one by sequence folder; of those alone whose clean one the list keeps as
    ``narration_org``.
    """

    sequences: tuple[VideoSequence, ...]
    narrations: Mapping[str, tuple[str, str]]

    @property
    def changed(self) -> set[str]:
        """The folders of sequences whose narration changed."""
        return {folder for folder, (old, new) in self.narrations.items() if old != new}


def read_noisy_list(path: Path) -> NoisyList:
    """Read the action list of a noisy split; raises `InputError` with every faulty record."""
    records = [
        record.as_mapping() for record in Cursor(read_json(path), str(path)).iterate_elements()
    ]
    clean = [
        record | {"narration": record["narration_org"]} if _KEPT in record else record
        for record in records
    ]
    problems = ProblemCollector()
    elements = list(Cursor(clean, str(path)).iterate_elements())
    sequences = tuple(number_duplicates(collect_valid(elements, read_record, problems)))
    problems.raise_if_any()
    narrations = {
        sequence.folder: (sequence.narration, str(record.get("narration")))
        for sequence, record in zip(sequences, records, strict=True)
        if _KEPT in record
    }
    return NoisyList(sequences, narrations)


_KEPT = "narration_org"
