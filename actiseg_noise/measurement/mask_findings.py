"""Comparison of measured mask noise with a recipe and with a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.mask_noise.item_selection import AppearanceTracker, list_eligible_objects
from actiseg_noise.mask_noise.selection_draws import list_file_noises
from actiseg_noise.measurement.audit_claims import NameClaim
from actiseg_noise.measurement.findings import NOT_REQUESTED, Finding
from actiseg_noise.measurement.grouping import group_by
from actiseg_noise.measurement.mask_audit import MaskAudit, MaskChange
from actiseg_noise.measurement.object_findings import compare_objects_with_recipe
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.split.text_items import NoisyList

_VISIBLE = 0.9
"""Least share of noisy objects that look changed. Others may cover the rest."""

_KERNEL_TOLERANCE = 0.25
"""How far a median shift may be from a kernel's radius, as a share. Overlaps reduce the shift."""


def compare_masks_with_recipe(
    recipe: Recipe, masks: MaskAudit | None, action_list: NoisyList
) -> Iterator[Finding]:
    """Compare the masks of a split with its recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    masks : MaskAudit or None
        What was measured; None if the split has no masks or no clean masks are known.
    action_list : NoisyList
        The split's own list, which shows what the recipe could change.

    Yields
    ------
    Finding
    """
    if masks is None:
        return
    noises = list_file_noises(recipe)
    if not noises:
        if masks.all.touched:
            yield Finding(
                False,
                f"{count_nouns(masks.all.touched, 'object has', 'objects have')} other masks, "
                f"{NOT_REQUESTED}",
            )
        return
    selectable = _list_selectable(recipe, masks, action_list)
    # Only with this rule does an object without noise lose pixels to the background.
    noise = recipe.outline_noise
    background = noise is not None and noise.overlap == "background"
    if noise is not None:
        changes = [change for change in masks.changes if change.place in selectable]
        claimed = f"the recipe asks for {noise.rate:.1%}"
        # Closing and opening leave most compact objects as they are.
        visible = 0.0 if noise.parameters.get("operation") in ("close", "open") else _VISIBLE
        # Objects that others are merged into change as well.
        more = sum(part.rate * (1 + (part.kind == "merge")) for part in recipe.object_noises)
        rates = noise.rate, min(noise.rate + more, 1.0)
        clips = has_clip_units(noise)
        yield _compare_share(
            changes, rates, claimed, visible=visible, background=background, clips=clips
        )
    yield from compare_objects_with_recipe(recipe, masks, action_list)
    unexpected = sum(
        _is_certain(change, background=background)
        for change in masks.changes
        if change.place not in selectable
    )
    if unexpected:
        what = f"{count_nouns(unexpected, 'object has', 'objects have')} other masks"
        yield Finding(False, f"{what}, but the recipe cannot change them")


def _list_selectable(
    recipe: Recipe, masks: MaskAudit, action_list: NoisyList
) -> set[tuple[str, str, int]]:
    """List sequence, frame and id of all objects whose masks a recipe could change."""
    # Objects can be merged into any other object of the sequence.
    merges = recipe.find_object_noise("merge") is not None
    seen: dict[tuple[str, str], list[int]] = {}
    for change in masks.changes:
        folder, frame, object_id = change.place
        seen.setdefault((folder, frame), []).append(object_id)
    places = set()
    for sequence in action_list.sequences:
        appearances = AppearanceTracker()
        for frame in sequence.frames:
            new = appearances.find_new(seen.get((sequence.folder, frame), ()))
            for noise in list_file_noises(recipe):
                eligible = list_eligible_objects(sequence, frame, noise, new)
                labels = sequence.objects if merges else eligible
                places |= {(sequence.folder, frame, label.object_id) for label in labels}
    return places


def compare_ledger_with_recipe(noise: Noise, ledger: Proportion) -> Finding:
    """Compare the share of items that the ledger lists with the rate of the recipe."""
    agrees = ledger.is_consistent_with(noise.rate)
    name = noise.kind if noise.medium == "objects" else noise.medium
    return Finding(
        agrees,
        f"{name}: the ledger lists {ledger.percentage} of {count_nouns(ledger.items, 'item')}, "
        f"which {'is consistent' if agrees else 'is not consistent'} with the rate: the recipe "
        f"asks for {noise.rate:.1%}; the masks themselves were not measured",
    )


def compare_masks_with_claim(masks: MaskAudit, claim: NameClaim, rate: float) -> Finding:
    """Compare the share of noisy masks with the rate that a name claims."""
    return _compare_share(
        _select_active(masks), (rate, rate), f"the name says {rate:.0%} ({claim.said})"
    )


def compare_kernel(masks: MaskAudit, claim: NameClaim, size: int) -> Finding:
    """Compare the shift of objects that grew with the kernel size that a name claims.

    Other objects may have lost pixels to those that grew.
    """
    radius = (size - 1) / 2
    shifts = [change.item.shift for change in _select_active(masks) if change.gained]
    signed = [shift.signed for shift in shifts if shift is not None]
    claimed = f"a square of {size} px moves them by {radius:g} ({claim.said})"
    if not signed:
        return Finding(False, f"masks: no active object grew; {claimed}")
    middle = median(signed)
    agrees = abs(middle - radius) <= max(_KERNEL_TOLERANCE * radius, 0.5)
    text = f"masks: boundaries that grew moved by {middle:+.2f} px (median); {claimed}"
    return Finding(agrees, text)


def _select_active(masks: MaskAudit) -> list[MaskChange]:
    """Select active objects, as all public generators do; all objects if none is active."""
    active = [change for change in masks.changes if change.item.positive]
    return active or list(masks.changes)


def _is_certain(change: MaskChange, *, background: bool = False) -> bool:
    """Return whether an object certainly has noise, and did not only lose pixels to neighbours.

    With `background`, objects without noise may lose pixels to the background as well.
    """
    return change.gained or (change.freed and not background)


def _compare_share(
    changes: Sequence[MaskChange],
    rates: tuple[float, float],
    claimed: str,
    *,
    visible: float = _VISIBLE,
    background: bool = False,
    clips: bool = False,
) -> Finding:
    """Compare the shares of possibly and of certainly noisy objects with a rate.

    The rate, of which `rates` has the least and the greatest value, must be between the two shares.
    At least the share `visible` of the noisy objects looks changed. With `clips`, the shares are of
    sequences with a changed object.
    """
    groups = group_by(changes, lambda change: change.place[0] if clips else change.place).values()
    changed = Proportion(
        len(groups), sum(any(c.item.kind is not None for c in group) for group in groups)
    )
    certain = Proportion(
        len(groups),
        sum(any(_is_certain(c, background=background) for c in group) for group in groups),
    )
    upper, lower = changed.interval_999, certain.interval_999
    agrees = (
        upper is None
        or lower is None
        or (upper[1] >= visible * rates[0] and lower[0] <= rates[1] + 1e-9)
    )
    return Finding(
        agrees,
        f"masks: {changed.percentage} of {len(groups)} "
        f"{'sequences' if clips else 'visible objects'} changed, "
        f"{certain.percentage} more than by losing pixels to neighbours, which "
        f"{'is consistent' if agrees else 'is not consistent'} with the rate: {claimed}",
    )
