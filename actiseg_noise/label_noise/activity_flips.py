"""Noise in the labels of active objects: the flag ``positive`` of an object is flipped.

People forget active objects, and mark inactive ones. Names, prompts and masks stay the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import draw_uniform, make_key
from actiseg_data.records.ledger_record import LabelRow
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.recipes.rates import choose_limit

_SELECTION = 1
"""Algorithm of the selection, which is not that of the kind."""


def is_eligible(label: ObjectLabel, noise: Noise) -> bool:
    """Return whether the noise may flip the flag of an object, given its clean flag."""
    fits = noise.change == "both" or label.positive == (noise.change == "forget")
    return fits and label.class_id not in noise.parameters["protect"]


def draw_flip(seed: int, sequence: VideoSequence, label: ObjectLabel) -> float:
    """Draw the uniform number in [0, 1) that decides whether the flag of an object is flipped.

    It is flipped if and only if the number is below the rate. The number does not depend on the
    direction of the change, so the flips of ``forget`` and those of ``mark`` together are those of
    ``both``.
    """
    key = make_key(seed, _SELECTION, "activity.select", *sequence.identity, label.identity)
    return draw_uniform(key)


def iterate_draws(sequences: Iterable[VideoSequence], seed: int, noise: Noise) -> Iterator[float]:
    """Yield the draw of every eligible object."""
    for sequence in sequences:
        for label in sequence.objects:
            if is_eligible(label, noise):
                yield draw_flip(seed, sequence, label)


def plan_activity(
    sequences: Sequence[VideoSequence], seed: int, noise: Noise, threshold: float | None = None
) -> LabelPlan:
    """Draw the noise in the labels of active objects.

    Parameters
    ----------
    sequences : sequence of VideoSequence
        The sequences with their clean labels.
    seed : int
        The seed of the recipe.
    noise : Noise
        A checked noise of kind ``activity``.
    threshold : float, optional
        Objects with a draw below it are flipped. Default: the rate of the noise.

    Returns
    -------
    LabelPlan
        Its tally has the counts of `count_eligible`.
    """
    limit = choose_limit(noise, threshold)
    rows = {
        sequence.folder: tuple(
            LabelRow(
                sequence=sequence.folder,
                object_id=label.object_id,
                object=label.name,
                kind=noise.kind,
                parameters={},
                value_org=label.positive,
                value=not label.positive,
            )
            for label in sequence.objects
            if is_eligible(label, noise) and draw_flip(seed, sequence, label) < limit
        )
        for sequence in sequences
    }
    return LabelPlan(limit, rows, count_eligible(sequences, noise, rows))


def count_eligible(
    sequences: Iterable[VideoSequence], noise: Noise, rows: dict[str, tuple[LabelRow, ...]]
) -> Counter[str]:
    """Count the objects that the noise may flip, and the sequences without an active label.

    Parameters
    ----------
    sequences : iterable of VideoSequence
        The sequences with their clean labels.
    noise : Noise
        The noise.
    rows : dict
        The rows of the flipped objects, by sequence folder.

    Returns
    -------
    Counter
        ``items`` (eligible objects), ``active`` and ``inactive`` (those of them with this clean
        label), ``emptied`` (sequences that lost their last active object).
    """
    tally: Counter[str] = Counter()
    for sequence in sequences:
        flipped = {row.object_id for row in rows.get(sequence.folder, ())}
        for label in sequence.objects:
            if is_eligible(label, noise):
                tally.update(("items", "active" if label.positive else "inactive"))
        was = any(label.positive for label in sequence.objects)
        left = any(label.positive != (label.object_id in flipped) for label in sequence.objects)
        tally["emptied"] += was and not left
    return tally
