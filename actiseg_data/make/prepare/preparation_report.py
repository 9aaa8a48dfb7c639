"""The report on a prepared split, with everything unusual in the sources and its handling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from actiseg_data.core.plurals import count_nouns
from actiseg_data.make.prepare.raw_inputs import RawInput
from actiseg_data.make.prepare.survey import SurveyFinding

SCHEMA = 1

KINDS = {
    "dense_videos": "videos of dense interpolations: drawn at 854 x 480. They have no hand "
    "contacts, so that objects are active by the narration alone, and hands always",
    "joined_frames": "frames that end one interpolation and begin the next: their entities are "
    "put together, each name once",
    "unknown_videos": "annotation files of videos that are not in the frame mapping: left out",
    "videos_without_narrations": "videos without a row in the narration tables: not in the derived "
    "list",
    "frames_without_mapping": "annotated frames that are not in the frame mapping, or "
    "interpolated ones whose EPIC number another frame has: left out",
    "mapped_frames_without_annotation": "frames of the mapping that are not in the annotation "
    "file: left out",
    "actions_with_fewer_than_2_frames": "narrated actions with no or one annotated frame: left out",
    "actions_without_object": "narrated actions with no object in their frames: left out",
    "sequences_without_active_object": "sequences of the derived list with negative objects only: "
    "kept",
    "empty_narrations": "sequences of the derived list with an empty narration: kept, though their "
    "prompts name no action",
    "dropped_frames": "validation frames whose contacts are unsure: their contacts are not used, "
    "as in VISOR-HOS",
    "corrected_contacts": "contacts replaced by the corrections file",
    "misspelt_hands": "gloves on two hands with a hand misspelt: read as both hands",
    "gloves": "gloves: what a worn one touches counts as touched by its hand",
    "contacts_outside_frame": "contacts that name no entity of the frame: read as no contact",
    "boxes_cut": "boxes of touched entities that leave the image: cut to it (ActionVOS slices with "
    "the raw numbers, and loses a contact whose box begins below 0)",
    "repeated_names": "entities with the name of an earlier entity of the frame: both have one "
    "object id",
    "short_polygons": "polygons of fewer than 3 points: left out",
    "entities_without_polygon": "entities without a polygon, or with short ones alone: left out",
    "crossing_polygons": "polygons that cross or touch themselves: filled even-odd",
    "polygons_outside_image": "polygons that leave the image: cut to it",
    "unknown_classes": "entities of a class that is not in the noun-class table: kept as they are",
    "differing_classes": "entities whose class is not one that the noun-class table lists their "
    "name under: kept as they are",
    "missing_images": "frames without an image in the images folder: left out of the frames",
    "images_of_another_size": "images that are not 1920 x 1080: resized anyway",
    "differing_labels": "labelled sequences whose automatic labels differ from the derived ones: "
    "the list is kept as published",
}
"""The kinds of findings, and how each is handled."""

VIDEOS_OF_SPLIT = {"train": 115, "val": 43}
"""How many videos VISOR has in each split."""


@dataclass(frozen=True)
class Numbering:
    """How ``seq_id`` was assigned.

    Attributes
    ----------
    published : bool
        Whether running numbers can be the published ones, which count all sequences of the split.
    from_lists : int
        Sequences with the number of a human-labelled list.
    moved : int
        Sequences whose running number was taken.
    note : str
        The same as a sentence.
    """

    published: bool
    from_lists: int
    moved: int
    note: str


@dataclass(frozen=True)
class ListReport:
    """The written part of a human-labelled list.

    Attributes
    ----------
    name : str
        The name of the list.
    sequences : int
        How many were written.
    absent : int
        How many are of videos without an annotation file.
    left_out : tuple of str
        Folder and reason.
    without_narration : tuple of str
        Folders that only this list has, because no narration row matches them.
    """

    name: str
    sequences: int
    absent: int
    left_out: tuple[str, ...]
    without_narration: tuple[str, ...]


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare_visor` made.

    Attributes
    ----------
    split : str
        The split.
    videos, sequences, objects, positive : int
        Videos, and the contents of the derived list.
    folders : int
        Sequences on disk, including those of human-labelled lists.
    frames : int
        Distinct annotated frames in them.
    masks : int
        Mask files, and as many weight files.
    images : int or None
        Distinct frames with an image; None if no images were requested.
    numbering : Numbering
        How sequences were numbered.
    lists : tuple of ListReport
        The human-labelled lists.
    findings : dict of str to tuple of str
        The places of each kind of `KINDS`.
    inputs : tuple of RawInput
        Every raw file that was read, except images.
    noise : str or None
        The noise of the annotations, if they are a noisy copy.
    """

    split: str
    videos: int
    sequences: int
    objects: int
    positive: int
    folders: int
    frames: int
    masks: int
    images: int | None
    numbering: Numbering
    lists: tuple[ListReport, ...]
    findings: dict[str, tuple[str, ...]]
    inputs: tuple[RawInput, ...]
    noise: str | None = None

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings of each kind."""
        return {kind: len(places) for kind, places in self.findings.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, as in ``prepare-<split>.json``."""
        values = asdict(self)
        findings = values.pop("findings")
        if self.noise is None:
            del values["noise"]
        return {
            "schema": SCHEMA,
            **values,
            "inputs": [raw.to_dict() for raw in self.inputs],
            "counts": self.counts,
            "findings": {
                kind: {"meaning": KINDS[kind], "places": list(places)}
                for kind, places in findings.items()
                if places
            },
        }


def collect(findings: Iterable[SurveyFinding]) -> dict[str, tuple[str, ...]]:
    """Group findings by kind. Every kind is present."""
    places: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for kind, place in findings:
        places[kind].append(place)
    return {kind: tuple(of_kind) for kind, of_kind in places.items()}


def describe_numbering(
    split: str, videos: int, silent: int, from_lists: int, moved: int, dense: int = 0
) -> Numbering:
    """Describe how the sequences were numbered.

    `silent` counts videos without narrations, `dense` those of dense interpolations.
    """
    expected = VIDEOS_OF_SPLIT[split]
    lacks = []
    if videos < expected:
        lacks.append(f"{expected - videos} of the split's {expected} videos are missing")
    if silent:
        lacks.append(f"{silent} of the videos here have no narrations")
    if dense:
        lacks.append(f"{dense} of the videos here are dense interpolations")
    if lacks:
        note = f"running numbers are not the published ones: {' and '.join(lacks)}"
    else:
        note = "all videos and narrations are here: running numbers are the published ones"
    if from_lists:
        note += (
            f"; {count_nouns(from_lists, 'sequence has', 'sequences have')} the number of a "
            "human-labelled list"
        )
    return Numbering(not lacks, from_lists, moved, note)
