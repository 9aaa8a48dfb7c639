"""Compare the text of anybody's noisy split with that of the clean split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    name_expressions_file,
    read_by_folder,
    read_expression,
)
from actiseg_data.records.difference_record import TextDifference, name_sequence
from actiseg_noise.split.text_items import NoisyList, TextItem, read_text_items
from actiseg_noise.text_noise.imported_text import derive_prompt

_HINT = "give the dataset that the noisy text was made from as `clean`, or correct the file"


@dataclass(frozen=True)
class NoisyText:
    """The text of a noisy split, joined with the clean text.

    Attributes
    ----------
    items : mapping of str to mapping of int to TextItem
        By sequence folder and object id; only the sequences that the noisy split has.
    """

    items: Mapping[str, Mapping[int, TextItem]]

    @property
    def prompts(self) -> int:
        """The number of objects with a prompt."""
        return sum(map(len, self.items.values()))


def read_noisy_text(lists: Path, clean: Split, action_list: NoisyList | None) -> NoisyText:
    """Read the text of a noisy split and check that it fits the clean split.

    Parameters
    ----------
    lists : Path
        Folder of the noisy lists.
    clean : Split
        The clean split.
    action_list : NoisyList or None
        The action list of the noisy split, if it has one.

    Raises
    ------
    InputError
        If objects are missing or have other labels, if narrations differ, or if the prompts of the
        styles do not agree, with every such fault.
    """
    items: dict[str, dict[int, TextItem]] = {}
    for item in read_text_items(lists, clean.name, clean.root / IMAGE_SETS):
        items.setdefault(item.sequence, {})[item.object_id] = item
    problems = ProblemCollector()
    for sequence in clean.sequences:
        by_id = items.get(sequence.folder)
        if by_id is None:
            continue
        for label in sequence.objects:
            noisy = by_id.get(label.object_id)
            if noisy is None or noisy.positive != label.positive:
                fault = "is missing" if noisy is None else "has another label 'positive'"
                what = f"{sequence.folder}: object {label.object_id} ({label.name!r}) {fault}"
                problems.add(what, lists, _HINT)
    _check_narrations(clean, action_list, lists, problems)
    text = NoisyText(items)
    if not problems.collected:
        _check_styles(text, lists, clean, problems)
    problems.raise_if_any()
    return text


def compare_noisy_text(text: NoisyText, clean: Split) -> dict[str, dict[int, TextDifference]]:
    """Collect the new text of the objects whose text differs, by sequence and object id."""
    changes = {}
    for sequence in clean.sequences:
        changed = {
            object_id: make_difference(item)
            for object_id, item in text.items.get(sequence.folder, {}).items()
            if item.clean != item.noisy
        }
        if changed:
            changes[name_sequence(sequence.identity)] = changed
    return changes


def make_difference(item: TextItem) -> TextDifference:
    """Describe the new text of an object."""
    noisy = item.noisy
    expected = noisy.name + item.clean.tail
    return TextDifference(
        noisy.class_id, noisy.name, None if noisy.prompt == expected else noisy.prompt
    )


def _check_narrations(
    clean: Split, action_list: NoisyList | None, lists: Path, problems: ProblemCollector
) -> None:
    if action_list is None:
        return
    known = {sequence.folder: sequence.narration for sequence in clean.sequences}
    for sequence in action_list.sequences:
        old, new = action_list.narrations.get(sequence.folder, (sequence.narration,) * 2)
        if known.get(sequence.folder, old) != old or old != new:
            what = f"the narration of {sequence.folder} differs from the clean one"
            hint = "an import takes masks, names and prompts; give a list with clean narrations"
            problems.add(what, lists / f"{clean.name}.json", hint)


def _check_styles(text: NoisyText, lists: Path, clean: Split, problems: ProblemCollector) -> None:
    """Check that the prompts in the other styles have the names and endings of the main style."""
    for style in CONNECTORS:
        name = name_expressions_file(clean.name, style)
        if style == MAIN_STYLE or not (lists / name).is_file() or not clean.has_document(name):
            continue
        old = {
            (folder, prompt.object_id): prompt.exp
            for folder, prompts in clean.read_expressions(style).items()
            for prompt in prompts
        }
        videos = Cursor(read_json(lists / name), str(lists / name))["videos"]
        for folder, prompts in read_by_folder(videos, "expressions", read_expression).items():
            for prompt in prompts:
                item = text.items.get(folder, {}).get(prompt.object_id or 0)
                if item is None or (folder, prompt.object_id) not in old:
                    continue
                expected = old[folder, prompt.object_id]
                if item.clean != item.noisy:
                    new = make_difference(item)
                    expected = derive_prompt(new, style, expected, item.clean.name)
                if prompt.exp != expected:
                    what = f"{folder}: {prompt.exp[:60]!r} does not agree with the prompt in the "
                    what += f"style {MAIN_STYLE}; it would be {expected[:60]!r}"
                    hint = "correct the file, or remove it: its prompts are then derived"
                    problems.add(what, lists / name, hint)
