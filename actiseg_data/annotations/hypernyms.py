"""Hypernyms of WordNet synsets, and the similarity of two synsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Paths: TypeAlias = tuple[tuple[str, ...], ...]
"""Ways from WordNet's root down to a synset, both included."""


@dataclass(frozen=True)
class Ancestor:
    """A hypernym of a synset.

    Attributes
    ----------
    least, most : int
        Its depth in nodes from the root, along the shortest and the longest path.
    steps : int
        Fewest steps down to the synset.
    """

    least: int
    most: int
    steps: int


def trace_ancestry(paths: Paths) -> dict[str, Ancestor]:
    """Map the ancestors of a synset by name, the synset itself included.

    >>> trace_ancestry((("entity.n.01", "tool.n.01", "knife.n.01"),))["tool.n.01"]
    Ancestor(least=2, most=2, steps=1)
    """
    ancestry: dict[str, Ancestor] = {}
    for path in paths:
        for position, synset in enumerate(path):
            depth, steps = position + 1, len(path) - 1 - position
            known = ancestry.get(synset, Ancestor(depth, depth, steps))
            ancestry[synset] = Ancestor(
                min(depth, known.least), max(depth, known.most), min(steps, known.steps)
            )
    return ancestry


def measure_similarity(first: Mapping[str, Ancestor], second: Mapping[str, Ancestor]) -> float:
    """Measure the similarity of two synsets in WordNet, in [0, 1], from their `trace_ancestry`.

    With c their lowest common ancestor, d its depth in nodes and s the fewest steps down to each::

        2 d / ((d + s(first)) + (d + s(second)))

    The lowest common ancestor is the one with the longest shortest path from the root, and its
    depth is that of its longest path, as in NLTK's ``wup_similarity``. Unlike there, steps only
    lead down hypernym paths. If several ancestors are lowest, the largest value counts. The
    similarity is 0 without a common ancestor.

    References
    ----------
    Wu and Palmer, "Verb semantics and lexical selection" (ACL 1994).

    Examples
    --------
    >>> fork = trace_ancestry((("entity.n.01", "cutlery.n.02", "fork.n.01"),))
    >>> spoon = trace_ancestry((("entity.n.01", "cutlery.n.02", "spoon.n.01"),))
    >>> round(measure_similarity(fork, spoon), 3)
    0.667
    """
    common = [synset for synset in first if synset in second]
    lowest = max((first[synset].least for synset in common), default=0)
    values = [
        2
        * first[synset].most
        / (2 * first[synset].most + first[synset].steps + second[synset].steps)
        for synset in common
        if first[synset].least == lowest
    ]
    return max(values, default=0.0)
