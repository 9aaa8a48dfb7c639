"""The prompts, objects and list of a split, reworded: everything untouched stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.validation import is_plain_text
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    name_expressions_file,
    name_objects_file,
)
from actiseg_data.records.split_records import TextRow
from actiseg_noise.text_noise.agreement import match_case
from actiseg_noise.text_noise.assignment import CATEGORY, Replacement
from actiseg_noise.text_noise.sequence_words import TextChanges, TextCorruptor


class DocumentRewriter:
    """Rewrites the documents of a split, one at a time, and keeps what the ledger and the summary
    need to know of it.

    noise: of the recipe. words: of each sequence's folder. rows: ledger rows by folder, there when
    the prompts of `MAIN_STYLE` were rewritten. tally: ``narration_without_flipped_noun`` counts
    prompts whose narration is labelled with the flipped class, but does not name it;
    ``prompts_with_another_narration`` those that do not end in their sequence's, which stay.
    """

    def __init__(self, noise: TextCorruptor, words: Mapping[str, TextChanges]) -> None:
        self.rows: dict[str, list[TextRow]] = {}
        self.tally: Counter[str] = Counter()
        self._noise = noise
        self._scope = noise.noise.scope
        self._words = words

    def rewrite(
        self, split: Split, name: str, sequences: Sequence[VideoSequence], document: Any
    ) -> None:
        """Reword a document in place.

        name: of its file. document: cut to the sequences. Raises `InputError` with everything in which
        it disagrees with the list.
        """
        where = split.root / IMAGE_SETS / name
        problems = ProblemCollector()
        styles = {name_expressions_file(split.name, style): style for style in CONNECTORS}
        if name == name_objects_file(split.name):
            self._objects(document["videos"], sequences, where, problems)
        elif name in styles:
            self._expressions(document["videos"], styles[name], sequences, where, problems)
        elif self._scope == "narration":
            self._narrations(document, sequences)
        problems.raise_if_any()

    def _objects(
        self,
        videos: Any,
        sequences: Sequence[VideoSequence],
        where: Path,
        problems: ProblemCollector,
    ) -> None:
        for sequence, labels, entries in _iterate_entries(
            videos, "objects", sequences, where, problems
        ):
            chosen = self._words[sequence.folder].objects
            for object_id, entry in entries.items():
                label = labels.get(object_id)
                fault = _find_object_fault(label, entry, f"{sequence.folder}, object {object_id!r}")
                if fault or label is None:
                    problems.add(fault, where, _make_hint(fault))
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
                    problems.add(what, where, _make_hint(what))

    def _expressions(
        self,
        videos: Any,
        style: str,
        sequences: Sequence[VideoSequence],
        where: Path,
        problems: ProblemCollector,
    ) -> None:
        for sequence, labels, entries in _iterate_entries(
            videos, "expressions", sequences, where, problems
        ):
            words = self._words[sequence.folder]
            rows: list[TextRow] = []
            if (change := words.narration) is not None:
                noun = (change.mention, change.class_id, change.replacement)
                texts = (sequence.narration, change.text)
                rows.append(self._row(sequence, None, *noun, *texts))
            named: set[str] = set()
            for exp_id, entry in entries.items():
                object_id = entry.get("obj_id") if isinstance(entry, dict) else None
                label = labels.get(object_id) if isinstance(object_id, str) else None
                fault = _find_prompt_fault(label, entry, sequence, exp_id)
                if not fault and object_id in named:
                    fault = f"{sequence.folder} has two prompts for the object {object_id!r}"
                if label is not None:
                    named.add(str(object_id))
                if fault or label is None:
                    problems.add(fault, where, _make_hint(fault))
                    continue
                old = entry["exp"]
                replacement = words.objects.get(label.object_id)
                if replacement is not None:
                    entry["class_id"] = replacement.class_id
                if replacement is not None or words.narration is not None:
                    entry["exp"] = self._reworded(old, style, sequence, label)
                entry["class_id_org"], entry["exp_org"] = label.class_id, old
                if replacement is not None and style == MAIN_STYLE:
                    changed = (label.name, label.class_id, replacement)
                    texts = (old, entry["exp"])
                    rows.append(self._row(sequence, label.object_id, *changed, *texts))
            for object_id, label in labels.items():
                if object_id not in named:
                    what = f"{sequence.folder} has no prompt for the object {label.name!r}"
                    problems.add(what, where, _make_hint(what))
            if style == MAIN_STYLE:
                self.rows[sequence.folder] = rows

    def _narrations(self, records: Any, sequences: Sequence[VideoSequence]) -> None:
        for sequence, record in zip(sequences, records, strict=True):
            change = self._words[sequence.folder].narration
            old = record["narration"]
            if change is not None:
                record["narration"] = change.text
            record["narration_org"] = old

    def _reworded(
        self, prompt: str, style: str, sequence: VideoSequence, label: ObjectLabel
    ) -> str:
        """A prompt with its noun, and where the scope says so, its narration replaced."""
        words = self._words[sequence.folder]
        name, rest = prompt[: len(label.name)], prompt[len(label.name) :]
        replacement = words.objects.get(label.object_id)
        if replacement is not None:
            name = match_case(name, replacement.name.text)
        connector = CONNECTORS[style]
        if connector is not None and rest.startswith(connector):
            narration = rest[len(connector) :]
            if words.narration is not None:
                same = narration == sequence.narration
                narration = words.narration.text if same else narration
                self.tally["prompts_with_another_narration"] += not same and style == MAIN_STYLE
            elif replacement is not None and replacement.kind == CATEGORY:
                narration = self._edited(narration, label, replacement, style)
            rest = connector + narration
        return name + rest

    def _edited(self, narration: str, label: ObjectLabel, new: Replacement, style: str) -> str:
        """A prompt's narration with the flipped class's noun replaced, under the scope ``both``."""
        if self._scope != "both":
            return narration
        assert self._noise.finder is not None, "made for this scope"
        edited = self._noise.finder.replace(narration, label.class_id, new.name)
        if edited is None and style == MAIN_STYLE:
            self.tally["narration_without_flipped_noun"] += label.narration
        return narration if edited is None else edited

    def _row(
        self,
        sequence: VideoSequence,
        object_id: int | None,
        name: str,
        class_id: int,
        new: Replacement,
        old: str,
        prompt: str,
    ) -> TextRow:
        parameters = self._noise.noise.parameters
        how = "flip" if new.kind == CATEGORY else "names"
        return TextRow(
            sequence=sequence.folder,
            object_id=object_id,
            object=name,
            kind=new.kind,
            parameters={how: parameters[how]},
            class_id_org=class_id,
            class_id=new.class_id,
            name=new.name.text,
            prompt_org=old,
            prompt=prompt,
            synset_org=self._noise.lexicon.classes[class_id].synset,
            synset=new.synset,
            similarity=new.similarity,
        )


def _iterate_entries(
    videos: Any,
    member: str,
    sequences: Sequence[VideoSequence],
    where: Path,
    problems: ProblemCollector,
) -> Iterator[tuple[VideoSequence, dict[str, ObjectLabel], dict[str, Any]]]:
    """Each sequence with its labels by object id, as text, and its entries in the document."""
    for sequence in sequences:
        video = videos[sequence.folder]
        entries = video.get(member) if isinstance(video, dict) else None
        if not isinstance(entries, dict):
            what = f"{sequence.folder} has no {member}"
            problems.add(what, where, _make_hint(what))
            continue
        labels = {str(label.object_id): label for label in sequence.objects}
        yield sequence, labels, entries


def _find_object_fault(label: ObjectLabel | None, entry: Any, place: str) -> str:
    """In what an entry of an objects file disagrees with the list; nothing where it agrees."""
    if not isinstance(entry, dict):
        return f"{place} is no JSON object"
    if "category_org" in entry or "class_id_org" in entry:
        return _NOISY
    if label is None:
        return f"{place} is not in the list"
    if entry.get("category") != label.name or not _is_class(entry, label):
        stands = f"{entry.get('category')!r} of class {entry.get('class_id')!r}"
        return f"{place} is {stands}, in the list {label.name!r} of class {label.class_id}"
    return ""


def _find_prompt_fault(
    label: ObjectLabel | None, entry: Any, sequence: VideoSequence, exp_id: str
) -> str:
    """In what a prompt disagrees with the list; nothing where it agrees."""
    place = f"{sequence.folder}, prompt {exp_id!r}"
    if not isinstance(entry, dict) or not isinstance(entry.get("exp"), str):
        return f"{place} has no text 'exp'"
    if "exp_org" in entry or "class_id_org" in entry:
        return _NOISY
    if label is None:
        return f"{place}: the object id {entry.get('obj_id')!r} is not in the list"
    if not _is_class(entry, label):
        return f"{place} has class {entry.get('class_id')!r}, the list {label.class_id}"
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


_NOISY = "holds noisy prompts already: it has the clean ones as *_org"


def _make_hint(fault: str) -> str:
    if fault == _NOISY:
        return "give the clean dataset"
    return "make list, prompts and objects together (actiseg-noise prepare), or correct the file"
