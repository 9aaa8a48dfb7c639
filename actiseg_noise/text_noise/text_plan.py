"""Settle the text noise of a whole split: what is selected, and the documents that say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from actiseg_data.annotations.lexicon import Lexicon, refuse_unknown_classes
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import encode_json
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split
from actiseg_data.layouts.image_sets import (
    MAIN_STYLE,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
)
from actiseg_data.records.split_records import Recipe, TextRow
from actiseg_noise.text_noise.rewording import DocumentRewriter
from actiseg_noise.text_noise.sequence_words import (
    TextCorruptor,
    TextOptions,
    Thresholds,
    compute_exact_thresholds,
)


@dataclass(frozen=True)
class TextPlan:
    """The reworded documents of a split.

    documents: as they are written, by file name; those that stay as they are have none. digests: of
    their content. rows: ledger rows by sequence folder. tally: see `TextChanges` and `DocumentRewriter`.
    """

    thresholds: Thresholds
    documents: Mapping[str, bytes]
    digests: Mapping[str, str]
    rows: Mapping[str, Sequence[TextRow]]
    tally: Counter[str]


def plan_text(
    split: Split, recipe: Recipe, sequences: Sequence[VideoSequence], lexicon: Lexicon | None = None
) -> TextPlan:
    """Draw the text noise of some sequences and reword their documents, in memory.

    An exact recipe is settled over the whole split all the same, so that a part agrees with the
    whole. Raises `InputError` where documents are missing, disagree or are noisy already, and where
    the lexicon or the matrix of flips lacks a class.
    """
    with pause_gc():
        return _plan_text(split, recipe, sequences, lexicon)


def _plan_text(
    split: Split, recipe: Recipe, sequences: Sequence[VideoSequence], lexicon: Lexicon | None
) -> TextPlan:
    noise = TextCorruptor(recipe, lexicon)
    exact = noise.noise.exact
    surveyed = split.sequences if exact else sequences
    _refuse_missing(split)
    _refuse_classes(noise, surveyed, split)
    thresholds = noise.thresholds
    # One at a time, unless the share of all has to be settled first.
    options: Iterable[tuple[VideoSequence, TextOptions]]
    options = ((sequence, noise.options(sequence)) for sequence in surveyed)
    if exact:
        options = list(options)
        items = (item for _, of in options for item in of.items)
        thresholds = compute_exact_thresholds(items, thresholds)
    wanted = {sequence.folder for sequence in sequences}
    words = {
        sequence.folder: noise.choose(of, thresholds, sequence.narration)
        for sequence, of in options
        if sequence.folder in wanted
    }
    rewording = DocumentRewriter(noise, words)
    documents, digests = {}, {}
    problems = ProblemCollector()
    for name in _list_changed_files(split, noise):
        with problems.collect():
            document, _ = split.image_set(name, sequences)
            rewording.rewrite(split, name, sequences, document)
            documents[name] = encode_json(document)
            digests[name] = digest_json(document)
    problems.raise_if_any()
    tally = sum((of.tally for of in words.values()), rewording.tally)
    return TextPlan(thresholds, documents, digests, rewording.rows, tally)


def _list_changed_files(split: Split, noise: TextCorruptor) -> Iterable[str]:
    for name in name_image_sets_files(split.name):
        is_list = name == f"{split.name}.json"
        if noise.noise.scope == "narration" if is_list else split.has_document(name):
            yield name


def _refuse_missing(split: Split) -> None:
    problems = ProblemCollector()
    for name in (name_expressions_file(split.name, MAIN_STYLE), name_objects_file(split.name)):
        if not split.has_document(name):
            problems.add(
                "is missing: text noise needs the prompts and the objects of the split",
                split.root / IMAGE_SETS / name,
                "make them with actiseg-noise prepare, or fetch them beside the list",
            )
    problems.raise_if_any()


def _refuse_classes(noise: TextCorruptor, sequences: Sequence[VideoSequence], split: Split) -> None:
    """Refuse classes that the lexicon, or the matrix where there is one, does not know."""
    where = split.root / IMAGE_SETS / f"{split.name}.json"
    if noise.noise.scope == "narration":
        return  # a noun that the lexicon does not have is handled and counted
    used = {
        label.class_id: label.name
        for sequence in sequences
        for label in sequence.objects
        if noise.assigner.is_eligible(label)
    }
    refuse_unknown_classes(noise.lexicon, used, where)
    matrix = noise.noise.parameters.get("matrix")
    if matrix is not None:
        lacking = sorted(class_id for class_id in used if str(class_id) not in matrix)
        if lacking:
            names = (f"{at} ({noise.lexicon.classes[at].name})" for at in lacking)
            raise refuse(
                f"has no row for {len(lacking)} classes that the dataset has: {', '.join(names)}",
                "the matrix of flips (--matrix)",
                "add a row for each, or --protect the class",
            )
