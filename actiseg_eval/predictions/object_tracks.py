"""Datasets whose objects may overlap, such as SA-V: each object is scored as a sequence of its own.

The truth and the predictions have a mask for each object. They are matched by the names of their
sequences and frames, and by the objects' own ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.sequence_record import make_dataset_sequence
from actiseg_data.layouts.split import Split
from actiseg_eval.measures.prediction import IndexPrediction, Prediction, make_blank_prediction
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_checks import index_names, refuse_size
from actiseg_eval.predictions.prediction_formats import Predictions

_SEPARATOR = "@"


@dataclass(frozen=True)
class ObjectTrack:
    """One object of a sequence, in the frames that have a mask of it.

    Attributes
    ----------
    source : VideoSequence
        The sequence, with this object alone.
    label : ObjectLabel
        The object.
    """

    source: VideoSequence
    label: ObjectLabel

    @property
    def name(self) -> str:
        """The name of the track in reports."""
        return f"{self.source.video}{_SEPARATOR}{self.label.identity}"

    def make_sequence(self) -> VideoSequence:
        """Make the sequence that is scored. The tracks of a video are resampled together."""
        frames = dict.fromkeys(frame for frame, _ in self.source.layers or ())
        return replace(make_dataset_sequence(self.name, frames), video=self.source.video)

    def read(self, split: Split, frame: str) -> IndexMask:
        """Read the mask of a frame: 1 in the object, (H, W) uint8."""
        (mask,) = split.iterate_masks(self.source.restrict([frame]))
        return np.asarray(mask > 0, np.uint8)


def list_tracks(split: Split) -> dict[str, ObjectTrack]:
    """List the tracks of a split whose objects may overlap, by name."""
    tracks = {}
    for sequence in split:
        for label in sequence.objects:
            layers = tuple(layer for layer in sequence.layers or () if layer[1] == label.object_id)
            if layers:
                track = ObjectTrack(replace(sequence, objects=(label,), layers=layers), label)
                tracks[track.name] = track
    return tracks


@dataclass(frozen=True)
class TrackTruth(MaskSplit):
    """The tracks of a split as ground truth: a sequence for each track.

    Attributes
    ----------
    root, name, sequences, fingerprint, spellings
        See `MaskSplit`.
    split : Split
        The split.
    tracks : mapping of str to ObjectTrack
        The tracks by name.
    """

    split: Split
    tracks: Mapping[str, ObjectTrack]

    @property
    def has_labels(self) -> bool:
        return False

    def find_masks(self, sequence: VideoSequence) -> list[Path]:
        return self.split.find_masks(self.tracks[sequence.folder].source)

    def read_mask(self, sequence: VideoSequence, frame: str) -> IndexMask:
        """Read the true mask of a frame: 1 in the object."""
        return self.tracks[sequence.folder].read(self.split, frame)


def make_track_truth(split: Split) -> TrackTruth:
    """Make the ground truth of a split whose objects may overlap."""
    tracks = list_tracks(split)
    sequences = tuple(track.make_sequence() for track in tracks.values())
    return TrackTruth(split.root, split.name, sequences, split.fingerprint, split, tracks)


@dataclass(frozen=True)
class TrackPredictions(Predictions):
    """Predictions in a layout with a mask for each object.

    Attributes
    ----------
    place, tally, extra
        See `Predictions`.
    split : Split
        The predictions as a dataset.
    tracks : mapping of str to ObjectTrack
        The predicted tracks by name.
    """

    split: Split
    tracks: Mapping[str, ObjectTrack]

    def list_missing(self, sequence: VideoSequence, frame: str) -> list[str]:
        track = self.tracks.get(sequence.folder)
        known = track is not None and frame in dict(track.source.layers or ())
        return [] if known else [self.name_place(sequence, frame)]

    def name_place(self, sequence: VideoSequence, frame: str) -> str:
        return f"{self.place}: {sequence.folder}, {frame}"

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        if self.list_missing(sequence, frame):
            return make_blank_prediction(shape)
        mask = self.tracks[sequence.folder].read(self.split, frame)
        refuse_size(mask.shape, shape, Path(self.name_place(sequence, frame)))
        return IndexPrediction(mask)


def open_track_predictions(path: Path, truth: TrackTruth) -> TrackPredictions:
    """Open predictions for the tracks of a truth.

    Raises
    ------
    InputError
        If they are not in a layout with a mask for each object, or have none of the tracks.
    """
    hint = "give predictions in a layout with a mask for each object, such as that of the truth"
    try:
        split = open_split(path)
    except InputError as error:
        what = f"cannot be opened as masks of single objects ({error.problems[0].what})"
        raise refuse(what, path, hint) from None
    tracks = list_tracks(split)
    if not tracks:
        raise refuse("has one mask for all objects of a frame", path, hint)
    known = {sequence.folder for sequence in truth.sequences}
    extra = tracks.keys() - known
    if not tracks.keys() & known:
        raise refuse(
            f"has none of the {count_nouns(len(known), 'object')} of the truth, such as "
            f"{min(known)} (it has {min(tracks)})",
            path,
            "give predictions of these objects, under their own ids",
        )
    tally = Counter(extra_sequences=len(extra))
    return TrackPredictions(path, tally, index_names(sorted(extra)), split, tracks)
