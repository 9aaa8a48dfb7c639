"""What is asked of a run of `corrupt`, checked before any mask is looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.listing import list_files, list_folder
from actiseg_data.core.names import format_names
from actiseg_data.layouts.actionvos import FRAMES, Split, list_splits, open_split
from actiseg_data.records.licences import read_licences
from actiseg_data.records.recipe_record import (
    RECIPE_FILE,
    Recipe,
    read_recipe,
)
from actiseg_noise import __version__
from actiseg_noise.recipes.building import check_recipe, make_recipe
from actiseg_noise.recipes.kind_specs import plain
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.split.partial_split import is_own, is_taken, partial_folder

IMAGES = ("link", "copy", "none")
WEIGHTS_CHOICES = ("derive", "none")


@dataclass(frozen=True)
class Request:
    """What is asked of a run, read and checked before masks are. lexicon: of text noise, None for
    the installed one. licences: LICENSE, NOTICE. clean: lists that are added to the noisy one.
    images, weights: see `actiseg_noise.corruption.corruption.corrupt`.
    """

    split: Split
    recipe: Recipe
    lexicon: Lexicon | None
    sequences: tuple[VideoSequence, ...]
    out: Path
    images: str
    overwrite: bool
    licences: tuple[str, str]
    clean: tuple[Split, ...] = ()
    weights: str = "derive"

    @property
    def images_taken(self) -> str:
        """How frames get into the copy, or that the source has none."""
        if any(folder.is_dir() for folder in self._frame_folders()):
            return self.images
        return "none: the source has no frames"

    def refuse_dangling_frames(self) -> None:
        """Refuse frames or folders of frames that are dangling links, unless frames are left out. A
        link to a folder takes its files as they are.
        """
        problems = ProblemCollector()
        if self.images != "none" and os.path.lexists(self.split.root / FRAMES):
            for folder in self._frame_folders():
                there = folder.is_dir()
                files = list_files(folder) if there and self.images == "copy" else []
                for path in [file.path for file in files] if there else [folder]:
                    if find_dangling_link(path) is not None:
                        with problems.collect():
                            raise refuse_missing(path, "the frames are missing", "restore them")
        problems.raise_if_any()

    def _frame_folders(self) -> Iterator[Path]:
        """The folders of the sequences' frames, which may be missing."""
        for split, sequences in (
            (self.split, self.sequences),
            *((other, other.sequences) for other in self.clean),
        ):
            for sequence in sequences:
                if sequence.folder in split.subsets:
                    yield split.find_folder(FRAMES, sequence)


def prepare_request(
    dataset: Path,
    recipe: Recipe,
    out: Path | None = None,
    only: Iterable[str] = (),
    images: str = "link",
    overwrite: bool = False,
    lexicon: Lexicon | None = None,
    with_clean: Iterable[str] = (),
    weights: str = "derive",
) -> Request:
    """Check everything that can be checked without looking at masks; parameters as in `corrupt`.

    Raises `InputError` for a faulty recipe or list, a dataset that is noisy already, an unknown
    sequence, an output inside the dataset or a place that is taken.
    """
    recipe = check_recipe(recipe, "recipe")
    if images not in IMAGES:
        raise refuse(f"images {images!r} is unknown", "images", f"use one of {', '.join(IMAGES)}")
    if weights not in WEIGHTS_CHOICES:
        known = " or ".join(WEIGHTS_CHOICES)
        raise refuse(f"weights {weights!r} is unknown", "weights", f"use {known}")
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
    clean = _open_clean(split, sequences, with_clean, masks=recipe.mask_noise is not None)
    request = Request(
        split, recipe, lexicon, sequences, out, images, overwrite, licences, clean, weights
    )
    request.refuse_dangling_frames()
    if not _is_of_recipe(out, recipe):
        refuse_occupied(request)
    return request


def _is_of_recipe(out: Path, recipe: Recipe) -> bool:
    """Whether the folder `out` says that it was made by this recipe."""
    try:
        return read_recipe(out / RECIPE_FILE).digest == recipe.digest
    except InputError:
        return False


def default_out(dataset: Path, recipe: Recipe, preset: str | None = None) -> Path:
    """``./<dataset>[_<split>]_<type or preset>_r<rate>_s<seed>[_<digest>]``.

    The split is named unless it is ``train``; two different rates are both named. The first six
    digits of the recipe's digest follow if the recipe has settings that the rest of the name does
    not show.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> default_out(Path("/data/visor"), make_recipe("mixed", 0.4, text_rate=0.2)).name
    'visor_mixed_r0.2-0.4_s0'
    >>> default_out(Path("/data/visor"), make_recipe("boundary", 0.4, split="val")).name
    'visor_val_boundary_r0.4_s0'
    """
    kind = type_of(recipe)
    usual = load_preset(preset).recipe() if preset else make_recipe(kind, 0.0)
    rates = [f"{noise.rate:g}" for noise in recipe.noises]
    parts = [
        dataset.resolve().name,
        *([] if recipe.split == "train" else [recipe.split]),
        (preset or kind).replace("/", "-"),
        f"r{'-'.join(dict.fromkeys(rates))}",
        f"s{recipe.seed}",
    ]
    expected = tuple(
        replace(noise, rate=plain(float(rate)))
        for noise, rate in zip(usual.noises, rates, strict=True)
    )
    if expected != recipe.noises:
        parts.append(recipe.digest[:6])
    return Path("_".join(parts))


def type_of(recipe: Recipe) -> str:
    """The type that makes a recipe's kinds, as ``--type`` names it."""
    return recipe.noises[0].kind if len(recipe.noises) == 1 else "mixed"


def choose(split: Split, only: Iterable[str]) -> tuple[VideoSequence, ...]:
    """The sequences named, in list order, or all; raises `InputError` for every unknown name."""
    wanted = list(only)
    by_folder = {sequence.folder: sequence for sequence in split.sequences}
    problems = ProblemCollector()
    for name in wanted:
        if name not in by_folder:
            problems.add(
                f"the split {split.name!r} has no sequence {name!r}{suggest(name, by_folder)}",
                "--only",
                "give a folder name as in the split's lists",
            )
    problems.raise_if_any()
    return tuple(seq for seq in split.sequences if not wanted or seq.folder in wanted)


def _open_clean(
    split: Split, sequences: Iterable[VideoSequence], names: Iterable[str], *, masks: bool
) -> tuple[Split, ...]:
    """Open the clean lists that are added to a noisy split; raises `InputError` with all that cannot
    be added.
    """
    folders = {sequence.folder for sequence in sequences}
    known = list_splits(split.root)
    problems = ProblemCollector()
    opened = []
    for name in dict.fromkeys(names):
        with problems.collect():
            if name == split.name:
                raise refuse(
                    f"{name!r} is the split that gets noise", "--with-clean", "leave it out"
                )
            if name not in known:
                raise refuse(
                    f"there is no split {name!r}{suggest(name, known)}",
                    "--with-clean",
                    f"the splits here are {', '.join(known)}",
                )
            clean = open_split(split.root, name, masks=masks)
            shared = [seq.folder for seq in clean.sequences if seq.folder in folders]
            if shared:
                raise refuse(
                    f"{name!r} has {len(shared)} of the sequences that get noise, "
                    f"{shared[0]} among them",
                    "--with-clean",
                    "leave it out, or make a copy of other sequences with --only",
                )
            opened.append(clean)
    problems.raise_if_any()
    return tuple(opened)


def refuse_occupied(request: Request) -> None:
    """Refuse what stands at `out`, unless it is a noisy split and `overwrite` is asked for."""
    out = request.out
    if not is_taken(out):
        return
    own = is_own(out)
    if not (request.overwrite and own):
        hint = "--overwrite to replace it" if own else "move it away yourself"
        raise refuse(_describe_occupant(out, request.recipe), out, f"give another --out, or {hint}")


def _outline(recipe: Recipe) -> tuple[object, ...]:
    return recipe.split, recipe.seed, [(noise.kind, noise.rate) for noise in recipe.noises]


def _describe_occupant(out: Path, recipe: Recipe) -> str:
    """What occupies the path of a noisy split that is to be made."""
    if not out.is_dir():
        return "is a file"
    if (out / RECIPE_FILE).is_file():
        try:
            found = read_recipe(out / RECIPE_FILE)
        except InputError:
            return f"holds a damaged {RECIPE_FILE}"
        noise = " and ".join(f"{noise.kind} at rate {noise.rate:g}" for noise in found.noises)
        what = f"holds a noisy split: {noise}, seed {found.seed}, split {found.split}"
        if found.digest == recipe.digest:
            what += "; its recipe is the same, but its sequences, frames, weights or clean lists "
            what += "are others, or it is damaged"
        elif _outline(found) == _outline(recipe):
            what += ", with other parameters"
        if not is_own(out):
            what += "; and files that are no part of it"
        return what
    splits = list_splits(out)
    if splits:
        return f"holds a dataset with the splits {', '.join(splits)}"
    return f"holds other files: {format_names([entry.name for entry in list_folder(out)])}"


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
