"""The referring expressions of a split: the document that has them, and the objects they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import format_names
from actiseg_data.layouts.referring import (
    ReferringDocument,
    ReferringExpression,
    ReferringSequence,
    is_expressions,
    parse_referring,
)
from actiseg_data.layouts.split import Split


def find_expressions(split: Split) -> str | None:
    """Return the document with the expressions of a split, relative to its root; None without one.

    Raises
    ------
    InputError
        If there are several.
    """
    names = list(filter(is_expressions, split.list_documents()))
    if len(names) > 1:
        what = f"has {len(names)} documents of expressions: {format_names(names)}"
        raise refuse(what, split.root, "keep the one that belongs to the masks")
    return names[0] if names else None


def read_expressions(
    split: Split, name: str, sequences: Iterable[VideoSequence]
) -> ReferringDocument:
    """Read the expressions of some sequences.

    Parameters
    ----------
    split : Split
        The split.
    name : str
        The document, see `find_expressions`.
    sequences : iterable of VideoSequence
        Sequences of the split. Others are left out.

    Returns
    -------
    ReferringDocument
        The ``object_ids`` of its expressions are ids in the masks. The ids of objects without a
        mask are among ``ids_without_mask`` instead.

    Raises
    ------
    InputError
        If the document is damaged, or lacks a sequence.
    """
    by_folder = {sequence.folder: sequence for sequence in sequences}
    content, _ = split.cut_document(name, by_folder.values())
    document = parse_referring(content, split.root / name)
    bound = (_bind_sequence(entry, by_folder[entry.folder]) for entry in document.sequences)
    return replace(document, sequences=tuple(bound))


def _bind_sequence(entry: ReferringSequence, sequence: VideoSequence) -> ReferringSequence:
    numbers = {label.identity: str(label.object_id) for label in sequence.objects}
    bound = tuple(_bind_expression(expression, numbers) for expression in entry.expressions)
    return replace(entry, expressions=bound)


def _bind_expression(
    expression: ReferringExpression, numbers: dict[str, str]
) -> ReferringExpression:
    """Find the objects of an expression. Their masks name them, if the document does."""
    named = expression.annotation_ids or expression.object_ids
    return replace(
        expression,
        object_ids=tuple(numbers[identity] for identity in named if identity in numbers),
        ids_without_mask=tuple(identity for identity in named if identity not in numbers),
    )
