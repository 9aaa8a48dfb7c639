"""Every medium goes through one interface."""

from __future__ import annotations

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_data.records.recipe_record import MEDIUM_MEMBERS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.media.medium import FilePlan
from actiseg_noise.media.registry import MEDIA, list_media, needs_masks
from actiseg_noise.media.self_check import check_consistency, open_documents
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS, MEDIUM_SPECS
from actiseg_noise.split.list_documents import ListDocuments
from actiseg_noise.split.noise_inputs import NoiseInputs
from tests.helpers.kitchens import make_kitchen


def test_every_kind_changes_a_medium_of_the_table():
    carried = {name: medium for medium in MEDIA.values() for name in (medium.name, *medium.more)}
    assert MEDIUM_SPECS.keys() == {spec.medium for spec in KIND_SPECS.values()}
    assert carried.keys() == MEDIUM_MEMBERS.keys() == {*MEDIUM_SPECS, "polygons"}
    for kind, spec in KIND_SPECS.items():
        (medium,) = list_media(make_recipe(kind, 0.4))
        assert type(medium) is carried[spec.medium]
        assert medium.noise.kind == kind


def test_text_noise_needs_no_masks():
    assert not needs_masks(make_recipe("text", 0.4))
    assert needs_masks(make_recipe("mixed", 0.4))


@pytest.mark.parametrize("kind", ["boundary", "text", "mixed"])
def test_a_plan_covers_each_medium_of_the_recipe(kind, tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    split, recipe = open_split(root, "train"), make_recipe(kind, 0.6)
    plans = [medium.plan(split, split.sequences, NoiseInputs()) for medium in list_media(recipe)]
    assert [plan.noise for plan in plans] == sorted(recipe.noises, key=lambda noise: noise.medium)
    assert sum(isinstance(plan, FilePlan) for plan in plans) == needs_masks(recipe)
    documents = ListDocuments(split, split.sequences)
    for plan in plans:
        documents = plan.rewrite_documents(documents)
    assert bool(documents.contents) == (recipe.text_noise is not None)
    assert all(plan.exact_thresholds == {} for plan in plans)


@pytest.mark.parametrize("kind", ["boundary", "text"])
def test_noise_that_the_recipe_does_not_ask_for_is_found(kind, tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    out = corrupt(root, make_recipe("mixed", 1.0), out=tmp_path / "noisy").out
    other = corrupt(root, make_recipe(kind, 1.0), out=tmp_path / "other").out
    assert check_consistency(out, open_documents(out)).lines == []
    documents = open_documents(out)
    (absent,) = {"masks", "text"} - {medium.name for medium in list_media(make_recipe(kind, 1.0))}
    traces = list(MEDIA[absent].find_traces(open_split(out, "train"), documents))
    assert bool(traces) == (absent == "text")  # mask rows are counted in this summary
    assert list(MEDIA[absent].find_traces(open_split(other, "train"), open_documents(other))) == []
