"""What all formats of predictions have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.measures.prediction import Prediction
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_checks import SimilarNames


@dataclass(frozen=True)
class Predictions(ABC):
    """Predictions of a split, listed and checked but not decoded.

    Attributes
    ----------
    place : Path
        The file, or the folder that has the folders of sequences.
    tally : Counter of str
        The numbers of extra files and sequences, and of other spellings.
    extra : SimilarNames
        Names of the predicted sequences that are not in the split.
    """

    place: Path
    tally: Counter[str]
    extra: SimilarNames

    @abstractmethod
    def list_missing(self, sequence: VideoSequence, frame: str) -> list[str]:
        """List the missing files of a frame, or the frame itself."""

    @abstractmethod
    def name_place(self, sequence: VideoSequence, frame: str) -> str:
        """Return the place of a frame, for messages."""

    @abstractmethod
    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """Read the prediction of a frame; what is missing is blank.

        Parameters
        ----------
        sequence : VideoSequence
        frame : str
        shape : tuple of int
            Rows and columns of the true mask.
        colours : TrueColours, optional
            The colours of the true mask; with them, index masks with the colours of other ids are
            refused.

        Raises
        ------
        InputError
            With all problems of the frame.
        """

    def describe_similar(self, sequence: VideoSequence) -> str:
        """Return the end of a message about a missing sequence: one with a similar name."""
        return self.extra.describe(sequence.folder)
