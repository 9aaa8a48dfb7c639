"""The interface of what has index masks: an opened split, or sequences without known objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from actiseg_data.annotations.sequences import VideoSequence

M = TypeVar("M", bound="MaskSplit")


@dataclass(frozen=True)
class MaskSplit(ABC):
    """An opened part of a dataset: sequences, and a file of index masks for each of their frames.

    Attributes
    ----------
    root : Path
        The dataset.
    name : str
        The name of the part, such as ``val``.
    sequences : tuple of VideoSequence
        The sequences. Without labels, they have no objects.
    fingerprint : str
        Digest of the names and labels of the sequences; predictions record it.
    spellings : dict of str to str
        Names of folders on disk that differ from those of the sequences.
    """

    root: Path
    name: str
    sequences: tuple[VideoSequence, ...]
    fingerprint: str
    spellings: dict[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def has_labels(self) -> bool:
        """Whether it is known which objects a sequence has, and which of them are active."""
        return True

    @property
    def has_action_lists(self) -> bool:
        """Whether the root has action lists, which `actiseg_data.layouts.opening.open_split` opens.

        One of them chose the sequences.
        """
        return False

    @property
    def listed(self) -> bool:
        """Whether a list, or a folder taken as a whole, chose the sequences."""
        return True

    @property
    def list_names(self) -> list[str]:
        """The lists besides action lists that can choose sequences, such as ``2017/val``."""
        return []

    @abstractmethod
    def find_masks(self, sequence: VideoSequence) -> list[Path]:
        """Return the files of a sequence's masks, in the order of its views."""

    def find_mask(self, sequence: VideoSequence, frame: str) -> Path:
        """Return the file of the first mask of a frame."""
        frames = [view.frame for view in sequence.views]
        return self.find_masks(sequence)[frames.index(frame)]

    def restrict(self: M, sequences: tuple[VideoSequence, ...], name: str) -> M:
        """Return the split with some of its sequences, under another name."""
        return replace(self, sequences=sequences, name=name)
