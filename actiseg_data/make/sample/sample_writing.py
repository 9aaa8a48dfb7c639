"""The sample on disk: written completely, and recognised by its marker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.masks import digest_pixels, write_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, ProblemCollector, check_choice, refuse
from actiseg_data.core.files import PathLike, as_path, new_folder, write_bytes, write_json
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, escape_name
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.make.render.split_rendering import render_jpeg
from actiseg_data.make.sample.sample_sequences import SampleSequence, make_sequences, make_video
from actiseg_data.make.sample.sequence_draws import ALGORITHM
from actiseg_data.records.licences import write_licences

SPLITS = ("train", "val", "val_human")
SIZED_SPLITS = ("train", "val")
MARKER = "sample.json"
SCHEMA = "actiseg/sample/1"

_LICENSE = """\
SPDX-License-Identifier: Apache-2.0

Apache License 2.0, see https://www.apache.org/licenses/LICENSE-2.0
"""
_NOTICE = """\
actiseg built-in sample

This dataset is synthetic: its scenes, masks and labels were generated and its frames rendered by
actiseg. It contains no EPIC-KITCHENS, VISOR or ActionVOS data; only the names and numbers of the
verb and noun classes follow EPIC-KITCHENS-100, so that tools for those datasets read it.
"""


@dataclass(frozen=True)
class SplitCounts:
    """Contents of a split. `objects` and `positive` count (sequence, object) pairs."""

    sequences: int
    frames: int
    objects: int
    positive: int


@dataclass(frozen=True)
class SampleReport:
    """The sample at a path.

    Attributes
    ----------
    path : Path
        The root.
    made : bool
        False if the sample existed before.
    digest : str
        Of masks and lists.
    splits : dict of str to SplitCounts
        Contents by split.
    """

    path: Path
    made: bool
    digest: str
    splits: dict[str, SplitCounts]

    def __str__(self) -> str:
        rows = [
            f"{name}: {count_nouns(n.sequences, 'sequence')}, {count_nouns(n.frames, 'frame')}, "
            f"{count_nouns(n.objects, 'object')} ({n.positive} active)"
            for name, n in self.splits.items()
        ]
        return "\n".join((f"sample {'made' if self.made else 'found'} at {self.path}", *rows))


def make_sample(out: PathLike) -> SampleReport:
    """Make the built-in sample at `out`, or keep a complete one that is there already.

    Nothing is left after a failure. If another process makes the same sample at the same time, the
    first complete one is used.

    Parameters
    ----------
    out : str or Path
        The new root.

    Returns
    -------
    SampleReport
        With path, digest and contents.

    Raises
    ------
    InputError
        If `out` has anything else, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = make_sample(Path(folder) / "sample")
    >>> report.splits["train"].sequences, report.splits["val"].sequences
    (56, 20)
    """
    out = as_path(out)
    if is_whole_sample(out):
        return _read_report(out)
    try:
        with new_folder(out, None) as folder:
            report = replace(_write(folder), path=out)
    except (OSError, InputError) as error:
        if is_whole_sample(out):  # another process was faster
            return _read_report(out)
        if isinstance(error, InputError):
            raise
        raise refuse(f"cannot be written ({error.strerror})", out, "give another folder") from None
    return report


def make_sized_sample(
    out: PathLike, *, clips: int, videos: int, seed: int = 0, split: str = "train"
) -> SampleReport:
    """Make a synthetic dataset of any size, of other videos than the built-in sample.

    Its videos have names that no other seed and no other split has, and their names are the keys of
    all that is drawn: samples of different seeds or splits share no video.

    Parameters
    ----------
    out : str or Path
        The new root.
    clips : int
        Number of sequences.
    videos : int
        Number of videos that they are from, two of each kitchen. The first videos have one sequence
        more if the numbers do not divide.
    seed : int
        From 0.
    split : str
        ``train``, or ``val``, which comes with ``val_human``, where objects are labelled by the
        script of their scene instead of by contacts and narrations.

    Returns
    -------
    SampleReport

    Raises
    ------
    InputError
        If a number or the split is not valid, or if `out` exists or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder) / "sample"
    ...     report = make_sized_sample(out, clips=3, videos=2, seed=7, split="val")
    >>> report.splits["val_human"].sequences
    3
    """
    out = as_path(out)
    problems = ProblemCollector()
    for name, value, is_valid, hint in (
        ("clips", clips, clips >= 1, "give 1 or more"),
        ("videos", videos, videos >= 1, "give 1 or more"),
        ("videos", videos, videos <= max(clips, 1), "give at most as many `videos` as `clips`"),
        ("seed", seed, seed >= 0, "give 0 or more"),
    ):
        if not is_valid:
            problems.add(f"{value} is out of range", f"`{name}`", hint)
    with problems.collect():
        check_choice(split, SIZED_SPLITS, "split")
    problems.raise_if_any()
    with new_folder(out, None) as folder:
        plan = _plan_videos(clips, videos, seed, split)
        size = {"clips": clips, "videos": videos, "seed": seed, "split": split}
        return replace(_write_dataset(folder, {split: plan}, {"size": size}), path=out)


def _plan_videos(clips: int, videos: int, seed: int, split: str) -> Iterator[SampleSequence]:
    """Make the sequences of a sized sample, video by video."""
    first_id = 1
    for number in range(videos):
        kitchen, camera = divmod(number, 2)
        video = f"S{seed}{split[0]}{kitchen + 1:03d}_{camera + 1:02d}"
        count = clips // videos + (number < clips % videos)
        yield from make_video(video, count, first_id)
        first_id += count


def is_whole_sample(path: Path) -> bool:
    """Return whether a path has a complete sample of this version.

    A complete sample has its marker and every listed file. The existence of files is checked, not
    their content.

    >>> is_whole_sample(Path("no such folder"))
    False
    """
    try:
        _read_report(path)
        for name in SPLITS:
            split = open_action_split(path, name)
            for sequence in split.sequences:
                frames = split.find_folder(FRAMES, sequence)
                for frame in sequence.frames:
                    if not split.find_mask(sequence, frame).is_file():
                        return False
                    if not (frames / f"{frame}.jpg").is_file():
                        return False
    except InputError:
        return False
    return True


def _write(root: Path) -> SampleReport:
    train = list(make_sequences("train", 1))
    val = make_sequences("val", 1 + len(train))
    return _write_dataset(root, {"train": train, "val": val}, {})


def _write_dataset(
    root: Path, subsets: Mapping[str, Iterable[SampleSequence]], about: Mapping[str, Any]
) -> SampleReport:
    """Write subsets with their lists, and the marker with some members more."""
    digests: dict[str, str] = {}
    lists: dict[str, list[VideoSequence]] = {}
    for subset, members in subsets.items():
        names = ("val", "val_human") if subset == "val" else (subset,)
        lists |= {name: [] for name in names}
        for item in members:
            digests |= _write_sequence(root, subset, item)
            lists[subset].append(item.sequence)
            if subset == "val":
                lists["val_human"].append(_label_by_hand(item))
    documents: dict[str, Any] = {}
    for split, sequences in lists.items():
        documents |= make_image_sets(split, sequences, flags=split == "val_human")
    for file, document in documents.items():
        write_json(root / IMAGE_SETS / file, document)
    write_licences(root, _LICENSE, _NOTICE)
    digest = digest_json({"masks": digests, "image_sets": documents})
    splits = {name: _count_split(sequences) for name, sequences in lists.items()}
    marker = {
        "schema": SCHEMA,
        "algorithm": ALGORITHM,
        "digest": digest,
        "splits": {name: asdict(counts) for name, counts in splits.items()},
        **about,
    }
    write_json(root / MARKER, marker, indent=2)
    return SampleReport(root, True, digest, splits)


def _write_sequence(root: Path, subset: str, item: SampleSequence) -> dict[str, str]:
    """Write masks and frames; return the masks' digests by their paths in the layout."""
    sequence = item.sequence
    digests: dict[str, str] = {}
    masks = root / MASKS / subset / escape_name(sequence.folder)
    frames = root / FRAMES / subset / escape_name(sequence.folder)
    for frame, mask in zip(sequence.frames, item.masks, strict=True):
        write_index_mask(masks / f"{frame}.png", mask)
        write_bytes(frames / f"{frame}.jpg", render_jpeg(mask, sequence, frame))
        digests[f"{subset}/{sequence.folder}/{frame}"] = digest_pixels(mask)
    return digests


def _label_by_hand(item: SampleSequence) -> VideoSequence:
    """Label a sequence by its script, not by contacts and narration."""
    labels = tuple(
        replace(label, positive=label.name in item.used) for label in item.sequence.objects
    )
    return replace(
        item.sequence,
        objects=labels,
        redundant=item.flag == "redundant",
        missing=item.flag == "missing",
        flagged_other=item.flag == "other",
    )


def _count_split(sequences: Iterable[VideoSequence]) -> SplitCounts:
    sequences = tuple(sequences)
    labels = [label for sequence in sequences for label in sequence.objects]
    return SplitCounts(
        sequences=len(sequences),
        frames=sum(len(sequence.frames) for sequence in sequences),
        objects=len(labels),
        positive=sum(label.positive for label in labels),
    )


def _read_report(root: Path) -> SampleReport:
    """Read the marker; a missing one, or one of another version, raises an `InputError`."""
    path = root / MARKER
    marker = Cursor(read_json(path, "sample's marker"), str(path))
    if marker["schema"].as_text() != SCHEMA or marker["algorithm"].as_integer() != ALGORITHM:
        raise refuse("belongs to another version of the sample", path, "make the sample again")
    fields = ("sequences", "frames", "objects", "positive")
    splits = {
        name: SplitCounts(*(marker["splits"][name][field].as_integer() for field in fields))
        for name in SPLITS
    }
    return SampleReport(root, False, marker["digest"].as_text(), splits)
