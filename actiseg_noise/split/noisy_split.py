"""A noisy split as it lies on disk, beside the clean one that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.lexicon import Lexicon, read_lexicon
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import refuse_inside_of
from actiseg_data.core.listing import list_folders
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split, open_split
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.records.recipe_record import (
    RECIPE_FILE,
    Recipe,
    read_recipe,
)
from actiseg_data.records.split_documents import (
    LEXICON_FILE,
    SUMMARY_FILE,
    read_summary,
)


@dataclass(frozen=True)
class NoisySplit:
    """A noisy split and its source.

    noisy: its lists and masks. clean: the source's, or None where it cannot be reached. recipe: how
    the one was made from the other. expected: where the source was looked for. lexicon: the one
    that the split carries; None where its words are of the installed one.
    """

    noisy: Split
    clean: Split | None
    recipe: Recipe
    expected: Path
    lexicon: Lexicon | None

    def mask_pairs(self, sequence: VideoSequence) -> Iterator[tuple[IndexMask, IndexMask]]:
        """The clean and the noisy mask of each frame, one frame at a time.

        Raises `InputError` where there is no source, where masks are missing or faulty (see
        `Split.each_mask`) and where the two differ in size.
        """
        clean = self.source.iterate_masks(sequence)
        noisy = self.noisy.iterate_masks(sequence)
        for frame, one, other in zip(sequence.frames, clean, noisy, strict=True):
            if one.shape != other.shape:
                raise refuse(
                    f"has {other.shape[1]} x {other.shape[0]} pixels, the clean mask "
                    f"{one.shape[1]} x {one.shape[0]}",
                    self.noisy.find_mask(sequence, frame),
                    "give the source that the split was made from as --source",
                )
            yield one, other

    @property
    def source(self) -> Split:
        """The clean split; raises `InputError` where it cannot be reached."""
        if self.clean is None:
            raise refuse(
                "the clean dataset that the noisy split was made from is not here",
                self.expected,
                "give its folder as --source",
            )
        return self.clean


def open_noisy_split(out: Path, source: Path | None = None) -> NoisySplit:
    """Open a noisy split and its source; masks are not decoded here.

    out: folder that `corrupt` made, in whatever release: this one need not know the recipe's kind
    or algorithm, since it only looks at what is there. source: the clean dataset, by default where
    ``summary.json`` says that it was; that one may be gone, then `NoisySplit.clean` is None. Raises
    `InputError` where `out` is no noisy split, where a named source is none, or where the source has
    other sequences or frames.
    """
    recipe = read_split_recipe(out)
    media = [noise.medium for noise in recipe.noises]
    if not media or len(set(media)) < len(media):
        raise refuse(
            f"lists {len(media)} noises that this release cannot tell apart",
            out / RECIPE_FILE,
            "use the release of actiseg that wrote it (see 'toolkit' in its summary.json)",
        )
    masks = recipe.mask_noise is not None
    noisy = open_split(out, recipe.split, masks=masks)
    expected = source_root(out, source)
    lexicon = carried_lexicon(out)
    if source is None and not (expected / IMAGE_SETS / f"{recipe.split}.json").is_file():
        return NoisySplit(noisy, None, recipe, expected, lexicon)
    clean = open_split(expected, recipe.split, masks=masks)
    _refuse_other_sequences(noisy, clean)
    return NoisySplit(noisy, clean, recipe, expected, lexicon)


def read_split_recipe(out: Path) -> Recipe:
    """The recipe of a noisy split; raises `InputError` for a folder that is none."""
    if (out / RECIPE_FILE).is_file():
        return read_recipe(out / RECIPE_FILE)
    inner = list_folders(out) if out.is_dir() else []
    splits = [folder.path for folder in inner if (folder.path / RECIPE_FILE).is_file()]
    if splits:
        raise refuse("is no noisy split but a folder around one", out, f"give {splits[0]}")
    kind = recognise_dataset(out)
    why = f"it has no {RECIPE_FILE}" if out.is_dir() else "there is no such folder"
    raise refuse(
        f"is no noisy split: {why}" if kind is None else f"is no noisy split but {kind}",
        out,
        "give a folder that actiseg-noise corrupt made",
    )


def carried_lexicon(out: Path) -> Lexicon | None:
    """The lexicon that a noisy split carries; None where its words are of the installed one."""
    path = out / LEXICON_FILE
    return read_lexicon(path) if path.is_file() else None


def source_root(out: Path, source: Path | None) -> Path:
    """The clean dataset of a noisy split: as named, or else where its summary says that it was."""
    summary = Cursor(read_summary(out / SUMMARY_FILE), str(out / SUMMARY_FILE))
    return source or (out / summary["source"].as_text()).resolve()


def refuse_inside(path: Path, out: Path, source: Path | None) -> None:
    """Refuse to write a report into a noisy split or its source."""
    refuse_inside_of(path, (out, source_root(out, source)))


def _refuse_other_sequences(noisy: Split, clean: Split) -> None:
    known = {sequence.folder: sequence for sequence in clean.sequences}
    problems = ProblemCollector()
    for sequence in noisy.sequences:
        same = known.get(sequence.folder)
        if same is None or (same.frames, same.objects) != (sequence.frames, sequence.objects):
            lack = "has other frames or objects in" if same else "lacks"
            problems.add(
                f"the split {clean.name!r} {lack} the sequence {sequence.folder}",
                clean.root,
                "give the source that the noisy split was made from as --source",
            )
    problems.raise_if_any()
