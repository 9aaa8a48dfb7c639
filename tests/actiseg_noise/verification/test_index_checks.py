"""`manifests check`: a preset, a lexicon or an algorithm that changes silently is found out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from blake3 import blake3
from PIL import Image

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.digests import digest_json
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.mask_noise import morphology
from actiseg_noise.recipes import building, kind_specs, spec_finding
from actiseg_noise.recipes.presets import load_presets
from actiseg_noise.recipes.published import RecipeIndex, load_index
from actiseg_noise.verification.index_checks import RAISE_VERSION, list_index_faults
from actiseg_noise.verification.recipe_pages import compose_pages
from tests.helpers.command import run
from tests.helpers.paths import ROOT


def change_preset(name, **changes):
    presets = load_presets()
    return presets | {name: replace(presets[name], **changes)}


def change_noise(name, **changes):
    first, *others = load_presets()[name].noises
    return change_preset(name, noises=(replace(first, **changes), *others))


def test_the_index_has_no_fault():
    assert list_index_faults(load_index(), load_presets()) == []


def test_a_silently_changed_rate_or_parameter_is_found():
    name = "smart/mar"
    values = dict(load_presets()[name].noises[0].parameters) | {"rounds": 31}
    for changes in ({"rate": 0.9}, {"parameters": values}, {"choice": "contest"}):
        assert list_index_faults(load_index(), change_noise(name, **changes)) == [
            f"{name}: differs from version 1: a setting or a parameter has another value; "
            f"{RAISE_VERSION}"
        ]


def test_a_changed_lexicon_is_found_in_every_preset_of_text(monkeypatch):
    other = replace(load_lexicon(), digest="0" * 32)
    monkeypatch.setattr(building, "load_lexicon", lambda: other)
    faults = list_index_faults(load_index(), load_presets())
    assert [fault.partition(":")[0] for fault in faults] == [
        name for name, preset in load_presets().items() if preset.make_recipe().text_noise
    ]
    assert all(f"the lexicon is another one; {RAISE_VERSION}" in fault for fault in faults)


def test_a_raised_algorithm_is_found_in_every_preset_that_uses_it(monkeypatch):
    newer = dict(kind_specs.KIND_SPECS)
    newer["boundary"] = replace(newer["boundary"], algorithm=3)
    monkeypatch.setattr(spec_finding, "KIND_SPECS", newer)
    faults = list_index_faults(load_index(), load_presets())
    assert len(faults) == 6
    assert all("cannot be made: algorithm 2 of 'boundary'" in fault for fault in faults)
    assert all(fault.endswith(RAISE_VERSION) for fault in faults)
    raised = change_noise("actiseg/boundary-40", algorithm=3)
    (fault,) = [line for line in list_index_faults(load_index(), raised) if "boundary-40" in line]
    assert f"the algorithm of boundary is 3, not 2; {RAISE_VERSION}" in fault


def test_versions_and_presets_that_do_not_fit_are_found():
    index, presets = load_index(), load_presets()
    name = "markov/expand"
    (published,) = index.recipes[name]

    def list_with(*versions):
        recipes = dict(index.recipes) | {name: versions}
        if not versions:
            del recipes[name]
        return list_index_faults(RecipeIndex(index.datasets, recipes), presets)

    (fault,) = list_index_faults(index, change_preset(name, version=2))
    assert fault.startswith(f"{name}: is version 2, but recipes.json ends with version 1")
    (fault,) = list_with()
    assert fault.startswith(f"{name}: is not in recipes.json")
    (fault,) = list_with(replace(published, last="0.1.0"))
    assert fault == f"{name}: version 1 was last made by actiseg 0.1.0: raise the version"
    (fault,) = list_with(replace(published, outputs={"sample": published.outputs["sample"]}))
    assert fault == f"{name}: has no golden digests on visor-val"
    text = index.recipes["actiseg/text-20"][0].outputs
    (fault,) = list_with(
        replace(published, outputs=text | {"visor-val": published.outputs["sample"]})
    )
    assert fault == f"{name}: has golden digests of other media on sample"
    del presets[name]
    (fault,) = list_with(published)
    assert fault == f"{name}: is published, but there is no such preset: restore it"
    assert list_with(replace(published, last="0.1.0")) == []


def test_a_recipe_that_is_published_twice_is_found():
    index = load_index()
    (published,) = index.recipes["smart/mar"]
    old = replace(published, name="smart/old", last="0.1.0")
    double = RecipeIndex(index.datasets, dict(index.recipes) | {"smart/old": (old,)})
    assert list_index_faults(double, load_presets()) == [
        "smart/mar: smart/mar v1 is the same recipe as another one",
        "smart/old: smart/old v1 is the same recipe as another one",
    ]


def test_pixels_that_change_without_a_new_algorithm_are_found(monkeypatch, sample):
    words = ("manifests", "check", "--preset", "actiseg-nl/mask-9@1", "--dataset", sample)
    assert run(*words).returncode == 0
    known = morphology.apply_morphology
    monkeypatch.setattr(
        morphology,
        "apply_morphology",
        lambda clean, values, keys: known(clean, {**values, "size": 11.0}, keys),
    )
    done = run(*words)
    assert done.returncode == 1
    assert "mismatch: actiseg-nl/mask-9: the golden digest of its masks on sample" in done.stdout
    assert "0 of 1 presets match" in done.stdout
    assert RAISE_VERSION in done.stdout.splitlines()[-1]


def test_the_command_names_faults_of_the_index_and_checks_the_rest(monkeypatch, sample):
    changed = change_noise("actiseg/text-20", rate=0.21)
    monkeypatch.setattr("actiseg_noise.recipes.presets.load_presets", lambda: changed)
    words = ("--preset", "actiseg/text-20", "--preset", "actiseg/text-40", "--dataset", sample)
    done = run("manifests", "check", *words)
    assert done.returncode == 1
    assert "index: actiseg/text-20: differs from version 2: a setting" in done.stdout
    assert "1 of 2 presets match the golden digests of sample" in done.stdout


@pytest.mark.parametrize(
    "name",
    ["actiseg/mixed-40", pytest.param("markov/expand", marks=pytest.mark.slow), "smart/de-DAE"],
)
def test_golden_digests_and_counts_are_those_of_the_files_that_corrupt_writes(
    name, sample, tmp_path
):
    """From the files alone: PNG decoded by Pillow, hashed here; rows of the ledger counted."""
    out = corrupt(sample, name, out=tmp_path / "noisy", images="none").out
    pixels = {}
    for sequence in open_split(out, "train").sequences:
        identity = "/".join(map(str, sequence.identity))
        for frame in sequence.frames:
            file = out / "Annotations_Sparse" / "train" / sequence.folder / f"{frame}.png"
            mask = np.asarray(Image.open(file))
            state = blake3(f"|u1{mask.shape}".encode() + mask.tobytes())
            pixels[f"{identity}/{frame}"] = state.hexdigest(length=16)
    golden = load_index().recipes[name][-1].outputs["sample"]
    assert golden.masks.digest == digest_json(pixels)
    rows = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    ious = [row["iou"] for row in rows if row["frame"] is not None]
    assert golden.masks.selected == len(ious)
    assert golden.masks.median_iou == pytest.approx(np.median(ious), abs=5e-5)
    kinds = [row["kind"] for row in rows if row["frame"] is None]
    if golden.text is None:
        assert not kinds
    else:
        assert golden.text.flips == kinds.count("category")
        assert golden.text.substitutions == kinds.count("within-category")
        assert golden.text.flips + golden.text.substitutions == len(kinds)


def test_the_pages_are_those_that_the_command_writes(tmp_path):
    folder = ROOT / "docs" / "recipes"
    pages = compose_pages()
    assert {path.name: path.read_text() for path in folder.iterdir()} == pages
    done = run("manifests", "pages", "--to", tmp_path / "pages")
    assert done.stdout == f"wrote {len(load_presets()) + 1} pages to {tmp_path / 'pages'}\n"
    assert {path.name: path.read_text() for path in (tmp_path / "pages").iterdir()} == pages


def test_pages_are_not_written_into_a_dataset(sample):
    done = run("manifests", "pages", "--to", sample)
    assert done.returncode == 2
    assert "--to" in done.stderr


def test_a_noisy_split_and_its_recipe_are_named(sample, tmp_path):
    out = corrupt(sample, "text", rate=0.4, seed=3, out=tmp_path / "noisy").out
    for given in (out, out / "recipe.json"):
        done = run("presets", "--of", given)
        assert done.returncode == 0
        assert done.stdout.startswith("actiseg/text-40 v2: split train, seed 3; recipe ")
    document = json.loads((out / "recipe.json").read_text())
    document["noises"][0]["rate"] = 0.5
    (tmp_path / "recipe.json").write_text(json.dumps(document))
    done = run("presets", "--of", tmp_path / "recipe.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("no published recipe: split train, seed 3")
    assert run("presets", "smart/mar", "--of", out).returncode == 2
    assert run("presets", "--of", sample).returncode == 2
