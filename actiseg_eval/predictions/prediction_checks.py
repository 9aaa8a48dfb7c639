"""Checks that both formats of predictions share: sizes, blended ids, names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from actiseg_data.annotations.masks import check_same_size
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import format_name
from actiseg_data.core.plurals import count_nouns
from actiseg_eval.measures.prediction import IndexPrediction, Prediction

RESPELLED = "names_spelled_otherwise"
"""In tallies: the number of files and folders that were accepted under another spelling."""

DEEPER = "folders_around_predictions"
"""In tallies: the number of levels between the given folder and the predictions."""

EXAMPLES = 3
"""The most names that a message lists."""

LOSSY_SUFFIXES = (".jpg", ".jpeg")
IMAGE_SUFFIXES = (
    *(".png", *LOSSY_SUFFIXES, ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".npy", ".npz"),
)
"""Endings of images and arrays, in lower case."""

OTHER_SPLIT_HINT = "give predictions of this split, or the right `split`"

_BLENDED = 32
"""This many ids that no object has come from blending ids: by resampling or anti-aliasing."""

_NUMBER = re.compile(r"^[0-9]+_")
_PUNCTUATION = re.compile(r"[\W_]+")


def refuse_blended(prediction: Prediction, known: Set[int], where: Path | str) -> None:
    """Refuse an index mask with many ids that no object has.

    Parameters
    ----------
    prediction : Prediction
        A prediction of one mask per object is always accepted.
    known : set of int
        The ids of objects.
    where : object
        The file or the frame, for the message.
    """
    if not isinstance(prediction, IndexPrediction):
        return
    if int(prediction.index.max(initial=0)) < _BLENDED:
        return
    unknown = prediction.ids - known
    if len(unknown) >= _BLENDED:
        raise refuse(
            f"has {len(unknown)} ids that no object has: resampling or anti-aliasing blended ids",
            where,
            "write masks at the frames' size, resampled by nearest neighbour",
        )


def refuse_size(size: tuple[int, ...], expected: tuple[int, ...], where: Path | str) -> None:
    """Refuse a prediction whose size, (rows, columns), differs from that of the true mask."""
    hint = "predict at the frames' size, or resample by nearest neighbour"
    check_same_size(size, expected, "the true mask", where, hint)


@dataclass(frozen=True)
class SimilarNames:
    """Names that can be looked up by a similar name.

    Attributes
    ----------
    by_key : mapping of (str, str) to str
        The name for each kind of difference and the text that is left without that difference.

    Examples
    --------
    >>> index_names(["0001_cup"]).describe("0002_cup")
    '; 0001_cup differs from 0002_cup only in its number'
    """

    by_key: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def describe(self, wanted: str) -> str:
        """Return the end of a message about a missing name: a similar one, or nothing."""
        for difference, text in _list_keys(wanted):
            similar = self.by_key.get((difference, text))
            if similar is not None:
                return (
                    f"; {format_name(similar)} differs from {format_name(wanted)} only {difference}"
                )
        return ""


def index_names(names: Iterable[str]) -> SimilarNames:
    """Index names for `SimilarNames.describe`."""
    return SimilarNames({key: name for name in names for key in _list_keys(name)})


def _list_keys(name: str) -> list[tuple[str, str]]:
    return [
        ("in letter case", name.casefold()),
        ("in punctuation", _PUNCTUATION.sub("", name)),
        ("in its number", _NUMBER.sub("", name)),
    ]


def describe_other_sequences(wanted: list[str], contents: str) -> str:
    """Describe predictions in which every sequence of the split is missing."""
    return (
        f"has no prediction for the {count_nouns(len(wanted), 'sequence')} of the split (it has "
        f"{contents})"
    )


def refuse_other_sequences(
    where: Path | str, wanted: list[str], contents: str, names: SimilarNames
) -> InputError:
    """Build the error for predictions of other sequences; it names a similar one.

    Parameters
    ----------
    where : object
        The predictions.
    wanted : list of str
        The sequences of the split.
    contents : str
        What the predictions have instead.
    names : SimilarNames
        The sequences of the predictions.
    """
    similar = next(filter(None, map(names.describe, wanted)), "")
    hint = f"if it is the same sequence, rename it; else {OTHER_SPLIT_HINT}"
    what = f"{describe_other_sequences(wanted, contents)}{similar}"
    return refuse(what, where, hint if similar else OTHER_SPLIT_HINT)


def refuse_other_frames(
    where: Path | str, names: Iterable[str], frames: tuple[str, ...]
) -> InputError:
    """Build the error for files none of which has the name of a frame, or none of which is a PNG.

    Parameters
    ----------
    where : object
        The folder, or the sequence in a file.
    names : iterable of str
        Names of files, and of folders with a slash at the end.
    frames : tuple of str
        The frames of the sequence.
    """
    names = list(names)
    more = ", ..." if len(names) > EXAMPLES else ""
    what = f"has {', '.join(map(format_name, names[:EXAMPLES]))}{more}"
    if names[0].lower().endswith(IMAGE_SUFFIXES) and not any(map(is_png, names)):
        return refuse(f"{what}, but no PNG", where, "write masks as PNG")
    first = format_name(frames[0])
    if names[0].endswith("/"):
        hint = (
            f"add {first}.png; or a folder for each object, named by its id, that has {first}.png"
        )
        return refuse(f"{what}, but no mask of a frame", where, hint)
    return refuse(
        f"{what}; frames are called {first}",
        where,
        f"name each mask after its frame, such as {first}.png",
    )


def is_png(name: str) -> bool:
    """Whether a file name has the ending of a PNG."""
    return name.lower().endswith(".png")
