"""The mask noise of a sequence: pure functions from clean masks to noisy masks and ledger rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from actiseg_data.annotations.masks import IndexMask, as_index_mask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence, View
from actiseg_data.core.errors import refuse
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.contours import find_object
from actiseg_noise.mask_noise.frame_noise import FrameChanges, FrameNoise, describe_mask
from actiseg_noise.mask_noise.ghosts import GhostArtist
from actiseg_noise.mask_noise.item_selection import AppearanceTracker, list_eligible_objects
from actiseg_noise.mask_noise.object_edits import MaskLayers
from actiseg_noise.mask_noise.object_plan import ObjectPlan, UnitCounter, plan_objects
from actiseg_noise.mask_noise.object_units import VisibleObjects
from actiseg_noise.mask_noise.outline_drawing import FrameTask, NoisyItem, draw_outlines
from actiseg_noise.mask_noise.selection_draws import OUTLINES, find_limits


def corrupt_sequence(
    sequence: VideoSequence,
    masks: Iterable[IndexMask],
    recipe: Recipe,
    threshold: float | None = None,
    object_thresholds: Mapping[str, float] | None = None,
) -> Iterator[FrameNoise]:
    """Apply the noise of masks and of whole objects of a recipe to one sequence, frame by frame.

    The function is pure: it reads and writes no file, and it does not change `masks`. It takes the
    masks of one frame at a time, so a long sequence needs no more memory than a short one.

    Objects are left out first. The outlines of the rest change, and overlaps are resolved. Then
    objects are merged, then swapped, and ghosts come last: in an index mask, they take background
    alone.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the sequence. Its identity decides the noise. A sequence that is not an action
        needs its ghosts, see `actiseg_noise.mask_noise.ghosts.add_ghosts`.
    masks : iterable of IndexMask
        The clean masks in the order of ``sequence.views``, each an (H, W) array of integers; see
        `as_index_mask`. All masks of a frame follow one another. Those of a ghost are empty.
    recipe : Recipe
        A checked recipe with noise of masks or of whole objects.
    threshold : float, optional
        Items with a selection draw below it get noisy outlines. The default is the rate of the
        recipe. An exact recipe needs the threshold that
        `actiseg_noise.corruption.split_plan.make_plan` computes for the whole split.
    object_thresholds : mapping of str to float, optional
        The same for whole objects, by kind.

    Yields
    ------
    FrameNoise
        The noise of each mask, in order.

    Raises
    ------
    InputError
        If the recipe changes no masks, or if a mask is not an index mask.

    Examples
    --------
    >>> import numpy as np
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> sequence = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take",
    ...                          0, "cup", 13, ("frame_0000000001",), (cup,))
    >>> mask = np.zeros((40, 40), np.uint8); mask[10:30, 10:30] = 1
    >>> (noisy,) = corrupt_sequence(sequence, [mask], make_recipe("dilate", 1.0))
    >>> round(noisy.rows[0].iou, 1)
    0.8
    """
    if not recipe.changes_masks:
        raise refuse("has no mask noise", "`recipe`", "apply its text noise instead")
    thresholds = dict(object_thresholds or {})
    if threshold is not None:
        thresholds[OUTLINES] = threshold
    corruptor = _SequenceCorruptor(sequence, recipe, find_limits(recipe, thresholds))
    pairs = zip(sequence.views, masks, strict=True)
    for frame, group in groupby(pairs, key=lambda pair: pair[0].frame):
        views = [(view, as_index_mask(mask, f"masks, {frame}")) for view, mask in group]
        yield from corruptor.corrupt(frame, views)


def corrupt_action_frame(
    sequence: VideoSequence,
    frame: str,
    mask: IndexMask,
    recipe: Recipe,
    thresholds: Mapping[str, float],
) -> FrameNoise:
    """Apply the noise of masks and of whole objects of a recipe to one frame of an action.

    The result is that of `corrupt_sequence`, but for the tally of units: in an action, the noise of
    a frame depends on no pixel of another frame.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the whole action, with all its frames.
    frame : str
        The name of the frame.
    mask : IndexMask
        Its clean mask, an (H, W) array of integers.
    recipe : Recipe
        A checked recipe with noise of masks or of whole objects.
    thresholds : mapping of str to float
        The thresholds of exact noises, see `find_exact_thresholds`.

    Raises
    ------
    InputError
        If the mask is not an index mask.
    """
    assert sequence.is_action, "the noise of other sequences depends on earlier frames"
    corruptor = _SequenceCorruptor(sequence, recipe, find_limits(recipe, thresholds))
    view = View(frame, sequence.objects), as_index_mask(mask, f"masks, {frame}")
    (noise,) = corruptor.corrupt(frame, [view])
    return noise


def corrupt_frame(
    task: FrameTask, clean: IndexMask, eligible: Sequence[ObjectLabel], threshold: float
) -> FrameNoise:
    """Apply noise of outlines to one index mask.

    Parameters
    ----------
    task : FrameTask
        Seed, noise, sequence and frame.
    clean : IndexMask
        (H, W) uint8.
    eligible : sequence of ObjectLabel
        The objects that may get noise.
    threshold : float
        Items with a selection draw below it get noise.
    """
    noisy, items = draw_outlines(task, clean, eligible, threshold)
    changes = FrameChanges(items, task.noise.parameters.get("target_iou"))
    tally = _count_items(clean, eligible)
    return describe_mask(task.sequence, task.frame, (clean, noisy), changes, tally)


def _count_items(clean: IndexMask, eligible: Iterable[ObjectLabel]) -> Counter[str]:
    present = find_ids(clean)
    counts = ("items" if label.object_id in present else "absent" for label in eligible)
    return Counter(counts)


@dataclass(frozen=True)
class _SequenceCorruptor:
    """Applies a recipe to the frames of one sequence.

    Attributes
    ----------
    sequence : VideoSequence
        The sequence.
    recipe : Recipe
        The recipe.
    limits : mapping of str to float
        See `find_limits`.
    counter : UnitCounter
        Counts units once.
    appearances : AppearanceTracker
        Finds objects that come late.
    """

    sequence: VideoSequence
    recipe: Recipe
    limits: Mapping[str, float]
    counter: UnitCounter = field(default_factory=UnitCounter)
    appearances: AppearanceTracker = field(default_factory=AppearanceTracker)

    def corrupt(self, frame: str, views: Sequence[tuple[View, IndexMask]]) -> Iterator[FrameNoise]:
        """Apply the recipe to all masks of one frame."""
        clean = MaskLayers(
            tuple(mask for _, mask in views),
            {label.object_id: n for n, (view, _) in enumerate(views) for label in view.objects},
        )
        visible = VisibleObjects(frame, clean.find_seen(), frozenset(clean.homes))
        plan = plan_objects(self.recipe, self.limits, self.sequence, visible)
        layers = clean.remove(plan.removed)
        tallies = [Counter[str]() for _ in views]
        items: dict[int, NoisyItem] = {}
        noise = self.recipe.mask_noise
        if noise is not None:
            new = self.appearances.find_new(visible.seen)
            task = FrameTask(self.recipe.seed, noise, self.sequence, frame, new)
            eligible = [
                label
                for label in list_eligible_objects(self.sequence, frame, noise, new)
                if label.object_id not in plan.removed
            ]
            drawn = []
            for number, mask in enumerate(layers.masks):
                own = [e for e in eligible if clean.homes.get(e.object_id) == number]
                noisy, more = draw_outlines(task, mask, own, self.limits[OUTLINES])
                drawn.append(noisy)
                items |= more
                tallies[number] += _count_items(mask, own)
            layers = MaskLayers(tuple(drawn), clean.homes)
        layers, ghosts = self._add_ghosts(layers.replace_ids(plan.targets), clean, plan)
        tallies[0] += self.counter.count(plan)
        tallies[0]["ghost.hidden"] += len(plan.ghosts) - len(ghosts)
        target = None if noise is None else noise.parameters.get("target_iou")
        changes = FrameChanges(items, target, plan, ghosts)
        for (view, mask), noisy, tally in zip(views, layers.masks, tallies, strict=True):
            shown = (
                self.sequence if self.sequence.layers is None else _restrict(self.sequence, view)
            )
            yield describe_mask(shown, frame, (mask, noisy), changes, +tally)

    def _add_ghosts(
        self, layers: MaskLayers, clean: MaskLayers, plan: ObjectPlan
    ) -> tuple[MaskLayers, dict[int, dict[str, object]]]:
        """Draw the ghosts of one frame; return also what was drawn for each visible one."""
        noise = self.recipe.find_object_noise("ghost")
        details: dict[int, dict[str, object]] = {}
        if noise is None or not plan.ghosts:
            return layers, details
        artist = GhostArtist(noise, self.recipe.seed, self.sequence)
        seen = {
            number: find_object(clean.masks[clean.homes[number]], number)
            for number in sorted(clean.find_seen())
        }
        height, width = clean.masks[0].shape
        for unit, label in plan.ghosts:
            shape = artist.draw(unit, seen, (height, width))
            if shape is None:
                continue
            layers, pixels = layers.fill(label.object_id, shape.patch)
            if pixels:
                details[label.object_id] = {**shape.details, "pixels": pixels}
        return layers, details


def _restrict(sequence: VideoSequence, view: View) -> VideoSequence:
    """Return a sequence with the objects of one mask alone."""
    return replace(sequence, objects=view.objects)
