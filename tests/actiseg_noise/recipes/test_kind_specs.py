from __future__ import annotations

from actiseg_noise.mask_noise import overlap
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.media.registry import MEDIA
from actiseg_noise.recipes.kind_specs import KIND_SPECS, MEDIUM_SPECS, OVERLAPS, list_kinds


def test_every_kind_of_mask_noise_has_a_function():
    for name in list_kinds("masks"):
        assert (KIND_SPECS[name].outline is None) == ("kinds" in KIND_SPECS[name].parameters)
        if KIND_SPECS[name].outline is not None:
            assert callable(find_outline_kind(name))
    assert not any(KIND_SPECS[name].outline for name in list_kinds("text"))


def test_every_rule_of_overlap_has_a_function():
    assert set(overlap.OVERLAPS) == set(OVERLAPS)


def test_every_medium_has_an_implementation():
    carried = {name for medium in MEDIA.values() for name in (medium.name, *medium.more)}
    assert carried == {*MEDIUM_SPECS, "polygons"}
