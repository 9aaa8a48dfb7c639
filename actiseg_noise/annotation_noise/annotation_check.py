"""Verify a noisy copy of raw annotations, by its digests or by reproducing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.workers import ProgressCallback, run_parallel
from actiseg_data.make.prepare.annotation_files import find_annotation_files
from actiseg_data.records.ledger_record import LEDGER_FILE, MaskRow, read_mask_rows
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise.annotation_noise.annotation_source import (
    AnnotationSource,
    make_record,
    open_annotations,
)
from actiseg_noise.annotation_noise.annotation_summary import summarise_polygons
from actiseg_noise.media.mask_summary import MaskStatistics
from actiseg_noise.media.medium import MediumComparison
from actiseg_noise.recipes.building import load_recipe
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.split.journal import SequenceRecord


def verify_visor(
    out: Path,
    source: Path | None = None,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> MediumComparison:
    """Verify a noisy copy of raw annotations.

    Every file in ``digests.json`` must exist and have its digest, and there must be no other
    annotation file. Recipe, summary and ledger must agree. With the source, every file, ledger row
    and count is reproduced from the clean annotations and compared.

    Parameters
    ----------
    out : Path
        The noisy copy.
    source : Path, optional
        The folder of clean annotations. By default nothing is reproduced.
    workers : int
        Processes.
    progress : callable, optional
        Called with the number of files reproduced and of all files.

    Returns
    -------
    MediumComparison
        Its lines are the mismatches.

    Raises
    ------
    InputError
        If `out` has no records of polygon noise, or if the source is faulty or noisy.
    """
    copy = _open_copy(out)
    result = MediumComparison(lines=[*copy.compare_files(), *copy.compare_records()])
    result.counts.update(annotations=len(copy.digests), ledger_rows=len(copy.rows))
    if source is None:
        return result
    clean = open_annotations(source, copy.recipe, workers)
    if copy.summary.get("dataset_fingerprint") != clean.fingerprint:
        result.lines.append(f"{SUMMARY_FILE}: was made from other annotations than {source}")
    records = run_parallel(_reproduce_file, clean, list(clean.files), workers, progress)
    result.counts["reproduced"] = len(records)
    result.lines.extend(copy.compare_reproduction(clean, records))
    return result


def _reproduce_file(source: AnnotationSource, name: str) -> SequenceRecord:
    return make_record(source, name)[0]


@dataclass(frozen=True)
class _NoisyAnnotations:
    """A noisy copy and its records."""

    out: Path
    recipe: Recipe
    summary: Mapping[str, Any]
    digests: Mapping[str, str]
    rows: tuple[MaskRow, ...]

    def compare_files(self) -> Iterator[str]:
        """Compare the files with their digests, a line for each mismatch."""
        for name, digest in self.digests.items():
            try:
                actual = digest_json(read_json(self.out / name, "annotation file"))
            except InputError as refused:
                yield str(refused.problems[0])
                continue
            if actual != digest:
                yield f"{name}: differs from its digest in {DIGESTS_FILE}"
        for path in find_annotation_files(self.out, self.recipe.split):
            name = path.relative_to(self.out).as_posix()
            if name not in self.digests:
                yield f"{name}: is not in {DIGESTS_FILE}"

    def compare_records(self) -> Iterator[str]:
        """Compare recipe, ledger and summary with one another."""
        if self.summary.get("recipe_digest") != self.recipe.digest:
            yield f"{SUMMARY_FILE}: recipe_digest is not that of {RECIPE_FILE}"
        noise = choose_polygon_noise(self.recipe)
        section = self.summary.get("noise")
        section = section if isinstance(section, dict) else {}
        expected = {"kind": noise.kind, "rate": noise.rate, "selected": len(self.rows)}
        for member, value in (expected | MaskStatistics.from_rows(self.rows).to_dict()).items():
            if section.get(member) != value:
                yield f"{SUMMARY_FILE}: noise.{member} is not what {LEDGER_FILE} gives"

    def compare_reproduction(
        self, clean: AnnotationSource, records: list[SequenceRecord]
    ) -> Iterator[str]:
        """Compare files, rows and counts with what recipe and source give."""
        for record in records:
            if self.digests.get(record.folder) != record.digests[record.folder]:
                yield f"{record.folder}: differs from what {RECIPE_FILE} and the source give"
        for name in self.digests.keys() - clean.files.keys():
            yield f"{name}: the source has no such file"
        given = Counter(row.to_json() for row in self.rows)
        made = Counter(row for record in records for row in record.rows)
        if given != made:
            differing = (given - made).total() + (made - given).total()
            yield f"{LEDGER_FILE}: {differing} rows differ from what the source gives"
        for member, value in summarise_polygons(self.recipe, records).items():
            if self.summary.get(member) != value:
                yield f"{SUMMARY_FILE}: {member} is not what the source gives"


def _open_copy(out: Path) -> _NoisyAnnotations:
    recipe = load_recipe(out / RECIPE_FILE)
    choose_polygon_noise(recipe)
    return _NoisyAnnotations(
        out=out,
        recipe=recipe,
        summary=read_summary(out / SUMMARY_FILE),
        digests=read_digests(out / DIGESTS_FILE),
        rows=tuple(read_mask_rows(out / LEDGER_FILE)),
    )
