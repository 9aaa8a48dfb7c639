from __future__ import annotations

from actiseg_noise.mask_noise import overlap
from actiseg_noise.mask_noise.outline_kinds import KINDS
from actiseg_noise.media.registry import MEDIA
from actiseg_noise.recipes.kind_specs import KIND_SPECS, MEDIUM_SPECS, OVERLAPS


def test_every_kind_of_mask_noise_has_a_function():
    drawn = {name for name, spec in KIND_SPECS.items() if spec.medium == "masks"}
    mixtures = {name for name in drawn if name not in KINDS}
    assert set(KINDS) <= drawn
    assert mixtures == {"boundary", "spatial"}


def test_every_rule_of_overlap_has_a_function():
    assert set(overlap.OVERLAPS) == set(OVERLAPS)


def test_every_medium_has_an_implementation():
    assert set(MEDIA) == set(MEDIUM_SPECS)
