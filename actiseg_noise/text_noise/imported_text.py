"""The text of an imported noisy split: rewrite the documents of a clean split by differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.files import encode_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    name_expressions_file,
    name_objects_file,
)
from actiseg_data.records.difference_record import TextDifference, name_sequence
from actiseg_data.records.ledger_record import TextRow
from actiseg_noise.text_noise.assignment import CATEGORY, WITHIN
from actiseg_noise.text_noise.rewording import (
    find_object_fault,
    find_prompt_fault,
    iterate_entries,
    make_hint,
)
from actiseg_noise.text_noise.sequence_words import Thresholds
from actiseg_noise.text_noise.text_plan import TextPlan, refuse_missing_text

Changes = Mapping[str, Mapping[int, TextDifference]]
"""The new text of objects, by sequence and object id."""


def plan_imported_text(
    split: ActionSplit, sequences: Sequence[VideoSequence], changes: Changes, lexicon: Lexicon
) -> TextPlan:
    """Rewrite the documents of a split in memory, as an imported noisy split has them.

    Parameters
    ----------
    split : Split
        The clean split.
    sequences : sequence of VideoSequence
        The sequences of the split that get the new text.
    changes : mapping
        `actiseg_data.records.difference_record.Differences.text`.
    lexicon : Lexicon
        For the senses of names.

    Raises
    ------
    InputError
        If a document of the split is missing, inconsistent or already noisy.
    """
    refuse_missing_text(split)
    rewriter = _ImportedRewriter(split, changes, lexicon)
    styles = {name_expressions_file(split.name, style): style for style in CONNECTORS}
    problems = ProblemCollector()
    documents, digests = {}, {}
    for name in (*styles, name_objects_file(split.name)):
        if not split.has_document(name):
            continue
        with problems.collect():
            document, _ = split.read_image_set(name, sequences)
            rewriter.rewrite(name, styles.get(name), document["videos"], sequences)
            path = f"{IMAGE_SETS}/{name}"
            documents[path], digests[path] = encode_json(document), digest_json(document)
    problems.raise_if_any()
    rows = [row for rows in rewriter.rows.values() for row in rows]
    count = sum(len(sequence.objects) for sequence in sequences)
    flipped = sum(row.kind == CATEGORY for row in rows)
    tally = Counter(dict.fromkeys(("all_items", "items", "changeable", "flip_items"), count))
    tally.update(flipped=flipped, rest_items=count - flipped, substituted=len(rows) - flipped)
    return TextPlan(Thresholds(0.0, 0.0), documents, digests, rewriter.rows, tally)


def derive_prompt(new: TextDifference, style: str, old: str, clean_name: str) -> str:
    """Return the new prompt of an object in one style.

    Parameters
    ----------
    new : TextDifference
        The new text of the object.
    style : str
        One of `CONNECTORS`.
    old : str
        The clean prompt in this style.
    clean_name : str
        The clean name, which the clean prompt begins with.

    Examples
    --------
    >>> derive_prompt(TextDifference(4, "knife"), "action", "cup, take cup", "cup")
    'knife, take cup'
    >>> derive_prompt(TextDifference(4, "knife", "knife: x"), "promptaction", "cup: y", "cup")
    'knife: x'
    """
    if new.prompt is None:
        return new.name + old[len(clean_name) :]
    if style == MAIN_STYLE:
        return new.prompt
    connector = CONNECTORS[style]
    if connector is None:
        return new.name
    ending = new.prompt[len(new.name) :].removeprefix(CONNECTORS[MAIN_STYLE] or "")
    return new.name + connector + ending


class _ImportedRewriter:
    """Rewrites the documents of a split one at a time, and collects the ledger's rows."""

    def __init__(self, split: ActionSplit, changes: Changes, lexicon: Lexicon) -> None:
        self.rows: dict[str, list[TextRow]] = {}
        self._lists = split.root / IMAGE_SETS
        self._changes = changes
        self._lexicon = lexicon

    def rewrite(
        self, name: str, style: str | None, videos: Any, sequences: Sequence[VideoSequence]
    ) -> None:
        """Rewrite the prompts of a style, or without a style the objects, in place."""
        where = self._lists / name
        member = "objects" if style is None else "expressions"
        problems = ProblemCollector()
        for sequence, labels, entries in iterate_entries(
            videos, member, sequences, where, problems
        ):
            changes = self._changes.get(name_sequence(sequence.identity), {})
            rows = self.rows.setdefault(sequence.folder, [])
            seen = set()
            for label, entry in _check_entries(sequence, labels, entries, style, where, problems):
                seen.add(label.object_id)
                new = changes.get(label.object_id)
                if style is None:
                    _rewrite_object(entry, label, new)
                    continue
                old = entry["exp"]
                if new is not None:
                    entry["class_id"] = new.class_id
                    entry["exp"] = derive_prompt(new, style, old, label.name)
                entry["class_id_org"], entry["exp_org"] = label.class_id, old
                if new is not None and style == MAIN_STYLE:
                    rows.append(self._make_row(sequence, label, new, (old, entry["exp"])))
            for label in sequence.objects:
                if label.object_id not in seen and not problems.collected:
                    what = f"{sequence.folder} lacks the object {label.name!r}"
                    problems.add(what, where, make_hint(what))
        problems.raise_if_any()

    def _make_row(
        self,
        sequence: VideoSequence,
        label: ObjectLabel,
        new: TextDifference,
        prompts: tuple[str, str],
    ) -> TextRow:
        """Make a ledger row. A class that the lexicon lacks has no sense, and no similarity."""
        classes = self._lexicon.classes
        old_noun, new_noun = classes.get(label.class_id), classes.get(new.class_id)
        similarity = 0.0
        if old_noun is not None and new_noun is not None:
            similarity = round(self._lexicon.measure_similarity(label.class_id, new.class_id), 6)
        return TextRow(
            sequence=sequence.folder,
            object_id=label.object_id,
            object=label.name,
            kind=WITHIN if new.class_id == label.class_id else CATEGORY,
            parameters={},
            class_id_org=label.class_id,
            class_id=new.class_id,
            name=new.name,
            prompt_org=prompts[0],
            prompt=prompts[1],
            synset_org="" if old_noun is None else old_noun.synset,
            synset="" if new_noun is None else new_noun.synset,
            similarity=similarity,
        )


def _rewrite_object(entry: dict[str, Any], label: ObjectLabel, new: TextDifference | None) -> None:
    old = entry["category"]
    if new is not None:
        entry["category"], entry["class_id"] = new.name, new.class_id
    entry["class_id_org"], entry["category_org"] = label.class_id, old


def _check_entries(
    sequence: VideoSequence,
    labels: Mapping[str, ObjectLabel],
    entries: Mapping[str, Any],
    style: str | None,
    where: Path,
    problems: ProblemCollector,
) -> Iterator[tuple[ObjectLabel, dict[str, Any]]]:
    """Yield the entries that agree with the list, with their labels; collect the other faults."""
    for key, entry in entries.items():
        if style is None:
            label = labels.get(key)
            fault = find_object_fault(label, entry, f"{sequence.folder}, object {key!r}")
        else:
            object_id = entry.get("obj_id") if isinstance(entry, dict) else None
            label = labels.get(object_id) if isinstance(object_id, str) else None
            fault = find_prompt_fault(label, entry, sequence, key)
        if fault or label is None:
            problems.add(fault, where, make_hint(fault))
        else:
            yield label, entry
