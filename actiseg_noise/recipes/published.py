"""Published recipes: what each version of each preset is, and what it makes of known datasets.

The index is ``data_manifests/recipes.json``. An entry never changes: a name and a version mean the
same pixels and words for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import refuse
from actiseg_data.core.manifests import load_installed
from actiseg_data.core.names import check_text, parse_whole_number
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.recipes.kind_parameters import FREQUENCY

INDEX = "recipes.json"
SCHEMA = "actiseg/recipes/1"


@dataclass(frozen=True)
class MaskOutput:
    """What the noise of masks and whole objects makes of a dataset.

    Attributes
    ----------
    digest : str
        Of all masks.
    items, selected : int
        Eligible objects in frames, and those that get noise.
    median_iou : float or None
        Median IoU of the noisy objects with the clean ones, after overlaps, to 4 digits.
    """

    digest: str
    items: int
    selected: int
    median_iou: float | None


@dataclass(frozen=True)
class TextOutput:
    """What text noise makes of a dataset.

    Attributes
    ----------
    digest : str
        Of the classes and names of all objects.
    prompts, flips, substitutions : int
        All prompts, those that name another class, those with another name of their class.
    """

    digest: str
    prompts: int
    flips: int
    substitutions: int


@dataclass(frozen=True)
class RecipeOutput:
    """What a recipe makes of a dataset at seed 0, by medium; None for a medium without noise."""

    masks: MaskOutput | None
    text: TextOutput | None

    def to_dict(self) -> dict[str, Any]:
        """Return the output as in the index."""
        return {medium: vars(part) for medium, part in vars(self).items() if part is not None}


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that the index has outputs for.

    Attributes
    ----------
    name : str
        Name of the dataset.
    about : str
        What it is, and how to get it.
    split : str
        The split that the outputs are for.
    clean : str
        Digest of all clean masks, see `actiseg_noise.verification.golden.digest_masks`.
    names : str
        Digest of the clean classes and names, see
        `actiseg_noise.verification.golden.digest_names`.
    """

    name: str
    about: str
    split: str
    clean: str
    names: str


@dataclass(frozen=True)
class RecipeIdentity:
    """What a published recipe is, without its name.

    Attributes
    ----------
    noises : str
        Digest of its noises, which depends on neither split nor seed, see `digest_noises`.
    recipe : str
        Digest of the whole recipe for the split ``train`` at seed 0.
    algorithms : mapping of str to int
        The algorithm of each of its kinds.
    lexicon : str or None
        Digest of the lexicon of its text noise.
    """

    noises: str
    recipe: str
    algorithms: Mapping[str, int]
    lexicon: str | None


@dataclass(frozen=True)
class PublishedRecipe:
    """One version of a preset.

    Attributes
    ----------
    name : str
        The preset.
    version : int
        From 1 upwards.
    since : str
        The first release of actiseg that makes it.
    last : str or None
        The last release that makes it; None if this one does.
    identity : RecipeIdentity
        What it is.
    outputs : mapping of str to RecipeOutput
        What it makes of each known dataset.
    """

    name: str
    version: int
    since: str
    last: str | None
    identity: RecipeIdentity
    outputs: Mapping[str, RecipeOutput]

    @property
    def releases(self) -> str:
        """The releases of actiseg that make it, such as ``0.1.0 to 0.2.4``."""
        ends = dict.fromkeys((self.since, self.last or "this one"))
        return " to ".join(ends)

    @property
    def title(self) -> str:
        """Name and version, as they are cited: ``actiseg/mixed-40 v2``."""
        return f"{self.name} v{self.version}"

    @property
    def address(self) -> str:
        """Name and version, as commands take them: ``actiseg/mixed-40@2``."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class RecipeIndex:
    """All published recipes.

    Attributes
    ----------
    datasets : mapping of str to KnownDataset
        The datasets that there are outputs for.
    recipes : mapping of str to tuple of PublishedRecipe
        The versions of each preset, version 1 first.
    """

    datasets: Mapping[str, KnownDataset]
    recipes: Mapping[str, tuple[PublishedRecipe, ...]]

    def find_recipe(self, recipe: Recipe) -> PublishedRecipe | None:
        """Return the published recipe with the noises of a recipe, or None."""
        digest = digest_noises(recipe.noises)
        every = (version for versions in self.recipes.values() for version in versions)
        return next((version for version in every if version.identity.noises == digest), None)


def digest_noises(noises: Iterable[Noise]) -> str:
    """Compute the digest of noises, the same for every split, seed and dataset."""
    return digest_json([_describe_noise(noise) for noise in noises])


def _describe_noise(noise: Noise) -> dict[str, Any]:
    """Return a noise as in a recipe, without the categories or frequencies of the dataset."""
    document, values = noise.to_dict(), dict(noise.parameters)
    if "categories" in values:
        values["categories"] = None
    if isinstance(values.get("pool"), Mapping):
        values["pool"] = FREQUENCY
    return {**document, "parameters": values}


def identify_recipe(recipe: Recipe) -> RecipeIdentity:
    """Describe what a recipe for the split ``train`` at seed 0 is."""
    lexica = (noise.parameters["lexicon"] for noise in recipe.noises if noise.medium == "text")
    return RecipeIdentity(
        noises=digest_noises(recipe.noises),
        recipe=recipe.digest,
        algorithms={noise.kind: noise.algorithm for noise in recipe.noises},
        lexicon=next(lexica, None),
    )


def name_recipe(recipe: Recipe) -> str | None:
    """Name the published recipe that a recipe is, whatever its split and seed.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.

    Returns
    -------
    str or None
        Name and version; None if no published recipe has these noises.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> name_recipe(make_recipe("boundary", 0.4, split="val", seed=3))
    'actiseg/boundary-40 v1'
    >>> name_recipe(make_recipe("boundary", 0.41))
    """
    published = load_index().find_recipe(recipe)
    return None if published is None else published.title


def split_version(name: str, where: str) -> tuple[str, int | None]:
    """Split the name of a preset from its version, None if it has none.

    >>> split_version("actiseg/mixed-40@2", "preset"), split_version("smart/mar", "preset")
    (('actiseg/mixed-40', 2), ('smart/mar', None))
    """
    base, separator, text = name.partition("@")
    version = parse_whole_number(text)
    if separator and (version is None or version < 1):
        hint = f"write a whole number from 1 after the @: {base[:60]}@1"
        raise refuse(f"{text[:60]!r} is not the version of a preset", where, hint)
    return base, version


def load_index() -> RecipeIndex:
    """Load the installed index of published recipes.

    Raises
    ------
    InputError
        If it is damaged: versions must be 1, 2, 3 ..., and each but the newest has a last release.
    """
    return parse_index(load_installed(INDEX, SCHEMA))


def parse_index(top: Cursor) -> RecipeIndex:
    """Parse the document of the index; errors are those of `load_index`."""
    datasets = {
        name: KnownDataset(
            check_text(name, entry.where),
            *(entry[key].as_text() for key in ("about", "split", "clean", "names")),
        )
        for name, entry in top["datasets"].iterate_members()
    }
    recipes = {
        name: _parse_versions(check_text(name, entry.where), entry)
        for name, entry in top["recipes"].iterate_members()
    }
    return RecipeIndex(datasets, recipes)


def _parse_versions(name: str, entry: Cursor) -> tuple[PublishedRecipe, ...]:
    versions = tuple(_parse_version(name, element) for element in entry.iterate_elements())
    if [version.version for version in versions] != list(range(1, len(versions) + 1)):
        raise refuse("the versions are not 1, 2, 3 ...", entry.where, "restore the file")
    for version in versions[:-1]:
        if version.last is None:
            hint = "give under 'last' the last release that makes it"
            raise refuse(f"{version.title} has no last release", entry.where, hint)
    return versions


def _parse_version(name: str, entry: Cursor) -> PublishedRecipe:
    return PublishedRecipe(
        name=name,
        version=entry["version"].as_integer(),
        since=entry["since"].as_text(),
        last=_read_text(entry["last"]),
        identity=RecipeIdentity(
            noises=entry["noises"].as_text(),
            recipe=entry["recipe"].as_text(),
            algorithms={
                kind: number.as_integer() for kind, number in entry["algorithms"].iterate_members()
            },
            lexicon=_read_text(entry["lexicon"]),
        ),
        outputs={
            dataset: _parse_output(output) for dataset, output in entry["outputs"].iterate_members()
        },
    )


def _parse_output(output: Cursor) -> RecipeOutput:
    masks = text = None
    if "masks" in output:
        part = output["masks"]
        median = part["median_iou"]
        masks = MaskOutput(
            digest=part["digest"].as_text(),
            items=part["items"].as_integer(),
            selected=part["selected"].as_integer(),
            median_iou=None if median.value is None else median.as_number(),
        )
    if "text" in output:
        part = output["text"]
        counts = {name: part[name].as_integer() for name in ("prompts", "flips", "substitutions")}
        text = TextOutput(digest=part["digest"].as_text(), **counts)
    return RecipeOutput(masks, text)


def _read_text(cursor: Cursor) -> str | None:
    return None if cursor.value is None else cursor.as_text()
