"""Noise in the categories of objects: an object gets another category of its dataset."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from actiseg_data.annotations.categories import Category, parse_categories
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key
from actiseg_data.core.names import format_names
from actiseg_data.records.ledger_record import LabelRow
from actiseg_data.records.recipe_record import CLASS, Noise
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.recipes.rates import choose_limit

_SELECTION, _CHOICE = 1, 1
"""Algorithms of the draws that select objects and choose categories, which are not the kind's."""

_UNIT = 1 << 30
"""Weight 1 as a whole number: weights are whole, so that rounding does not decide a draw."""


class CategoryDraws:
    """The categories that a noise can give to the objects of each category.

    Parameters
    ----------
    noise : Noise
        A checked noise of kind ``class``, with the categories of the dataset.

    Raises
    ------
    InputError
        If the noise has no categories.
    """

    def __init__(self, noise: Noise) -> None:
        if noise.parameters["categories"] is None:
            raise refuse(
                "has no list of categories, which noise of kind 'class' draws from",
                "`recipe`",
                "make it for a dataset with categories, or give `categories`",
            )
        self.pool: tuple[Category, ...] = parse_categories(noise.parameters["categories"])
        self._known = {category.id: category for category in self.pool}
        self._noise = noise
        self._ends: dict[int, list[int]] = {}

    def find_category(self, label: ObjectLabel) -> Category | None:
        """Return the category of an object, or None if the pool lacks it."""
        return self._known.get(label.class_id)

    def has_choice(self, category: Category) -> bool:
        """Return whether there is a category to give to objects of a category."""
        return self._get_ends(category)[-1] > 0

    def compute_change_share(self, category: Category) -> float:
        """Compute the probability that a drawn category is another than this one."""
        ends = self._get_ends(category)
        position = self.pool.index(category)
        own = ends[position] - (ends[position - 1] if position else 0)
        return 1 - own / ends[-1]

    def refuse_lacking_rows(self, sequences: Iterable[VideoSequence]) -> None:
        """Raise an `InputError` with the categories of objects that a matrix has no row for."""
        matrix = self._noise.parameters["matrix"]
        if matrix is None:
            return
        used = {label.class_id for sequence in sequences for label in sequence.objects}
        lacking = [new for new in self.pool if new.id in used and str(new.id) not in matrix]
        if lacking:
            names = format_names([f"{new.id} ({new.name})" for new in lacking], 8)
            what = f"has no row for {len(lacking)} categories of the dataset: {names}"
            raise refuse(what, "`matrix`", "add a row for each category")

    def draw(self, key: Key, category: Category) -> Category:
        """Draw the category that an object of a category gets."""
        ends = self._get_ends(category)
        return self.pool[bisect_right(ends, draw_integer(key, ends[-1]))]

    def _get_ends(self, category: Category) -> list[int]:
        """Return the running sums of the weights of the pool."""
        if category.id not in self._ends:
            self._ends[category.id] = list(accumulate(self._iterate_weights(category)))
        return self._ends[category.id]

    def _iterate_weights(self, category: Category) -> Iterator[int]:
        if self._noise.change == "matrix":
            row = self._noise.parameters["matrix"].get(str(category.id), {})
            most = max(row.values(), default=1.0)
            yield from (round(row.get(str(new.id), 0.0) / most * _UNIT) for new in self.pool)
            return
        group = category.supercategory
        for new in self.pool:
            if new.id == category.id:
                yield int(self._noise.parameters["own"])
            else:
                everywhere = self._noise.change == "uniform"
                yield int(everywhere or (group is not None and new.supercategory == group))


def draw_class_selection(seed: int, sequence: VideoSequence, label: ObjectLabel) -> float:
    """Draw the uniform number in [0, 1) that decides whether an object gets a drawn category."""
    identity = (*sequence.identity, label.identity)
    return draw_uniform(make_key(seed, _SELECTION, "class.select", *identity))


def iterate_class_draws(
    sequences: Iterable[VideoSequence], seed: int, noise: Noise
) -> Iterator[float]:
    """Yield the selection draw of every object that can get another category."""
    draws = CategoryDraws(noise)
    for sequence in sequences:
        for label, _ in _iterate_eligible(sequence, noise, draws):
            yield draw_class_selection(seed, sequence, label)


def plan_class_noise(
    sequences: Sequence[VideoSequence], seed: int, noise: Noise, threshold: float | None = None
) -> LabelPlan:
    """Draw the noise in the categories of objects.

    With ``own``, a selected object may get its own category again, as in a confusion matrix
    ``rate / K + (1 - rate) I``: then a share of ``rate (K - 1) / K`` changes. The category that an
    object would get does not depend on the rate.

    Parameters
    ----------
    sequences : sequence of VideoSequence
        The sequences; the ``class_id`` of an object is the id of its category.
    seed : int
        The seed of the recipe.
    noise : Noise
        A checked noise of kind ``class``, with the categories of the dataset.
    threshold : float, optional
        Objects with a selection draw below it are selected. Default: the rate of the noise.

    Returns
    -------
    LabelPlan
        Its tally has the counts of `count_classes`.

    Raises
    ------
    InputError
        If the noise has no categories, or if its matrix has no row for a category of an object.
    """
    limit = choose_limit(noise, threshold)
    rows: dict[str, tuple[LabelRow, ...]] = dict.fromkeys(
        (sequence.folder for sequence in sequences), ()
    )
    if is_without_effect(noise):
        return LabelPlan(limit, rows, Counter())
    draws = CategoryDraws(noise)
    draws.refuse_lacking_rows(sequences)
    for sequence in sequences:
        chosen = []
        for label, category in _iterate_eligible(sequence, noise, draws):
            if draw_class_selection(seed, sequence, label) < limit:
                identity = (*sequence.identity, label.identity)
                new = draws.draw(make_key(seed, _CHOICE, "class.choose", *identity), category)
                chosen.append(_make_row(sequence, label, noise, category, new))
        rows[sequence.folder] = tuple(chosen)
    return LabelPlan(limit, rows, count_classes(sequences, noise, rows))


def is_without_effect(noise: Noise) -> bool:
    """Return whether noise has no categories to draw from, and needs none at a rate of 0."""
    return noise.kind == CLASS and noise.parameters["categories"] is None and noise.rate == 0


def count_classes(
    sequences: Iterable[VideoSequence],
    noise: Noise,
    rows: Mapping[str, Iterable[LabelRow]],
) -> Counter[str]:
    """Count the objects that the noise can select, and those that it changed.

    Parameters
    ----------
    sequences : iterable of VideoSequence
        The sequences with their clean categories.
    noise : Noise
        The noise.
    rows : mapping
        The rows of the selected objects, by sequence folder.

    Returns
    -------
    Counter
        ``items``, ``changed`` (selected objects with another category than before), ``unknown``
        (objects whose category the list lacks), ``alone`` (objects without a category that they
        could get).
    """
    tally: Counter[str] = Counter()
    if is_without_effect(noise):
        return tally
    draws = CategoryDraws(noise)
    for sequence in sequences:
        tally["items"] += sum(1 for _ in _iterate_eligible(sequence, noise, draws, tally))
        own = rows.get(sequence.folder, ())
        tally["changed"] += sum(row.has_changed for row in own)
    return tally


def _iterate_eligible(
    sequence: VideoSequence,
    noise: Noise,
    draws: CategoryDraws,
    tally: Counter[str] | None = None,
) -> Iterator[tuple[ObjectLabel, Category]]:
    """Yield the objects that can get another category, with their category; count the others."""
    for label in sequence.objects:
        if not (label.positive or noise.objects == "all"):
            continue
        category = draws.find_category(label)
        if category is not None and draws.has_choice(category):
            yield label, category
        elif tally is not None:
            tally["unknown" if category is None else "alone"] += 1


def _make_row(
    sequence: VideoSequence, label: ObjectLabel, noise: Noise, old: Category, new: Category
) -> LabelRow:
    return LabelRow(
        sequence=sequence.folder,
        object_id=label.object_id,
        object=label.name,
        kind=noise.kind,
        parameters={"change": noise.change},
        value_org={"id": old.id, "name": old.name},
        value={"id": new.id, "name": new.name},
    )
