"""Open a noisy split together with the clean split that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, read_lexicon
from actiseg_data.annotations.masks import IndexMask, check_same_size
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.listing import list_folders
from actiseg_data.layouts.opening import has_source, open_source, open_split
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.report_files import check_report_file
from actiseg_data.layouts.split import Split, paint_masks
from actiseg_data.records.difference_record import (
    DIFFERENCES_FILE,
    Differences,
    read_differences,
)
from actiseg_data.records.recipe_record import (
    RECIPE_FILE,
    Noise,
    Recipe,
    read_recipe,
)
from actiseg_data.records.split_documents import (
    LEXICON_FILE,
    SUMMARY_FILE,
    read_summary,
)

_SOURCE_HINT = "give the source that the noisy split was made from as `source`"


@dataclass(frozen=True)
class NoisySplit:
    """A noisy split and its source.

    Attributes
    ----------
    noisy : Split
        The noisy lists and masks.
    clean : Split or None
        The split of the source, or None if the source cannot be reached.
    recipe : Recipe
        The recipe of the noisy split.
    expected : Path
        Where the source was looked for.
    lexicon : Lexicon or None
        The lexicon that the split carries, or None if it uses the installed one.
    """

    noisy: Split
    clean: Split | None
    recipe: Recipe
    expected: Path
    lexicon: Lexicon | None

    def __repr__(self) -> str:
        source = self.expected if self.clean is not None else None
        return (
            f"NoisySplit({str(self.noisy.root)!r}, split={self.recipe.split!r}, "
            f"sequences={len(self.noisy.sequences)}, source={source and str(source)!r})"
        )

    @property
    def source(self) -> Split:
        """The clean split; raises `InputError` if it cannot be reached."""
        if self.clean is None:
            raise refuse(
                "the clean dataset that the noisy split was made from is not here",
                self.expected,
                "give its folder as `source`",
            )
        return self.clean

    def find_labelled(self, folder: str) -> VideoSequence:
        """Return a sequence with its clean labels, and with the false objects that noise added.

        An action list has no false objects, but noise may have changed its labels: there, it is the
        sequence of the source.
        """
        clean = self.source[folder]
        return clean if clean.is_action else self.noisy[folder]

    def iterate_mask_pairs(self, sequence: VideoSequence) -> Iterator[tuple[IndexMask, IndexMask]]:
        """Yield the clean and the noisy mask of each view, one at a time.

        Raises
        ------
        InputError
            If there is no source, if masks are missing or faulty (see `Split.iterate_masks`), or if
            the two masks differ in size.
        """
        clean_masks = self.source.iterate_masks(sequence)
        noisy_masks = self.noisy.iterate_masks(sequence)
        paths = self.noisy.find_masks(sequence)
        for path, clean, noisy in zip(paths, clean_masks, noisy_masks, strict=True):
            check_same_size(noisy.shape, clean.shape, "the clean mask", path, _SOURCE_HINT)
            yield clean, noisy

    def iterate_frame_pairs(
        self, sequence: VideoSequence
    ) -> Iterator[tuple[str, IndexMask, IndexMask]]:
        """Yield each frame with its clean and its noisy mask of all objects.

        Of objects that overlap, later ones are on top. Errors are those of `iterate_mask_pairs`.
        """
        pairs = zip(sequence.views, self.iterate_mask_pairs(sequence), strict=True)
        for frame, group in groupby(pairs, key=lambda pair: pair[0].frame):
            masks = [pair for _, pair in group]
            yield (
                frame,
                paint_masks(clean for clean, _ in masks),
                paint_masks(noisy for _, noisy in masks),
            )


def open_noisy_split(out: PathLike, source: PathLike | None = None) -> NoisySplit:
    """Open a noisy split and its source. Masks are not decoded yet.

    Any release may have made the split: its kinds and algorithms need not be known here, because
    only the files are read.

    Parameters
    ----------
    out : str or Path
        Folder that `corrupt` made.
    source : str or Path, optional
        The clean dataset. By default the path in ``summary.json``; if that dataset is gone,
        `NoisySplit.clean` is None.

    Raises
    ------
    InputError
        If `out` is not a noisy split, if `source` is not a dataset, or if the source has different
        sequences or frames.
    """
    out, source = as_path(out), None if source is None else as_path(source)
    recipe = read_split_recipe(out)
    places = [noise.place for noise in recipe.noises]
    if not places or len(set(places)) < len(places):
        raise refuse(
            f"lists {len(places)} noises that this release cannot distinguish",
            out / RECIPE_FILE,
            "use the release of actiseg that wrote it (see 'toolkit' in its summary.json)",
        )
    masks = recipe.changes_masks
    noisy = open_split(out, recipe.split, masks=masks)
    expected = find_source_root(out, source)
    lexicon = read_carried_lexicon(out)
    if source is None and not has_source(expected, out, recipe.split):
        return NoisySplit(noisy, None, recipe, expected, lexicon)
    clean = open_source(expected, out, recipe.split, masks=masks)
    _refuse_different_sequences(noisy, clean, recipe)
    return NoisySplit(noisy, clean, recipe, expected, lexicon)


def read_split_recipe(out: Path) -> Recipe:
    """Read the recipe of a noisy split; raise `InputError` if the folder is not one."""
    if (out / RECIPE_FILE).is_file():
        return read_recipe(out / RECIPE_FILE)
    inner = list_folders(out) if out.is_dir() else []
    splits = [folder.path for folder in inner if (folder.path / RECIPE_FILE).is_file()]
    if splits:
        raise refuse(
            "is not a noisy split, but the folder that contains one", out, f"give {splits[0]}"
        )
    kind = recognise_dataset(out)
    why = f"it has no {RECIPE_FILE}" if out.is_dir() else "there is no such folder"
    raise refuse(
        f"is not a noisy split: {why}" if kind is None else f"is not a noisy split, but {kind}",
        out,
        "give a folder that actiseg-noise corrupt made",
    )


def read_carried_lexicon(out: Path) -> Lexicon | None:
    """Read the lexicon that a noisy split carries; None if it uses the installed one."""
    path = out / LEXICON_FILE
    return read_lexicon(path) if path.is_file() else None


def read_carried_differences(out: Path) -> Differences | None:
    """Read the differences of an imported noisy split; None if it has none."""
    path = out / DIFFERENCES_FILE
    return read_differences(path) if path.is_file() else None


def choose_differences(noise: Noise, differences: Differences | None) -> Differences:
    """Return the differences of imported noise; raise `InputError` if they are not the noise's."""
    hint = (
        "give the noisy split that the recipe is from to actiseg-noise verify, its rebuild kit to "
        "actiseg-noise rebuild, or import the noisy split again"
    )
    if differences is None:
        what = "was made by an import, so it is not enough to make the noise: it needs the "
        raise refuse(f"{what}{DIFFERENCES_FILE} of the noisy split", "`recipe`", hint)
    if differences.digest(noise.medium) != noise.parameters["differences"]:
        raise refuse(f"names other differences in the {noise.medium}", "`recipe`", hint)
    return differences


def find_differences_obstacle(out: Path, noise: Noise) -> str | None:
    """Return why the noise of an imported split cannot be reproduced, or None if it can."""
    try:
        carried = read_carried_differences(out)
    except InputError as error:
        return f"{DIFFERENCES_FILE}: {error.problems[0].what}"
    if carried is None:
        return f"{DIFFERENCES_FILE}: is missing"
    if carried.digest(noise.medium) != noise.parameters["differences"]:
        return f"{DIFFERENCES_FILE}: is not the one that {RECIPE_FILE} names"
    return None


def as_lexicon(lexicon: Lexicon | PathLike | None) -> Lexicon | None:
    """Return a lexicon that a caller gave as an object or as a path; None stays None."""
    if lexicon is None or isinstance(lexicon, Lexicon):
        return lexicon
    return read_lexicon(as_path(lexicon))


def find_source_root(out: Path, source: Path | None) -> Path:
    """Return `source`, or by default the clean dataset that ``summary.json`` names."""
    summary = Cursor(read_summary(out / SUMMARY_FILE), str(out / SUMMARY_FILE))
    return source or (out / summary["source"].as_text()).resolve()


def check_report_on(out: Path, source: Path | None, path: Path, parameter: str) -> None:
    """Raise an `InputError` if a report would be inside a noisy split or its source."""
    check_report_file(path, (out, find_source_root(out, source)), parameter)


def _list_constant_labels(sequence: VideoSequence, recipe: Recipe) -> tuple[Any, ...]:
    """Return the frames and labels of a sequence that the noise of a recipe cannot change."""
    labels = sequence.objects
    if recipe.activity_noise is not None:
        labels = tuple(replace(label, positive=False) for label in labels)
    return sequence.frames, labels


def _refuse_different_sequences(noisy: Split, clean: Split, recipe: Recipe) -> None:
    by_folder = {sequence.folder: sequence for sequence in clean.sequences}
    problems = ProblemCollector()
    for sequence in noisy.sequences:
        match = by_folder.get(sequence.folder)
        own = sequence.drop_ghosts()
        same = match is not None and (
            _list_constant_labels(match, recipe) == _list_constant_labels(own, recipe)
        )
        if not same:
            fault = "has different frames or objects in" if match else "lacks"
            problems.add(
                f"the split {clean.name!r} {fault} the sequence {sequence.folder}",
                clean.root,
                _SOURCE_HINT,
            )
    problems.raise_if_any()
