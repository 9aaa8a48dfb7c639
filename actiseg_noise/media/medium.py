"""The interface of a medium: plan its noise, write it, summarise it, check it, reproduce it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.workers import ProgressCallback, WorkerPool
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LabelRow, MaskRow, TextRow
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.split.list_documents import ListDocuments
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.split_files import SplitFiles


@dataclass(frozen=True)
class MediumComparison:
    """The result of a comparison with what recipe and source give.

    Attributes
    ----------
    lines : list of str
        One line for each mismatch.
    counts : Counter of str
        Counts to report, such as ``masks``.
    tally : Counter of str
        Counts to compare with the summary, see `MediumPlan.compare_tally`.
    segments : dict of str to any
        Of documents with masks: see `actiseg_noise.split.mask_documents.encode_changes`.
    """

    lines: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    segments: dict[str, Any] = field(default_factory=dict)

    def merge(self, more: MediumComparison) -> None:
        """Add the results of another comparison."""
        self.lines.extend(more.lines)
        self.counts.update(+more.counts)  # the plus drops zeros
        self.tally.update(more.tally)
        self.segments.update(more.segments)


class SectionBuilder(ABC):
    """Build a medium's members of ``summary.json`` from records, in bounded memory."""

    @abstractmethod
    def add(self, record: SequenceRecord) -> None:
        """Take in the record of one sequence."""

    @abstractmethod
    def build_members(self) -> dict[str, Any]:
        """Build the members of the summary.

        Several noises of one medium build one member together: each has a part of its own.
        """

    @abstractmethod
    def count_handled(self) -> dict[str, int]:
        """Count the special cases that were handled, for the summary's ``handled``."""


@dataclass(frozen=True)
class MediumPlan(ABC):
    """The noise of one medium for the sequences of a run.

    Attributes
    ----------
    recipe : Recipe
        The checked recipe.
    noise : Noise
        Its noise for this medium, the first of several.
    """

    recipe: Recipe
    noise: Noise

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The thresholds of an exact noise, which depend on the whole split; empty otherwise."""
        return {}

    @property
    def classes(self) -> Mapping[tuple[str, int], int]:
        """New categories in documents with masks, by sequence folder and object id."""
        return {}

    def rewrite_documents(self, documents: ListDocuments) -> ListDocuments:
        """Rewrite lists and companion files, given those that earlier noises of a recipe rewrote.

        The noises rewrite them in the order of `actiseg_noise.media.registry.list_media`. The
        default changes nothing.

        Raises
        ------
        InputError
            If the documents of the split cannot get this noise.
        """
        return documents

    @property
    def rows(self) -> Mapping[str, Sequence[TextRow | LabelRow]]:
        """Ledger rows that are known before any file is written, by sequence folder."""
        return {}

    def list_versions(self) -> dict[str, str]:
        """List the versions that the split adds to those that `Medium.list_versions` lists."""
        return {}

    @abstractmethod
    def start_section(self) -> SectionBuilder:
        """Start to summarise the run."""

    @abstractmethod
    def forecast(
        self,
        split: Split,
        sequences: Sequence[VideoSequence],
        workers: int | WorkerPool = 1,
        progress: ProgressCallback | None = None,
    ) -> str:
        """Say in one line how many items would get noise."""

    def compare_documents(
        self, documents: SplitDocuments, sequences: Sequence[VideoSequence]
    ) -> MediumComparison:
        """Compare the documents of a noisy split with this plan. The default compares nothing."""
        return MediumComparison()

    def compare_tally(self, summary: Mapping[str, Any], tally: Counter[str]) -> list[str]:
        """Compare the counts of all sequences with the summary; return a line per mismatch."""
        return []


class FilePlan(MediumPlan):
    """A plan that changes the files of a sequence. A recipe has at most one."""

    @property
    def needs_draws(self) -> bool:
        """Whether the selection draws of the whole split are needed, see `apply_draws`."""
        return self.noise.exact

    @abstractmethod
    def draw_selection(self, split: Split, sequence: VideoSequence) -> array[float]:
        """Draw the uniform numbers in [0, 1) that select the items of a sequence."""

    @abstractmethod
    def apply_draws(self, draws: Iterable[float]) -> FilePlan:
        """Return the plan of an exact noise, given the selection draws of the whole split."""

    @abstractmethod
    def extend_sequences(self, sequences: Sequence[VideoSequence]) -> tuple[VideoSequence, ...]:
        """Return the sequences with the false objects that the noise adds."""

    @abstractmethod
    def write(self, partial: Path, part: CleanPart, sequence: VideoSequence) -> SequenceRecord:
        """Write the noisy files of a sequence; return its record for the journal."""

    @abstractmethod
    def compare_files(
        self,
        files: SplitFiles,
        part: CleanPart,
        sequence: VideoSequence,
        rows: tuple[MaskRow, ...],
    ) -> MediumComparison:
        """Compare the files and ledger rows of a sequence with what recipe and source give."""


@dataclass(frozen=True)
class Medium(ABC):
    """One medium of a recipe.

    Attributes
    ----------
    recipe : Recipe
        The checked recipe.
    noise : Noise
        Its noise for this medium, the first of several.
    """

    name: ClassVar[str]
    """What the noise changes, as `Noise.medium` names it."""

    section: ClassVar[str]
    """The member of ``summary.json`` that counts its items."""

    more: ClassVar[tuple[str, ...]] = ()
    """Other media of a recipe that this medium carries out, all together with its own."""

    needs_masks: ClassVar[bool]
    """Whether the clean dataset must have masks."""

    needs_lexicon: ClassVar[bool]
    """Whether a lexicon has an effect on the noise."""

    recipe: Recipe
    noise: Noise

    @abstractmethod
    def plan(
        self, split: Split, sequences: Sequence[VideoSequence], inputs: NoiseInputs
    ) -> MediumPlan:
        """Plan the noise of some sequences.

        Parameters
        ----------
        split : Split
            The clean split. An exact noise depends on all its sequences.
        sequences : sequence of VideoSequence
            The sequences of the run.
        inputs : NoiseInputs
            What the noise depends on besides the recipe and the split. Its thresholds have the
            names of `MediumPlan.exact_thresholds`.

        Raises
        ------
        InputError
            If the documents of the split cannot get this noise.
        """

    @abstractmethod
    def find_inconsistencies(self, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find differences between the noisy split on disk and its documents, a line each."""

    @classmethod
    @abstractmethod
    def find_traces(cls, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find noise in this medium if the recipe does not ask for any, a line each."""

    def find_obstacle(self, out: Path) -> str | None:
        """Return why the noise of a split cannot be reproduced here, or None if it can."""
        return None

    @abstractmethod
    def list_versions(self) -> dict[str, str]:
        """List the versions of Python and of the libraries that this noise depends on."""
