"""Checks of the index of published recipes: a preset is what its version was when published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from actiseg_data import __version__
from actiseg_data.core.errors import InputError
from actiseg_noise.recipes.presets import Preset
from actiseg_noise.recipes.published import (
    PublishedRecipe,
    RecipeIdentity,
    RecipeIndex,
    RecipeOutput,
    identify_recipe,
)

RAISE_VERSION = "if the change is meant, raise the version (see CONTRIBUTING.md)"
"""What to do about a preset that differs from its published version."""


def describe_entry(preset: Preset, dataset: str, output: RecipeOutput) -> dict[str, Any]:
    """Describe the newest version of a preset, as the index has it, with one output."""
    identity = identify_recipe(preset.make_recipe())
    return {
        "version": preset.version,
        "since": __version__,
        "last": None,
        **vars(identity),
        "outputs": {dataset: output.to_dict()},
    }


def list_index_faults(index: RecipeIndex, presets: Mapping[str, Preset]) -> list[str]:
    """Compare presets with the index; return a line for each fault, which begins with its preset.

    Parameters
    ----------
    index : RecipeIndex
        The published recipes.
    presets : mapping of str to Preset
        All presets by name.
    """
    faults = [
        f"{name}: {fault}"
        for name, preset in presets.items()
        for fault in _list_preset_faults(preset, index)
    ]
    for name, versions in index.recipes.items():
        if name not in presets and versions[-1].last is None:
            faults.append(f"{name}: is published, but there is no such preset: restore it")
    return faults + list(_list_doubles(index))


def _list_preset_faults(preset: Preset, index: RecipeIndex) -> Iterator[str]:
    versions = index.recipes.get(preset.name, ())
    if not versions:
        yield "is not in recipes.json: add what actiseg-noise manifests derive prints"
        return
    newest = versions[-1]
    if newest.version != preset.version:
        yield (
            f"is version {preset.version}, but recipes.json ends with version {newest.version}: "
            "add what actiseg-noise manifests derive prints"
        )
        return
    if newest.last is not None:
        yield f"version {newest.version} was last made by actiseg {newest.last}: raise the version"
    try:
        identity = identify_recipe(preset.make_recipe())
    except InputError as error:
        reasons = "; ".join(problem.what for problem in error.problems)
        yield f"version {newest.version} cannot be made: {reasons}; {RAISE_VERSION}"
        return
    if identity != newest.identity:
        causes = ", ".join(_list_causes(identity, newest.identity))
        yield f"differs from version {newest.version}: {causes}; {RAISE_VERSION}"
    yield from _list_absent_outputs(preset, newest, index.datasets)


def _list_causes(ours: RecipeIdentity, theirs: RecipeIdentity) -> Iterator[str]:
    """Say in which respects a recipe differs from what was published."""
    if ours.algorithms.keys() != theirs.algorithms.keys():
        yield f"its kinds are {', '.join(ours.algorithms)}, not {', '.join(theirs.algorithms)}"
    for kind, number in ours.algorithms.items():
        if theirs.algorithms.get(kind, number) != number:
            yield f"the algorithm of {kind} is {number}, not {theirs.algorithms[kind]}"
    if ours.lexicon != theirs.lexicon:
        yield "the lexicon is another one"
    if ours.algorithms == theirs.algorithms and ours.lexicon == theirs.lexicon:
        yield "a setting or a parameter has another value"


def _list_absent_outputs(
    preset: Preset, published: PublishedRecipe, datasets: Iterable[str]
) -> Iterator[str]:
    known = {field.name for field in fields(RecipeOutput)}
    media = {"masks" if noise.medium == "objects" else noise.medium for noise in preset.noises}
    media &= known
    for dataset in datasets:
        if dataset not in published.outputs:
            yield f"has no golden digests on {dataset}"
        elif published.outputs[dataset].to_dict().keys() != media:
            yield f"has golden digests of other media on {dataset}"


def _list_doubles(index: RecipeIndex) -> Iterator[str]:
    """Find recipes that were published twice, so that no name is the right one."""
    every = [version for versions in index.recipes.values() for version in versions]
    counts = Counter(version.identity.noises for version in every)
    for version in every:
        if counts[version.identity.noises] > 1:
            yield f"{version.name}: {version.title} is the same recipe as another one"
