"""Compare the text of anybody's noisy split with that of the clean split."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    name_expressions_file,
    read_by_folder,
    read_expression,
)
from actiseg_data.records.difference_record import TextDifference, name_sequence
from actiseg_noise.kits.sequence_matching import SequenceMatches, match_sequences
from actiseg_noise.split.text_items import (
    ListedText,
    NoisyList,
    ObjectText,
    TextItem,
    read_listed_texts,
)
from actiseg_noise.text_noise.imported_text import derive_prompt

_HINT = "give the dataset that the noisy text was made from as `clean`, or correct the file"
_ENDING = re.compile(r"\.(?:png|jpe?g)$", re.IGNORECASE)


@dataclass(frozen=True)
class NoisyText:
    """The text of a noisy split, joined with the clean text.

    Attributes
    ----------
    items : mapping of str to mapping of int to TextItem
        By the folder of the clean sequence and object id; only the sequences that the noisy split
        has.
    matches : SequenceMatches
        The names of these sequences in the noisy split.
    """

    items: Mapping[str, Mapping[int, TextItem]]
    matches: SequenceMatches

    @property
    def prompts(self) -> int:
        """The number of objects with a prompt."""
        return sum(map(len, self.items.values()))


def read_noisy_text(lists: Path, clean: ActionSplit, action_list: NoisyList | None) -> NoisyText:
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
        If objects are missing, unknown or have other labels; if ``*_org`` keys or narrations differ
        from the clean text; if prompts do not begin with the noisy name, or do not agree with those
        of another style. The error has every such fault.
    """
    noisy = _group_by_object(read_listed_texts(lists, clean.name))
    frames = _read_frames(lists / name_expressions_file(clean.name, MAIN_STYLE))
    matches = match_sequences(clean.sequences, frames, lists)
    originals = _group_by_object(read_listed_texts(clean.root / IMAGE_SETS, clean.name))
    problems = ProblemCollector()
    items: dict[str, dict[int, TextItem]] = {}
    for sequence in clean.sequences:
        name = matches.names.get(sequence.folder)
        if name is None:
            continue
        texts, old = noisy.get(name, {}), originals.get(sequence.folder, {})
        labels = {label.object_id: label for label in sequence.objects}
        items[sequence.folder] = {}
        for number in sorted(labels.keys() | texts.keys()):
            place = f"{name}, object {number}"
            label, text, source = labels.get(number), texts.get(number), old.get(number)
            if label is None:
                problems.add(f"{place} is not in the clean list", lists, _HINT)
            elif text is None:
                problems.add(f"{place} ({label.name!r}) is missing", lists, _HINT)
            elif source is None:
                problems.add(f"{place} ({label.name!r}) has no clean prompt", lists, _HINT)
            else:
                item = TextItem(sequence.folder, number, label.positive, source.shown, text.shown)
                items[sequence.folder][number] = item
                for fault in _find_faults(label, text, item):
                    problems.add(f"{place} {fault}", lists, _HINT)
    _check_narrations(clean, matches, action_list, lists, problems)
    read = NoisyText(items, matches)
    if not problems.collected:
        _check_styles(read, lists, clean, problems)
    problems.raise_if_any()
    return read


def compare_noisy_text(text: NoisyText, clean: ActionSplit) -> dict[str, dict[int, TextDifference]]:
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


def _group_by_object(texts: list[ListedText]) -> dict[str, dict[int, ListedText]]:
    grouped: dict[str, dict[int, ListedText]] = {}
    for text in texts:
        grouped.setdefault(text.sequence, {})[text.entry.object_id] = text
    return grouped


def _read_frames(path: Path) -> dict[str, frozenset[str]]:
    """Read the frames of each sequence from a file of prompts; empty where it has none."""

    def read(video: Any) -> frozenset[str]:
        frames = video.get("frames")
        if not isinstance(frames, list):
            return frozenset()
        return frozenset(_ENDING.sub("", frame) for frame in frames if isinstance(frame, str))

    videos = Cursor(read_json(path), str(path))["videos"].iterate_members()
    return {name: read(video.as_mapping()) for name, video in videos}


def _find_faults(label: ObjectLabel, text: ListedText, item: TextItem) -> Iterator[str]:
    """Find what an import cannot keep in the text of an object, a predicate for each."""
    if text.entry.positive != label.positive:
        yield f"({label.name!r}) has another label 'positive'"
    for key, kept, clean in (
        ("class_id_org", text.entry.class_id_org, item.clean.class_id),
        ("class_id_org", text.expression.class_id_org, item.clean.class_id),
        ("category_org", text.entry.category_org, item.clean.name),
        ("exp_org", text.expression.exp_org, item.clean.prompt),
    ):
        if kept is not None and kept != clean:
            yield f"has the {key} {kept!r:.80}, but is {clean!r:.80} in the clean dataset"
    if item.clean != item.noisy and not _has_name_first(item.noisy):
        name, prompt = item.noisy.name, item.noisy.prompt
        yield f"has a prompt that does not begin with its name {name!r:.60}: {prompt!r:.60}"


def _has_name_first(text: ObjectText) -> bool:
    """Return whether a prompt begins with a name as a whole word; the case does not count."""
    size = len(text.name)
    begins = text.prompt[:size].casefold() == text.name.casefold()
    return bool(text.name.strip()) and begins and not text.prompt[size : size + 1].isalnum()


def _check_narrations(
    clean: ActionSplit,
    matches: SequenceMatches,
    action_list: NoisyList | None,
    lists: Path,
    problems: ProblemCollector,
) -> None:
    if action_list is None:
        return
    listed = {sequence.folder: sequence.narration for sequence in action_list.sequences}
    for sequence in clean.sequences:
        name = matches.names.get(sequence.folder, sequence.folder)
        kept = listed.get(name, sequence.narration)
        old, new = action_list.narrations.get(name, (kept, kept))
        if not sequence.narration == old == new:
            what = f"the narration of {name} differs from the clean one"
            hint = "an import takes masks, names and prompts; give a list with clean narrations"
            problems.add(what, lists / f"{clean.name}.json", hint)


def _check_styles(
    text: NoisyText, lists: Path, clean: ActionSplit, problems: ProblemCollector
) -> None:
    """Check that the prompts in the other styles have the names and endings of the main style."""
    for style in CONNECTORS:
        name = name_expressions_file(clean.name, style)
        if style == MAIN_STYLE or not (lists / name).is_file() or not clean.has_document(name):
            continue
        old = clean.read_expressions(style)
        videos = Cursor(read_json(lists / name), str(lists / name))["videos"]
        new = read_by_folder(videos, "expressions", read_expression)
        for folder, theirs in text.matches.names.items():
            prompts = {prompt.object_id: prompt.exp for prompt in old.get(folder, ())}
            for prompt in new.get(theirs, ()):
                item = text.items[folder].get(prompt.object_id or 0)
                if item is None or prompt.object_id not in prompts:
                    continue
                kept = expected = prompts[prompt.object_id]
                if item.clean != item.noisy:
                    difference = make_difference(item)
                    expected = derive_prompt(difference, style, kept, item.clean.name)
                if prompt.exp_org not in (None, kept):
                    what = f"{theirs}: the exp_org {prompt.exp_org!r:.60} is {kept!r:.60} in the "
                    problems.add(f"{what}clean dataset", lists / name, _HINT)
                if prompt.exp != expected:
                    what = f"{theirs}: {prompt.exp[:60]!r} does not agree with the prompt in the "
                    what += f"style {MAIN_STYLE}; it would be {expected[:60]!r}"
                    hint = "correct the file, or remove it: its prompts are then derived"
                    problems.add(what, lists / name, hint)
