"""Rewrite the prompts, objects and list of a split; all other content stays the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import is_plain_text
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    name_expressions_file,
    name_objects_file,
)
from actiseg_data.records.ledger_record import TextRow
from actiseg_noise.text_noise.agreement import match_case
from actiseg_noise.text_noise.assignment import CATEGORY, Replacement
from actiseg_noise.text_noise.sequence_words import TextChanges, TextCorruptor
from actiseg_noise.text_noise.text_rows import ReplacedNoun, make_text_row


class DocumentRewriter:
    """Rewrites the documents of a split one at a time, and collects ledger rows and counts.

    Parameters
    ----------
    corruptor : TextCorruptor
        The text noise of the recipe.
    changes : mapping of str to TextChanges
        The changes by sequence folder.

    Attributes
    ----------
    rows : dict of str to list of TextRow
        Ledger rows by sequence folder, once the prompts of `MAIN_STYLE` have been rewritten.
    tally : Counter
        ``narration_without_flipped_noun`` counts prompts that do not mention the flipped class
        although the narration is labelled with it. ``prompts_with_another_narration`` counts
        prompts that do not end in the narration of their sequence; these narrations are kept.
    """

    def __init__(self, corruptor: TextCorruptor, changes: Mapping[str, TextChanges]) -> None:
        self.rows: dict[str, list[TextRow]] = {}
        self.tally: Counter[str] = Counter()
        self._corruptor = corruptor
        self._scope = corruptor.noise.scope
        self._changes = changes

    def rewrite(
        self, split: ActionSplit, name: str, sequences: Sequence[VideoSequence], document: Any
    ) -> None:
        """Rewrite a document in place.

        Parameters
        ----------
        split : Split
            The split of the document.
        name : str
            File name of the document.
        sequences : sequence of VideoSequence
            The sequences in the document.
        document : dict or list
            The document, restricted to the sequences.

        Raises
        ------
        InputError
            With every inconsistency between the document and the list.
        """
        where = split.root / IMAGE_SETS / name
        problems = ProblemCollector()
        styles = {name_expressions_file(split.name, style): style for style in CONNECTORS}
        if name == name_objects_file(split.name):
            self._rewrite_objects(document["videos"], sequences, where, problems)
        elif name in styles:
            self._rewrite_prompts(document["videos"], styles[name], sequences, where, problems)
        elif self._scope == "narration":
            self._rewrite_narrations(document, sequences)
        problems.raise_if_any()

    def _rewrite_objects(
        self,
        videos: Any,
        sequences: Sequence[VideoSequence],
        where: Path,
        problems: ProblemCollector,
    ) -> None:
        for sequence, labels, entries in iterate_entries(
            videos, "objects", sequences, where, problems
        ):
            chosen = self._changes[sequence.folder].objects
            for object_id, entry in entries.items():
                label = labels.get(object_id)
                fault = find_object_fault(label, entry, f"{sequence.folder}, object {object_id!r}")
                if fault or label is None:
                    problems.add(fault, where, make_hint(fault))
                    continue
                replacement = chosen.get(label.object_id)
                old = entry["category"]
                if replacement is not None:
                    entry["category"] = match_case(old, replacement.name.text)
                    entry["class_id"] = replacement.class_id
                entry["class_id_org"], entry["category_org"] = label.class_id, old
            for object_id, label in labels.items():
                if object_id not in entries:
                    what = f"{sequence.folder} lacks the object {object_id!r} ({label.name!r})"
                    problems.add(what, where, make_hint(what))

    def _rewrite_prompts(
        self,
        videos: Any,
        style: str,
        sequences: Sequence[VideoSequence],
        where: Path,
        problems: ProblemCollector,
    ) -> None:
        for sequence, labels, entries in iterate_entries(
            videos, "expressions", sequences, where, problems
        ):
            changes = self._changes[sequence.folder]
            rows: list[TextRow] = []
            if (change := changes.narration) is not None:
                noun = ReplacedNoun(None, change.mention, change.class_id, change.replacement)
                rows.append(
                    make_text_row(
                        self._corruptor, sequence.folder, noun, sequence.narration, change.text
                    )
                )
            named: set[str] = set()
            for exp_id, entry in entries.items():
                object_id = entry.get("obj_id") if isinstance(entry, dict) else None
                label = labels.get(object_id) if isinstance(object_id, str) else None
                fault = find_prompt_fault(label, entry, sequence, exp_id)
                if not fault and object_id in named:
                    fault = f"{sequence.folder} has two prompts for the object {object_id!r}"
                if label is not None:
                    named.add(str(object_id))
                if fault or label is None:
                    problems.add(fault, where, make_hint(fault))
                    continue
                old = entry["exp"]
                replacement = changes.objects.get(label.object_id)
                if replacement is not None:
                    entry["class_id"] = replacement.class_id
                if replacement is not None or changes.narration is not None:
                    entry["exp"] = self._rewrite_prompt(old, style, sequence, label)
                entry["class_id_org"], entry["exp_org"] = label.class_id, old
                if replacement is not None and style == MAIN_STYLE:
                    noun = ReplacedNoun(label.object_id, label.name, label.class_id, replacement)
                    rows.append(
                        make_text_row(self._corruptor, sequence.folder, noun, old, entry["exp"])
                    )
            for object_id, label in labels.items():
                if object_id not in named:
                    what = f"{sequence.folder} has no prompt for the object {label.name!r}"
                    problems.add(what, where, make_hint(what))
            if style == MAIN_STYLE:
                self.rows[sequence.folder] = rows

    def _rewrite_narrations(self, records: Any, sequences: Sequence[VideoSequence]) -> None:
        for sequence, record in zip(sequences, records, strict=True):
            change = self._changes[sequence.folder].narration
            old = record["narration"]
            if change is not None:
                record["narration"] = change.text
            record["narration_org"] = old

    def _rewrite_prompt(
        self, prompt: str, style: str, sequence: VideoSequence, label: ObjectLabel
    ) -> str:
        """Replace the name in a prompt and, if the scope includes it, in the prompt's narration."""
        changes = self._changes[sequence.folder]
        name, rest = prompt[: len(label.name)], prompt[len(label.name) :]
        replacement = changes.objects.get(label.object_id)
        if replacement is not None:
            name = match_case(name, replacement.name.text)
        connector = CONNECTORS[style]
        if connector is not None and rest.startswith(connector):
            narration = rest[len(connector) :]
            if changes.narration is not None:
                same = narration == sequence.narration
                narration = changes.narration.text if same else narration
                self.tally["prompts_with_another_narration"] += not same and style == MAIN_STYLE
            elif replacement is not None and replacement.kind == CATEGORY:
                narration = self._edit_narration(narration, label, replacement, style)
            rest = connector + narration
        return name + rest

    def _edit_narration(
        self, narration: str, label: ObjectLabel, new: Replacement, style: str
    ) -> str:
        """Replace the noun of the flipped class in a prompt's narration, under scope ``both``."""
        if self._scope != "both":
            return narration
        assert self._corruptor.finder is not None, "this scope has a finder"
        edited = self._corruptor.finder.replace(narration, label.class_id, new.name)
        if edited is None and style == MAIN_STYLE:
            self.tally["narration_without_flipped_noun"] += label.narration
        return narration if edited is None else edited


def iterate_entries(
    videos: Any,
    member: str,
    sequences: Sequence[VideoSequence],
    where: Path,
    problems: ProblemCollector,
) -> Iterator[tuple[VideoSequence, dict[str, ObjectLabel], dict[str, Any]]]:
    """Yield each sequence with its labels by object id (text), and its entries in the document."""
    for sequence in sequences:
        video = videos[sequence.folder]
        entries = video.get(member) if isinstance(video, dict) else None
        if not isinstance(entries, dict):
            what = f"{sequence.folder} has no {member}"
            problems.add(what, where, make_hint(what))
            continue
        labels = {str(label.object_id): label for label in sequence.objects}
        yield sequence, labels, entries


def find_object_fault(label: ObjectLabel | None, entry: Any, place: str) -> str:
    """Return how an entry of an objects file contradicts the list; empty if it agrees."""
    if not isinstance(entry, dict):
        return f"{place} is not a JSON object"
    if "category_org" in entry or "class_id_org" in entry:
        return _NOISY
    if label is None:
        return f"{place} is not in the list"
    if entry.get("category") != label.name or not _is_class(entry, label):
        given = f"{entry.get('category')!r} of class {entry.get('class_id')!r}"
        return f"{place} is {given}, but {label.name!r} of class {label.class_id} in the list"
    return ""


def find_prompt_fault(
    label: ObjectLabel | None, entry: Any, sequence: VideoSequence, exp_id: str
) -> str:
    """Return how a prompt contradicts the list; empty if it agrees."""
    place = f"{sequence.folder}, prompt {exp_id!r}"
    if not isinstance(entry, dict) or not isinstance(entry.get("exp"), str):
        return f"{place} has no text 'exp'"
    if "exp_org" in entry or "class_id_org" in entry:
        return _NOISY
    if label is None:
        return f"{place}: the object id {entry.get('obj_id')!r} is not in the list"
    if not _is_class(entry, label):
        return f"{place} has class {entry.get('class_id')!r}, but {label.class_id} in the list"
    prompt = entry["exp"]
    if not prompt.startswith(label.name) and (
        prompt[: len(label.name)].casefold() != label.name.casefold()
    ):
        return f"{place} does not begin with the object's name {label.name!r}: {prompt[:60]!r}"
    if not is_plain_text(prompt):
        return f"{place} has control characters"
    return ""


def _is_class(entry: dict[str, Any], label: ObjectLabel) -> bool:
    class_id = entry.get("class_id")
    return type(class_id) is int and class_id == label.class_id


_NOISY = "already has noisy prompts, with the clean ones as *_org"


def make_hint(fault: str) -> str:
    """Return the hint for a fault of a document."""
    if fault == _NOISY:
        return "give the clean dataset"
    return "make list, prompts and objects together (actiseg-noise prepare), or correct the file"
