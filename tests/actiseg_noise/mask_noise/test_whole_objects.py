"""Noise of whole objects: its laws on index masks and on layers, recomputed from the pixels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.records.recipe_record import Recipe, parse_recipe
from actiseg_noise.mask_noise.ghosts import add_ghosts
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.building import check_recipe, make_recipe
from tests.helpers.roots import SHAPE, clip, draw_mask

CLIPS = tuple(clip(number, video=f"P01_{number:02d}") for number in range(1, 25))
SPANS = ("clip", "frame")
PAIRED = ("missing", "merge", "swap")


def masks_of(sequence):
    return [draw_mask(sequence, frame) for frame in sequence.frames]


def noise_of(sequence, recipe, masks=None):
    return list(corrupt_sequence(sequence, masks or masks_of(sequence), recipe))


def recipe_of(kind, rate, span="clip", **more):
    return make_recipe(kind, rate, span=span, objects="all", **more)


def combine(*recipes, split="train", seed=0):
    noises = tuple(noise for recipe in recipes for noise in recipe.noises)
    return check_recipe(Recipe(split, seed, noises))


def units_of(kind, rate, span, sequence):
    """What changed, as the ledger says: objects, or pairs of them, with what was drawn."""
    units = set()
    for frame in noise_of(sequence, recipe_of(kind, rate, span)):
        for row in frame.rows:
            partner = row.parameters.get("with")
            ids = (row.object_id,) if partner is None else tuple(sorted((row.object_id, partner)))
            if kind != "merge" or "into" in row.parameters:
                units.add((sequence.identity, frame.frame, *ids))
    return units


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("kind", [*PAIRED, "ghost"])
def test_rates_nest(kind, span):
    for sequence in CLIPS:
        levels = [units_of(kind, rate, span, sequence) for rate in (0.0, 0.2, 0.5, 1.0)]
        assert not levels[0]
        assert all(few <= many for few, many in pairwise(levels))
    assert kind == "ghost" or any(units_of(kind, 0.2, span, sequence) for sequence in CLIPS)


@pytest.mark.parametrize("kind", [*PAIRED, "ghost"])
def test_neither_number_nor_order_of_the_objects_has_an_effect(kind):
    """Ids depend on the other objects of a dataset; names do not."""
    ids = {1: 4, 2: 3, 3: 1, 4: 2}
    table = np.array([0, 4, 3, 1, 2], np.uint8)
    recipe = recipe_of(kind, 0.6)
    for sequence in CLIPS[:8]:
        labels = tuple(replace(x, object_id=ids[x.object_id]) for x in sequence.objects[::-1])
        twin = replace(sequence, objects=labels, seq_id=99)
        masks = masks_of(sequence)
        masks[1][masks[1] == 2] = 0
        for own, other in zip(
            noise_of(sequence, recipe, masks),
            noise_of(twin, recipe, [table[mask] for mask in masks]),
            strict=True,
        ):
            assert (table[own.mask] == other.mask).all()


@pytest.mark.parametrize("span", SPANS)
def test_missing_objects_become_background_and_others_stay(span):
    for sequence in CLIPS:
        gone: dict[str, set[int]] = {}
        for frame in noise_of(sequence, recipe_of("missing", 0.5, span)):
            ids = {row.object_id for row in frame.rows}
            gone[frame.frame] = ids
            expected = np.where(np.isin(frame.clean, [*ids]), 0, frame.clean)
            assert (frame.mask == expected).all()
            assert all((row.iou, row.area_ratio) == (0, 0) for row in frame.rows)
        if span == "clip":
            seen = [set(np.unique(mask)) for mask in masks_of(sequence)]
            every = set().union(*gone.values())
            assert [every & ids for ids in seen] == list(gone.values())


@pytest.mark.parametrize("span", SPANS)
def test_a_swap_is_its_own_inverse(span):
    """Twice the same exchange gives the clean masks, if the partners do not depend on pixels."""
    recipe = recipe_of("swap", 0.7, span)
    swapped = 0
    for sequence in CLIPS:
        once = noise_of(sequence, recipe)
        twice = noise_of(sequence, recipe, [frame.mask for frame in once])
        for first, second in zip(once, twice, strict=True):
            assert (second.mask == first.clean).all()
            with_ids = {row.object_id: row.parameters["with"] for row in first.rows}
            assert all(with_ids[other] == own for own, other in with_ids.items())
            swapped += len(with_ids)
            for own, other in with_ids.items():
                assert ((first.mask == own) == (first.clean == other)).all()
            free = ~np.isin(first.clean, [*with_ids])
            assert (first.mask[free] == first.clean[free]).all()
    assert swapped


@pytest.mark.parametrize("span", SPANS)
def test_a_merger_keeps_the_foreground_and_every_object_under_one_id(span):
    sources = 0
    for sequence in CLIPS:
        for frame in noise_of(sequence, recipe_of("merge", 0.6, span)):
            assert ((frame.mask > 0) == (frame.clean > 0)).all()
            into = {r.object_id: r.parameters["into"] for r in frame.rows if "into" in r.parameters}
            sources += len(into)
            assert not set(into) & set(into.values())  # chains are followed to their end
            for own in np.unique(frame.clean[frame.clean > 0]).tolist():
                assert set(frame.mask[frame.clean == own]) == {into.get(own, own)}
            for row in frame.rows:
                if "from" in row.parameters:
                    known = sorted(own for own, to in into.items() if to == row.object_id)
                    assert row.parameters["from"] == known
    assert sources


def test_a_lone_object_has_no_partner():
    sequence = replace(CLIPS[0], objects=CLIPS[0].objects[:1])
    masks = [np.where(mask == 1, 1, 0).astype(np.uint8) for mask in masks_of(CLIPS[0])]
    for kind in ("merge", "swap"):
        frames = noise_of(sequence, recipe_of(kind, 1.0), masks)
        assert not any(frame.rows for frame in frames)
        assert sum((frame.tally for frame in frames), Counter())[f"{kind}.alone"] == 1


@pytest.mark.parametrize("shape", ["copy", "ellipse", "box"])
@pytest.mark.parametrize("span", SPANS)
def test_a_ghost_takes_background_alone_where_its_object_is_not(span, shape):
    drawn = 0
    for sequence in CLIPS:
        masks = masks_of(sequence)
        masks[0][masks[0] == 3] = 0
        for frame in noise_of(sequence, recipe_of("ghost", 1.0, span, shape=shape), masks):
            changed = frame.mask != frame.clean
            assert (frame.clean[changed] == 0).all()
            rows = {row.object_id: row for row in frame.rows}
            absent = {label.object_id for label in sequence.objects} - {*np.unique(frame.clean)}
            assert set(frame.mask[changed]) == set(rows) <= absent
            for number, row in rows.items():
                assert row.parameters["pixels"] == (frame.mask == number).sum()
                assert (row.area, row.iou, row.status) == (0, 0, "appeared")
            drawn += len(rows)
    assert drawn >= 20


def test_a_copied_ghost_has_the_shape_of_its_model():
    """Where no other object is in the way, and nothing cuts it."""
    equal = 0
    for sequence in CLIPS:
        masks = masks_of(sequence)
        masks[0][masks[0] == 3] = 0
        frame = noise_of(sequence, recipe_of("ghost", 1.0), masks)[0]
        for row in frame.rows:
            model = cut_out(frame.clean == row.parameters["model"])
            ghost = cut_out(frame.mask == row.object_id)
            if row.parameters["pixels"] == model.sum():
                assert (ghost == (model[:, ::-1] if row.parameters["mirrored"] else model)).all()
                equal += 1
    assert equal >= 3


def cut_out(shape):
    rows, columns = np.nonzero(shape)
    return shape[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def test_all_kinds_together_explain_every_pixel():
    """Missing first, then outlines, mergers, swaps and ghosts; recomputed step by step."""
    outlines = make_recipe("dilate", 0.5, objects="all", target_iou=0.7)
    parts = [recipe_of("ghost", 0.8, "frame"), recipe_of("swap", 0.5), outlines]
    recipe = combine(*parts, recipe_of("merge", 0.4), recipe_of("missing", 0.3))
    assert [noise.kind for noise in recipe.noises] == [
        "missing",
        "dilate",
        "merge",
        "swap",
        "ghost",
    ]
    counts = Counter()
    for sequence in CLIPS:
        masks = masks_of(sequence)
        masks[0][masks[0] == 3] = 0
        frames = noise_of(sequence, recipe, masks)
        rows = [{noise.kind: {} for noise in recipe.noises} for _ in frames]
        for drawn, frame in zip(rows, frames, strict=True):
            for row in frame.rows:
                drawn[row.kind][row.object_id] = row
            assert len(frame.rows) == sum(map(len, drawn.values()))
            counts.update({kind: len(known) for kind, known in drawn.items()})
        left = [
            np.where(np.isin(frame.clean, [*drawn["missing"]]), 0, frame.clean)
            for drawn, frame in zip(rows, frames, strict=True)
        ]
        outlined = [frame.mask for frame in noise_of(sequence, outlines, left)]
        for drawn, frame, mask in zip(rows, frames, outlined, strict=True):
            check_relabelling(drawn, frame, mask)
            for row in frame.rows:
                own, other = frame.clean == row.object_id, frame.mask == row.object_id
                union = (own | other).sum()
                assert row.iou == pytest.approx((own & other).sum() / union, abs=1e-6)
    assert min(counts.values()) >= 5


def check_relabelling(drawn, frame, outlined):
    """Outlines get the ids that the rows say, and ghosts take background of the result."""
    merged = {n: row.parameters.get("into", n) for n, row in drawn["merge"].items()}
    swapped = {n: row.parameters["with"] for n, row in drawn["swap"].items()}
    swapped |= {with_id: n for n, with_id in swapped.items()}  # one of a pair may have no pixels
    table = np.arange(256)
    for number in range(1, 5):
        joined = merged.get(number, number)
        table[number] = swapped.get(joined, joined)
    expected = table[outlined]
    ghosts = np.isin(frame.mask, [*drawn["ghost"]]) & (expected == 0)
    assert (frame.mask == np.where(ghosts, frame.mask, expected)).all()


def test_the_order_of_noises_in_a_file_has_no_effect_on_the_digest():
    parts = [recipe_of(kind, 0.3) for kind in ("swap", "missing", "ghost", "merge")]
    parts.append(make_recipe("boundary", 0.2))
    recipe = combine(*parts)
    assert combine(*parts[::-1]).digest == recipe.digest
    document = recipe.to_dict()
    document["noises"].reverse()
    assert check_recipe(parse_recipe(document, "a file")).digest == recipe.digest
    doubled = recipe.to_dict()
    doubled["noises"].append(doubled["noises"][0])
    with pytest.raises(ValueError, match="several noises of the kind 'missing'"):
        check_recipe(parse_recipe(doubled, "a file"))


def as_layers(sequence):
    """A sequence of another dataset with a mask for each object, and the masks."""
    labels = tuple(
        ObjectLabel(
            x.object_id,
            x.name,
            x.class_id,
            positive=True,
            handbox=False,
            narration=False,
            source_id=f"{x.object_id - 1:03d}",
        )
        for x in sequence.objects
    )
    layers = tuple((frame, x.object_id) for frame in sequence.frames for x in labels)
    layered = replace(sequence, objects=labels, layers=layers, is_action=False)
    index = dict(zip(sequence.frames, masks_of(sequence), strict=True))
    return layered, [np.where(index[f] == n, n, 0).astype(np.uint8) for f, n in layers]


def add_empty(sequence, clean, masks):
    """The masks of a sequence with ghosts: the clean ones, and empty ones."""
    known = dict(zip(clean.layers, masks, strict=True))
    return [known.get(layer, np.zeros(SHAPE, np.uint8)) for layer in sequence.layers]


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("kind", PAIRED)
def test_layers_get_what_an_index_mask_gets(kind, span):
    """Without overlaps, the layers of a frame say the same as its index mask."""
    recipe = recipe_of(kind, 0.6, span)
    for sequence in CLIPS[:8]:
        layered, masks = as_layers(sequence)
        single = replace(layered, layers=None)
        frames = {frame.frame: frame for frame in noise_of(single, recipe, masks_of(sequence))}
        views = list(zip(layered.views, noise_of(layered, recipe, masks), strict=True))
        rows = {frame: [] for frame in frames}
        for view, noise in views:
            (label,) = view.objects
            assert set(np.unique(noise.mask)) <= {0, label.object_id}
            known = frames[view.frame].mask == label.object_id
            assert ((noise.mask > 0) == known).all()
            rows[view.frame] += noise.rows
        assert rows == {name: list(frame.rows) for name, frame in frames.items()}


def test_overlapping_objects_trade_their_whole_shapes():
    wide, tall = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    wide[50:70, 20:140], tall[10:110, 70:90] = 1, 2
    labels = tuple(
        ObjectLabel(
            n, f"object {n}", -1, positive=True, handbox=False, narration=False, source_id=str(n)
        )
        for n in (1, 2)
    )
    layers = (("0", 1), ("0", 2))
    sequence = VideoSequence(
        "a", 1, "a", 0, 0, "", "", -1, "", -1, ("0",), labels, layers=layers, is_action=False
    )
    first, second = noise_of(sequence, recipe_of("swap", 1.0), [wide, tall])
    assert ((first.mask == 1) == (tall == 2)).all()
    assert ((second.mask == 2) == (wide == 1)).all()
    merged = [frame.mask for frame in noise_of(sequence, recipe_of("merge", 1.0), [wide, tall])]
    filled = [int((mask > 0).sum()) for mask in merged]
    assert sorted(filled) == [0, int(((wide > 0) | (tall > 0)).sum())]


def test_other_datasets_get_new_objects():
    layered, masks = as_layers(CLIPS[0])
    none, some, every = (
        add_ghosts(layered, recipe_of("ghost", rate, "frame")) for rate in (0.0, 0.5, 1.0)
    )
    assert none == layered
    assert [x.object_id for x in every.objects] == list(range(1, 9))
    assert [x.source_id for x in every.objects[4:]] == ["004", "005", "006", "007"]
    new = some.objects[4:]
    assert 0 < len(new) < 4
    assert new == every.objects[4 : 4 + len(new)]  # a higher rate changes no ghost
    assert {x.class_id for x in every.objects[4:]} == {x.class_id for x in layered.objects}
    assert add_ghosts(some, recipe_of("ghost", 1.0)) == some
    noises = noise_of(some, recipe_of("ghost", 0.5, "frame"), add_empty(some, layered, masks))
    drawn = {
        (noise.frame, x.object_id)
        for view, noise in zip(some.views, noises, strict=True)
        for x in view.objects
        if x.model is not None and noise.mask.any()
    }
    assert drawn == {layer for layer in some.layers if layer[1] > 4}
    tally = sum((noise.tally for noise in noises), Counter())
    assert tally["ghost.items"] == 4 * len(layered.frames)
    assert {(n.frame, row.object_id) for n in noises for row in n.rows} == drawn


def test_ids_for_ghosts_end_before_void():
    label = replace(as_layers(CLIPS[0])[0].objects[0], object_id=253)
    labels = (label, replace(label, object_id=252, source_id="x"))
    sequence = replace(as_layers(CLIPS[0])[0], objects=labels, layers=None)
    added = add_ghosts(sequence, recipe_of("ghost", 1.0))
    assert [x.object_id for x in added.objects] == [253, 252, 254]


def test_a_recipe_without_masks_is_refused():
    with pytest.raises(ValueError, match="no mask noise"):
        noise_of(CLIPS[0], make_recipe("text", 0.4))
