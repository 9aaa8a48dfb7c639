"""Golden digests of the presets: what is shipped, and how a stranger or a drift is found out."""

from __future__ import annotations

import dataclasses

import pytest
from roots import clip, make_root

from actiseg_data.errors import Refused
from actiseg_data.layouts.actionvos import open_split
from actiseg_noise.corrupt import corrupt
from actiseg_noise.manifests import clean_digest, derive, load_golden, mismatches, recognise
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
    assert derive(root, "train", [name]) == {name: clean_digest(open_split(out, "train"))}


def test_numbering_and_order_of_sequences_do_not_matter(tmp_path):
    sequences = [clip(n) for n in range(1, 5)]
    renumbered = [clip(n, seq_id=20 - n, start=100 * n, end=100 * n + 50) for n in range(1, 5)]
    first = make_root(tmp_path / "first", sequences)
    second = make_root(tmp_path / "second", renumbered[::-1])
    assert derive(first, "train", ["smart/mar"]) == derive(second, "train", ["smart/mar"])
    other = make_root(tmp_path / "other", sequences[:3])
    assert derive(first, "train", ["smart/mar"]) != derive(other, "train", ["smart/mar"])


def test_real_masks_get_the_golden_pixels(prepare):
    """Three presets of different making on all real validation videos; `manifests check --dataset`
    does all of them in some minutes."""
    root = prepare("val", None, workers=2).root
    golden = recognise(root, workers=2)
    assert golden.name == "visor-val"
    names = ["actiseg-nl/mask-21", "actiseg/boundary-40", "coco-n/easy"]
    assert mismatches(golden, derive(root, "val", names, workers=2)) == []


def test_other_pixels_and_unknown_presets_are_named():
    golden = dataclasses.replace(load_golden()["sample"], masks={"a": "1", "b": "2"})
    assert mismatches(golden, {"a": "1"}) == []
    assert [line.split(":")[0] for line in mismatches(golden, {"b": "1", "c": "3"})] == ["b", "c"]


def test_a_dataset_without_golden_digests_is_refused_naming_those_that_have(tmp_path):
    root = make_root(tmp_path / "clean")
    with pytest.raises(Refused, match="visor-val"):
        recognise(root)
