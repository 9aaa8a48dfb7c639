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
from actiseg_noise.recipes.published import load_index
from actiseg_noise.verification.golden import (
    derive,
    digest_clean_masks,
    digest_names,
    find_mismatches,
    recognise,
)
from tests.helpers.kitchens import make_kitchen
from tests.helpers.roots import clip, make_root

DATASETS = ("sample", "visor-val")


def read_digests(dataset, medium):
    """The golden digests of the newest version of every preset with such noise."""
    outputs = {name: of[-1].outputs[dataset] for name, of in load_index().recipes.items()}
    parts = {name: getattr(output, medium) for name, output in outputs.items()}
    return {name: part.digest for name, part in parts.items() if part is not None}


def test_every_preset_has_golden_digests_on_every_dataset():
    assert set(load_index().datasets) == set(DATASETS)
    recipes = {name: preset.make_recipe() for name, preset in load_presets().items()}
    for dataset in DATASETS:
        masks, text = read_digests(dataset, "masks"), read_digests(dataset, "text")
        assert masks.keys() == {name for name in recipes if recipes[name].mask_noise}
        assert text.keys() == {name for name in recipes if recipes[name].text_noise}
        for digests in (masks, text):
            alone = [
                digest
                for name, digest in digests.items()
                if "mixed" not in name and "scaled" not in name
            ]
            assert len(set(alone)) == len(alone)


def test_mixed_noise_is_its_two_parts():
    """Each draws as if it were alone."""
    for dataset in DATASETS:
        masks, text = read_digests(dataset, "masks"), read_digests(dataset, "text")
        for rate in (20, 40, 60):
            assert masks[f"actiseg/mixed-{rate}"] == masks[f"actiseg/boundary-{rate}"]
            assert text[f"actiseg/mixed-{rate}"] == text[f"actiseg/text-{rate}"]
        assert masks["actiseg-nl/mixed-60-21"] == masks["actiseg-nl/mask-21"]
        assert text["actiseg-nl/mixed-60-21"] == text["actiseg-nl/text-60"]


def test_scaled_masks_are_the_literal_ones_at_their_width_alone():
    """Frames of VISOR are 854 pixels wide, those of the sample 428."""
    outputs = {dataset: read_digests(dataset, "masks") for dataset in DATASETS}
    for size in (9, 15, 21):
        names = f"actiseg/scaled-mask-{size}", f"actiseg-nl/mask-{size}"
        assert len({outputs["visor-val"][name] for name in names}) == 1
        assert len({outputs["sample"][name] for name in names}) == 2


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
    output = derive(root, "train", [name])[name]
    assert output.masks.digest == digest_clean_masks(noisy)
    assert output.text.digest == digest_names(renamed)
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
    assert recognise(root, workers=2).name == "visor-val"
    names = ["actiseg-nl/mixed-60-21", "actiseg/mixed-40", "coco-n/easy"]
    assert find_mismatches("visor-val", derive(root, "val", names, workers=2)) == []


def test_other_pixels_other_counts_and_unknown_presets_are_named():
    name = "actiseg/mixed-40"
    known = load_index().recipes[name][-1].outputs["sample"]
    assert find_mismatches("sample", {name: known}) == []
    pixels = dataclasses.replace(known, masks=dataclasses.replace(known.masks, digest="0" * 32))
    counts = dataclasses.replace(known, text=dataclasses.replace(known.text, flips=0))
    assert find_mismatches("sample", {name: pixels}) == [
        f"{name}: the golden digest of its masks on sample differs"
    ]
    assert find_mismatches("sample", {name: counts}) == [
        f"{name}: the counts of its text on sample differ"
    ]
    lines = find_mismatches("sample", {"new/one": known}) + find_mismatches(
        "kitchen", {name: known}
    )
    assert [line.split(" on ")[0] for line in lines] == [
        f"{preset}: has no golden digest of its {medium}"
        for preset in ("new/one", name)
        for medium in ("masks", "text")
    ]


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
