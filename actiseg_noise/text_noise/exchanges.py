"""Pair the objects of a sequence whose names may trade places: the commonest human error."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from actiseg_data.annotations.lexicon import Lexicon, LexiconName
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import draw_uniform, make_key

_ALGORITHM = 1


class Partner(NamedTuple):
    """The object that an object trades names with.

    Attributes
    ----------
    label : ObjectLabel
        The other object.
    draw : float
        Uniform number in [0, 1), the same for both. They trade if it is below the rate.
    """

    label: ObjectLabel
    draw: float


@dataclass(frozen=True)
class Pairing:
    """The pairs of a sequence.

    Attributes
    ----------
    partners : mapping of int to Partner
        By object id. If an object has a partner, it is the partner of its partner.
    tally : Counter
        Objects without a partner: ``exchange_without_change`` counts those that could trade only
        with objects of their own class, or of one that contains it; ``exchange_without_partner``
        the others, which are alone, or left over.
    """

    partners: Mapping[int, Partner]
    tally: Counter[str]


def pair_objects(
    seed: int, sequence: VideoSequence, labels: Sequence[ObjectLabel], lexicon: Lexicon
) -> Pairing:
    """Pair objects of a sequence, as if every rate were 1.

    The possible pairs are ranked by their keys. Each pair in turn is taken, unless one of the two
    objects has a partner already.

    Parameters
    ----------
    seed : int
        The seed of the recipe.
    sequence : VideoSequence
        The sequence.
    labels : sequence of ObjectLabel
        Its objects that may trade names. The lexicon has their classes.
    lexicon : Lexicon
        Tells which classes contain others.
    """
    possible = [
        (first, second)
        for first, second in itertools.combinations(sorted(labels, key=lambda x: x.name), 2)
        if _is_exchange(first, second, lexicon)
    ]

    def draw(purpose: str, pair: tuple[ObjectLabel, ObjectLabel]) -> float:
        names = (label.name for label in pair)
        return draw_uniform(make_key(seed, _ALGORITHM, purpose, *sequence.identity, *names))

    partners: dict[int, Partner] = {}
    for pair in sorted(possible, key=lambda pair: draw("text.exchange.pair", pair)):
        first, second = pair
        if first.object_id not in partners and second.object_id not in partners:
            chance = draw("text.exchange", pair)
            partners[first.object_id] = Partner(second, chance)
            partners[second.object_id] = Partner(first, chance)
    able = {label.object_id for pair in possible for label in pair}
    tally = Counter[str]()
    for label in labels:
        if label.object_id not in partners:
            stays = len(labels) > 1 and label.object_id not in able
            tally["exchange_without_change" if stays else "exchange_without_partner"] += 1
    return Pairing(partners, tally)


def _is_exchange(first: ObjectLabel, second: ObjectLabel, lexicon: Lexicon) -> bool:
    """Return whether both objects would have a wrong name; a left hand called hand has none."""
    return not (
        first.class_id == second.class_id
        or lexicon.is_subclass(first.class_id, second.class_id)
        or lexicon.is_subclass(second.class_id, first.class_id)
    )


def find_lexicon_name(label: ObjectLabel, lexicon: Lexicon) -> LexiconName:
    """Return the lexicon's name for an object, or make one of its name if the lexicon has none."""
    for name in lexicon.classes[label.class_id].names:
        if name.text.casefold() == label.name.casefold():
            return name
    article = "an" if label.name[:1].lower() in "aeiou" else "a"
    return LexiconName(label.name, label.name.split()[-1], "singular", None, article, False)
