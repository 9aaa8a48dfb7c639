"""Golden digests of the presets: what is shipped, and how a stranger or a drift is found out."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.presets import load_preset, load_presets
from actiseg_noise.verification.golden import (
    PresetDigests,
    derive,
    digest_clean_masks,
    digest_names,
    find_mismatches,
    load_golden,
    recognise,
)
from tests.helpers.kitchens import make_kitchen
from tests.helpers.roots import clip, make_root


def test_every_preset_has_golden_digests_on_every_dataset():
    known = load_golden()
    assert set(known) == {"sample", "visor-val"}
    for golden in known.values():
        of = golden.presets
        recipes = {name: preset.make_recipe() for name, preset in load_presets().items()}
        assert of.masks.keys() == {name for name in recipes if recipes[name].mask_noise}
        assert of.text.keys() == {name for name in recipes if recipes[name].text_noise}
        for digests in (of.masks, of.text):
            alone = [digest for name, digest in digests.items() if "mixed" not in name]
            assert len(set(alone)) == len(alone)


def test_mixed_noise_is_its_two_parts():
    """Each draws as if it were alone."""
    for golden in load_golden().values():
        masks, text = golden.presets.masks, golden.presets.text
        for rate in (20, 40, 60):
            assert masks[f"actiseg/mixed-{rate}"] == masks[f"actiseg/boundary-{rate}"]
            assert text[f"actiseg/mixed-{rate}"] == text[f"actiseg/text-{rate}"]
        assert masks["actiseg-nl/mixed-60-21"] == masks["actiseg-nl/mask-21"]
        assert text["actiseg-nl/mixed-60-21"] == text["actiseg-nl/text-60"]


def test_what_is_derived_is_what_corrupt_writes(tmp_path):
    root = make_kitchen(tmp_path / "clean")
    name = "actiseg-nl/mixed-60-21"
    out = corrupt(root, load_preset(name).make_recipe(), out=tmp_path / "noisy").out
    noisy = open_split(out, "train")
    objects = out / "ImageSets" / name_objects_file("train")
    written = {
        video: {
            number: (entry["category"], entry["class_id"])
            for number, entry in of["objects"].items()
        }
        for video, of in json.loads(objects.read_text())["videos"].items()
    }
    renamed = [
        dataclasses.replace(
            sequence,
            objects=tuple(
                dataclasses.replace(label, name=called[0], class_id=called[1])
                for label in sequence.objects
                for called in [written[sequence.folder][str(label.object_id)]]
            ),
        )
        for sequence in noisy.sequences
    ]
    assert derive(root, "train", [name]) == PresetDigests(
        {name: digest_clean_masks(noisy)}, {name: digest_names(renamed)}
    )
    assert digest_names(renamed) != digest_names(noisy.sequences)


def test_numbering_and_order_of_sequences_do_not_matter(tmp_path):
    sequences = [clip(n) for n in range(1, 5)]
    renumbered = [clip(n, seq_id=20 - n, start=100 * n, end=100 * n + 50) for n in range(1, 5)]
    first = make_root(tmp_path / "first", sequences)
    second = make_root(tmp_path / "second", renumbered[::-1])
    assert derive(first, "train", ["smart/mar"]) == derive(second, "train", ["smart/mar"])
    other = make_root(tmp_path / "other", sequences[:3])
    assert derive(first, "train", ["smart/mar"]) != derive(other, "train", ["smart/mar"])


@pytest.mark.slow
def test_real_masks_get_the_golden_pixels(prepare):
    """Three presets of different making on all real validation videos; `manifests check --dataset`
    does all of them in some minutes."""
    root = prepare("val", None, workers=2).root
    golden = recognise(root, workers=2)
    assert golden.name == "visor-val"
    names = ["actiseg-nl/mixed-60-21", "actiseg/mixed-40", "coco-n/easy"]
    assert find_mismatches(golden, derive(root, "val", names, workers=2)) == []


def test_other_pixels_and_unknown_presets_are_named():
    presets = PresetDigests(masks={"a": "1", "b": "2"}, text={"a": "4"})
    golden = dataclasses.replace(load_golden()["sample"], presets=presets)
    assert find_mismatches(golden, PresetDigests({"a": "1"}, {"a": "4"})) == []
    lines = find_mismatches(golden, PresetDigests({"b": "1", "c": "3"}, {"a": "5"}))
    assert [line.split(":")[0] for line in lines] == ["b", "c", "a"]


def test_a_dataset_with_the_masks_of_a_known_one_and_other_names_is_another(sample, tmp_path):
    shutil.copytree(sample, tmp_path / "sample")
    assert recognise(tmp_path / "sample").name == "sample"
    path = tmp_path / "sample" / "ImageSets" / "train.json"
    path.write_text(path.read_text().replace('"name": "knife"', '"name": "blade"'))
    with pytest.raises(InputError, match="its masks or names differ"):
        recognise(tmp_path / "sample")


def test_a_dataset_without_golden_digests_is_refused_naming_those_that_have(tmp_path):
    root = make_root(tmp_path / "clean")
    with pytest.raises(InputError, match="visor-val"):
        recognise(root)
