"""Ledger rows of nouns that text noise replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.records.ledger_record import TextRow
from actiseg_data.records.recipe_record import EXCHANGE
from actiseg_noise.text_noise.assignment import CATEGORY, Replacement
from actiseg_noise.text_noise.sequence_words import TextCorruptor


@dataclass(frozen=True)
class ReplacedNoun:
    """A replaced noun: the name of an object, or a noun of a narration or an expression.

    Attributes
    ----------
    object_id : int or None
        The object; None if the noun names none, or several.
    name : str
        The clean noun.
    class_id : int
        Its class.
    replacement : Replacement
        The new noun.
    """

    object_id: int | None
    name: str
    class_id: int
    replacement: Replacement


def make_text_row(
    corruptor: TextCorruptor,
    folder: str,
    noun: ReplacedNoun,
    old: str,
    new: str,
    more: Mapping[str, Any] | None = None,
) -> TextRow:
    """Make the ledger row of a noun.

    Parameters
    ----------
    corruptor : TextCorruptor
        The text noise.
    folder : str
        The sequence.
    noun : ReplacedNoun
        The noun.
    old, new : str
        The prompt, narration or expression before and after.
    more : mapping, optional
        Parameters of the row besides the rule that chose the new noun.
    """
    parameters = corruptor.noise.parameters
    replacement = noun.replacement
    rule = "flip" if replacement.kind == CATEGORY else "names"
    return TextRow(
        sequence=folder,
        object_id=noun.object_id,
        object=noun.name,
        kind=replacement.kind,
        parameters={rule: parameters.get(rule, EXCHANGE), **(more or {})},
        class_id_org=noun.class_id,
        class_id=replacement.class_id,
        name=replacement.name.text,
        prompt_org=old,
        prompt=new,
        synset_org=corruptor.lexicon.classes[noun.class_id].synset,
        synset=replacement.synset,
        similarity=replacement.similarity,
    )
