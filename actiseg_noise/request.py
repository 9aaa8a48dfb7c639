"""What is asked of a run of `corrupt`, checked before any mask is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.errors import Problems, Refused, refuse, suggest
from actiseg_data.files import is_occupied
from actiseg_data.layouts.actionvos import FRAMES, MASKS, Split, open_split
from actiseg_data.lexicon import Lexicon, load_lexicon
from actiseg_data.licences import read_licences
from actiseg_data.records import RECIPE_FILE, Recipe, read_recipe
from actiseg_data.sequences import Sequence
from actiseg_noise import __version__
from actiseg_noise.output import is_own, partial_folder
from actiseg_noise.recipe import check_recipe

IMAGES = ("link", "copy", "none")
COPIED, LINKED = "copied", "linked"


@dataclass(frozen=True)
class Request:
    """What is asked of a run, read and checked before masks are. lexicon: of text noise, None
    for the installed one. licences: LICENSE, NOTICE."""

    split: Split
    recipe: Recipe
    lexicon: Lexicon | None
    sequences: tuple[Sequence, ...]
    out: Path
    images: str
    overwrite: bool
    licences: tuple[str, str]

    @property
    def images_taken(self) -> str:
        """How frames get into the copy, or that the source has none."""
        if any(self.split.folder(FRAMES, each).is_dir() for each in self._placed()):
            return self.images
        return "none: the source has no frames"

    @property
    def masks_taken(self) -> str | None:
        """How masks get in as they are; None where noise makes new ones."""
        if self.recipe.mask_noise is not None:
            return None
        split = self.split
        if not any(split.folder(MASKS, sequence).is_dir() for sequence in self._placed()):
            return "none: the source has no masks"
        return COPIED if self.images == "copy" else LINKED

    def _placed(self) -> Iterator[Sequence]:
        """The sequences that have folders of masks or frames."""
        return (each for each in self.sequences if each.folder in self.split.subsets)


def prepare_request(
    dataset: Path,
    recipe: Recipe,
    out: Path | None = None,
    only: Iterable[str] = (),
    images: str = "link",
    overwrite: bool = False,
    lexicon: Lexicon | None = None,
) -> Request:
    """Check everything that can be checked without looking at masks; parameters as in `corrupt`.

    Raises `Refused` for a faulty recipe or list, a dataset that is noisy already, an unknown
    sequence, an output inside the dataset or a place that is taken.
    """
    recipe = check_recipe(recipe, "recipe")
    if images not in IMAGES:
        raise refuse(f"images {images!r} is unknown", "images", f"use one of {', '.join(IMAGES)}")
    if lexicon is not None and recipe.text_noise is None:
        raise refuse("is of no use without noise on words", "--lexicon", "leave it out")
    if (dataset / RECIPE_FILE).is_file():
        raise refuse(
            f"is a noisy split already ({RECIPE_FILE})",
            dataset,
            "give the clean dataset; --type mixed makes noise on words and masks at once",
        )
    split = open_split(dataset, recipe.split, masks=recipe.mask_noise is not None)
    out = out or default_out(dataset, recipe)
    if not out.name or out.name == "..":
        raise refuse("names no folder to make", out, "give a name, such as ./noisy, as --out")
    if out.is_symlink():
        raise refuse("is a symbolic link", out, "give the folder itself as --out")
    for folder in (out, partial_folder(out)):
        _refuse_nesting(dataset, folder)
    sequences, licences = choose(split, only), _licence_texts(dataset, recipe, lexicon)
    request = Request(split, recipe, lexicon, sequences, out, images, overwrite, licences)
    if not _is_of_recipe(out, recipe):
        refuse_occupied(request)
    return request


def _is_of_recipe(out: Path, recipe: Recipe) -> bool:
    """Whether the folder `out` says that it was made by this recipe."""
    try:
        return read_recipe(out / RECIPE_FILE).digest == recipe.digest
    except Refused:
        return False


def default_out(dataset: Path, recipe: Recipe, preset: str | None = None) -> Path:
    """``./<dataset>_<type or preset>_r<rate>_s<seed>``; two rates that differ are both named.

    >>> from actiseg_noise.recipe import make_recipe
    >>> default_out(Path("/data/visor"), make_recipe("mixed", 0.4, text_rate=0.2)).name
    'visor_mixed_r0.2-0.4_s0'
    """
    name = (preset or type_of(recipe)).replace("/", "-")
    rates = dict.fromkeys(f"{noise.rate:g}" for noise in recipe.noises)
    return Path(f"{dataset.resolve().name}_{name}_r{'-'.join(rates)}_s{recipe.seed}")


def type_of(recipe: Recipe) -> str:
    """The type that makes a recipe's kinds, as ``--type`` names it."""
    return recipe.noises[0].kind if len(recipe.noises) == 1 else "mixed"


def choose(split: Split, only: Iterable[str]) -> tuple[Sequence, ...]:
    """The sequences named, in list order, or all; raises `Refused` for every unknown name."""
    wanted = list(only)
    by_folder = {sequence.folder: sequence for sequence in split.sequences}
    problems = Problems()
    for name in wanted:
        if name not in by_folder:
            problems.add(
                f"the split {split.name!r} has no sequence {name!r}{suggest(name, by_folder)}",
                "--only",
                "give a folder name as in the split's lists",
            )
    problems.raise_if_any()
    return tuple(seq for seq in split.sequences if not wanted or seq.folder in wanted)


def refuse_occupied(request: Request) -> None:
    """Refuse what stands at `out`, unless it is a noisy split and `overwrite` is asked for."""
    if not is_occupied(request.out):
        return
    if not request.overwrite:
        raise refuse(
            "something else is there already",
            request.out,
            "give another --out, or --overwrite to replace it",
        )
    if not is_own(request.out):
        raise refuse(
            "holds other things than a noisy split of this toolkit, so it is not overwritten",
            request.out,
            "remove it yourself, or give another --out",
        )


def _refuse_nesting(dataset: Path, out: Path) -> None:
    source, target = (Path(os.path.realpath(path)) for path in (dataset, out))
    if target == source or source in target.parents or target in source.parents:
        raise refuse(
            f"the output lies inside the dataset {dataset}, or holds it",
            out,
            "give an --out beside the dataset",
        )


def _licence_texts(dataset: Path, recipe: Recipe, lexicon: Lexicon | None) -> tuple[str, str]:
    license_text, notice_text = read_licences(dataset)
    applied = " and ".join(
        f"{noise.kind!r} noise at rate {noise.rate:g} to the "
        + ("masks" if noise.medium == "masks" else "words")
        for noise in recipe.noises
    )
    change = (
        f"\nChanged: this folder is a noisy copy. actiseg {__version__} applied {applied} of the "
        f"split {recipe.split!r}, on purpose, so that learning from noisy labels can be studied. "
        "recipe.json says how, ledger.jsonl lists every change.\n"
    )
    if recipe.text_noise is not None:
        used = lexicon or load_lexicon()
        change += f"New names and senses are those of the lexicon {used.title!r}. {used.licence}\n"
    return license_text, notice_text + change
