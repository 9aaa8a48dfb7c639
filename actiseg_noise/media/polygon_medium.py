"""The medium of polygons, which masks are filled from."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_data.layouts.split import MASKS, Split
from actiseg_data.records.ledger_record import LEDGER_FILE, MaskRow
from actiseg_noise.media.library_versions import list_versions
from actiseg_noise.media.mask_summary import MaskStatistics
from actiseg_noise.media.medium import FilePlan, Medium, MediumComparison
from actiseg_noise.media.polygon_summary import SUMMARISED, PolygonSection
from actiseg_noise.media.summary_sections import compare_counts, compare_section
from actiseg_noise.polygon_noise.sequence_polygons import corrupt_polygons, draw_polygon_selection
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.recipes.rates import choose_limit, find_exact_threshold
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.split_files import SplitFiles


@dataclass(frozen=True)
class PolygonMediumPlan(FilePlan):
    """The noise of polygons in a run.

    Attributes
    ----------
    threshold : float or None
        The threshold of an exact noise, if it is known. Other noise has its rate.
    """

    threshold: float | None = None

    @property
    def limit(self) -> float:
        """The draw below which an object gets noise."""
        return choose_limit(self.noise, self.threshold)

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The threshold of an exact noise."""
        return {} if self.threshold is None else {"threshold": self.threshold}

    @property
    def needs_draws(self) -> bool:
        """Whether the threshold must be computed from the whole split."""
        return self.noise.exact and self.threshold is None

    def draw_selection(self, split: Split, sequence: VideoSequence) -> array[float]:
        """Draw for every object in every frame."""
        return draw_polygon_selection(self.recipe.seed, sequence)

    def apply_draws(self, draws: Iterable[float]) -> PolygonMediumPlan:
        """Return the plan that selects exactly the share of the noise."""
        return replace(self, threshold=find_exact_threshold(draws, self.noise.rate))

    def extend_sequences(self, sequences: Sequence[VideoSequence]) -> tuple[VideoSequence, ...]:
        """Return the sequences: no object is added."""
        return tuple(sequences)

    def write(self, partial: Path, part: CleanPart, sequence: VideoSequence) -> SequenceRecord:
        """Make the noisy polygons, which are written when all sequences are finished."""
        split = part.split
        assert isinstance(split, PolygonSplit), "the medium has checked it"
        made = corrupt_polygons(
            sequence,
            split.open_polygons(sequence),
            self.noise,
            self.recipe.seed,
            self.limit,
        )
        names, clean = split.name_files(MASKS, sequence), split.digest_masks(sequence)
        record = SequenceRecord.make_empty(sequence.folder)
        record.clean_digests[MASKS] = clean
        record.rows.extend(row.to_json() for row in made.rows)
        record.tally.update(made.tally)
        for number, (name, digest) in enumerate(zip(names, clean, strict=True)):
            if number in made.segments:
                record.segments[name] = made.segments[number]
                digest = digest_json(made.segments[number])
            record.digests[name] = digest
        return record

    def start_section(self) -> PolygonSection:
        """Start to summarise the run."""
        return PolygonSection(self.noise)

    def forecast(
        self,
        split: Split,
        sequences: Sequence[VideoSequence],
        workers: int | WorkerPool = 1,
        progress: ProgressCallback | None = None,
    ) -> str:
        """Say how many objects in frames would get noise."""
        seed = self.recipe.seed
        drawn = run_parallel(draw_polygon_selection, seed, sequences, workers, progress)
        draws = list(chain.from_iterable(drawn))
        selected = sum(draw < self.limit for draw in draws)
        return f"polygons: {selected} of {len(draws)} items would get noise"

    def compare_files(
        self,
        files: SplitFiles,
        part: CleanPart,
        sequence: VideoSequence,
        rows: tuple[MaskRow, ...],
    ) -> MediumComparison:
        """Compare polygons and ledger rows of a sequence with what recipe and source give."""
        made = self.write(files.root, part, sequence)
        result = MediumComparison(counts=Counter(sequences=1), tally=made.tally)
        result.segments.update(made.segments)
        if [row.to_json() for row in rows] != made.rows:
            result.lines.append(
                f"{LEDGER_FILE}: the rows of {sequence.folder} differ from the reproduced ones"
            )
        try:
            written = [] if files.documented is None else files.documented.digest_masks(sequence)
        except InputError as error:
            result.lines.append(f"{sequence.document}: {error.problems[0].what}")
            return result
        result.counts["polygons"] = made.tally["polygons_noisy"]
        result.lines.extend(
            f"{name}: its polygons differ from the reproduced ones"
            for (name, digest), actual in zip(made.digests.items(), written, strict=False)
            if digest != actual
        )
        return result

    def compare_tally(self, summary: Mapping[str, Any], tally: Counter[str]) -> list[str]:
        """Compare the counts of all sequences with the summary."""
        return compare_counts(summary, tally, SUMMARISED)


@dataclass(frozen=True)
class PolygonMedium(Medium):
    """The polygons of a split."""

    name = "polygons"
    section = "noise"
    needs_masks = True
    needs_lexicon = False

    def plan(
        self, split: Split, sequences: Sequence[VideoSequence], inputs: NoiseInputs
    ) -> PolygonMediumPlan:
        """Plan the noise at its plain rate, or with the given threshold of an exact one."""
        noise = choose_polygon_noise(self.recipe)
        if not isinstance(split, PolygonSplit):
            raise refuse(
                "has masks, and the recipe has noise of polygons",
                split.root,
                "give raw annotations of VISOR, or a recipe with noise of masks",
            )
        threshold = (inputs.thresholds or {}).get("threshold") if noise.exact else None
        return PolygonMediumPlan(self.recipe, noise, threshold)

    def find_inconsistencies(self, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Compare the summary with the ledger's rows."""
        statistics = MaskStatistics.from_rows(documents.mask_rows)
        expected = {"selected": statistics.selected} | statistics.to_dict()
        yield from compare_section(documents, self.section, expected, self.noise)

    @classmethod
    def find_traces(cls, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find nothing: the medium of masks counts the rows of all outlines."""
        return iter(())

    def list_versions(self) -> dict[str, str]:
        """List the versions of Python and of the libraries that make polygons."""
        return list_versions(masks=True, language=False)
