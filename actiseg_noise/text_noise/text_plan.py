"""Plan the text noise of a whole split: select items and rewrite the documents in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from actiseg_data.annotations.lexicon import Lexicon, refuse_unknown_classes
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import encode_json
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import (
    MAIN_STYLE,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
)
from actiseg_data.records.ledger_record import TextRow
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.text_noise.rewording import DocumentRewriter
from actiseg_noise.text_noise.sequence_words import (
    TextCorruptor,
    TextOptions,
    Thresholds,
    compute_exact_thresholds,
)


@dataclass(frozen=True)
class TextPlan:
    """The text noise of a split.

    Attributes
    ----------
    thresholds : Thresholds
        Thresholds of the draws.
    documents : mapping of str to bytes
        The changed documents by relative path.
    digests : mapping of str to str
        Digests of their content.
    rows : mapping of str to sequence of TextRow
        Ledger rows by sequence folder.
    tally : Counter
        Counts; see `TextChanges` and `DocumentRewriter`, or for expressions `ExpressionPlan`.
    expressions : mapping of str to int
        The number of referring expressions by sequence folder; empty for action lists.
    """

    thresholds: Thresholds
    documents: Mapping[str, bytes]
    digests: Mapping[str, str]
    rows: Mapping[str, Sequence[TextRow]]
    tally: Counter[str]
    expressions: Mapping[str, int] = field(default_factory=dict)


def plan_text(
    split: ActionSplit,
    recipe: Recipe,
    sequences: Sequence[VideoSequence],
    lexicon: Lexicon | None = None,
    known: Thresholds | None = None,
) -> TextPlan:
    """Draw the text noise of sequences, and rewrite the documents of the split in memory.

    Parameters
    ----------
    split : Split
        The clean split.
    recipe : Recipe
        A checked recipe with text noise. Thresholds of an exact recipe come from the whole split,
        so that a part agrees with the whole.
    sequences : sequence of VideoSequence
        The sequences of the split to which noise is added.
    lexicon : Lexicon, optional
        The lexicon that the recipe names, by default the installed one.
    known : Thresholds, optional
        The thresholds of an exact recipe. By default, they are computed from the whole split.

    Raises
    ------
    InputError
        If a document is missing, inconsistent or already noisy, or if the lexicon or the flip
        matrix lacks a class.
    """
    with pause_gc():
        return _plan_text(split, recipe, sequences, lexicon, known)


def _plan_text(
    split: ActionSplit,
    recipe: Recipe,
    sequences: Sequence[VideoSequence],
    lexicon: Lexicon | None,
    known: Thresholds | None,
) -> TextPlan:
    _refuse_scope(recipe)
    corruptor = TextCorruptor(recipe, lexicon)
    exact = corruptor.noise.exact and known is None
    surveyed = split.sequences if exact else sequences
    refuse_missing_text(split)
    _refuse_classes(corruptor, surveyed, split)
    thresholds = known or corruptor.thresholds
    # One sequence at a time, unless the thresholds depend on all of them.
    options: Iterable[tuple[VideoSequence, TextOptions]]
    options = ((sequence, corruptor.find_options(sequence)) for sequence in surveyed)
    if exact:
        options = list(options)
        items = (item for _, text_options in options for item in text_options.items)
        thresholds = compute_exact_thresholds(items, thresholds)
    wanted = {sequence.folder for sequence in sequences}
    changes = {
        sequence.folder: corruptor.choose(text_options, thresholds, sequence.narration)
        for sequence, text_options in options
        if sequence.folder in wanted
    }
    rewriter = DocumentRewriter(corruptor, changes)
    documents, digests = {}, {}
    problems = ProblemCollector()
    for name in _list_changed_files(split, corruptor):
        with problems.collect():
            document, _ = split.read_image_set(name, sequences)
            rewriter.rewrite(split, name, sequences, document)
            documents[f"{IMAGE_SETS}/{name}"] = encode_json(document)
            digests[f"{IMAGE_SETS}/{name}"] = digest_json(document)
    problems.raise_if_any()
    tally = sum((change.tally for change in changes.values()), rewriter.tally)
    return TextPlan(thresholds, documents, digests, rewriter.rows, tally)


def _refuse_scope(recipe: Recipe) -> None:
    """Refuse a scope that only referring expressions have."""
    if recipe.text_noise is not None and recipe.text_noise.scope == "nouns":
        raise refuse(
            "'nouns' is for datasets with referring expressions, and this one has action lists",
            "`scope`",
            "give prompt, both or narration",
        )


def _list_changed_files(split: ActionSplit, corruptor: TextCorruptor) -> Iterable[str]:
    for name in name_image_sets_files(split.name):
        is_list = name == f"{split.name}.json"
        if corruptor.noise.scope == "narration" if is_list else split.has_document(name):
            yield name


def refuse_missing_text(split: ActionSplit) -> None:
    """Refuse a split without prompts or objects."""
    problems = ProblemCollector()
    for name in (name_expressions_file(split.name, MAIN_STYLE), name_objects_file(split.name)):
        if not split.has_document(name):
            problems.add(
                "is missing, but text noise needs the prompts and the objects of the split",
                split.root / IMAGE_SETS / name,
                "run actiseg-noise prepare, or download the file to the folder of the list",
            )
    problems.raise_if_any()


def _refuse_classes(
    corruptor: TextCorruptor, sequences: Sequence[VideoSequence], split: ActionSplit
) -> None:
    """Refuse classes that the lexicon, or the flip matrix if there is one, does not have."""
    where = split.root / IMAGE_SETS / f"{split.name}.json"
    if corruptor.noise.scope == "narration":
        return  # a noun that the lexicon lacks is handled and counted
    used = {
        label.class_id: label.name
        for sequence in sequences
        for label in sequence.objects
        if corruptor.assigner.is_eligible(label)
    }
    refuse_unknown_classes(corruptor.lexicon, used, where)
    matrix = corruptor.noise.parameters.get("matrix")
    if matrix is not None:
        lacking = sorted(class_id for class_id in used if str(class_id) not in matrix)
        if lacking:
            classes = corruptor.lexicon.classes
            names = (f"{class_id} ({classes[class_id].name})" for class_id in lacking)
            raise refuse(
                f"has no row for {count_nouns(len(lacking), 'class', 'classes')} of the dataset: "
                f"{', '.join(names)}",
                "`matrix`",
                "add a row for each class, or give the class in `protect`",
            )
