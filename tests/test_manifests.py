"""Golden digests of the presets: what is shipped, and how a stranger or a drift is found out."""

from __future__ import annotations

import dataclasses

import pytest
from roots import make_root

from actiseg_data.digests import json_digest
from actiseg_data.errors import Refused
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.records import read_digests
from actiseg_noise.corrupt import corrupt
from actiseg_noise.manifests import derive, load_golden, mismatches, recognise
from actiseg_noise.presets import load_preset, load_presets


def test_every_preset_has_golden_digests_on_every_dataset():
    known = load_golden()
    assert set(known) == {"sample", "visor-val"}
    for golden in known.values():
        assert golden.masks.keys() == load_presets().keys()
        assert len(set(golden.masks.values())) == len(golden.masks)


def test_what_is_derived_is_what_corrupt_writes(tmp_path):
    root = make_root(tmp_path / "clean")
    name = "actiseg-nl/mask-9"
    out = corrupt(root, load_preset(name).recipe(), out=tmp_path / "noisy").out
    digests = read_digests(out / "digests.json")
    masks = {path: digest for path, digest in digests.items() if path.startswith(MASKS)}
    assert derive(root, "train", [name]) == {name: json_digest(masks)}


def test_other_pixels_and_unknown_presets_are_named():
    golden = dataclasses.replace(load_golden()["sample"], masks={"a": "1", "b": "2"})
    assert mismatches(golden, {"a": "1"}) == []
    assert [line.split(":")[0] for line in mismatches(golden, {"b": "1", "c": "3"})] == ["b", "c"]


def test_a_dataset_without_golden_digests_is_refused_naming_those_that_have(tmp_path):
    root = make_root(tmp_path / "clean")
    with pytest.raises(Refused, match="visor-val"):
        recognise(root)
