"""Clean annotations, read and checked, and the noisy document of each file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import Interruption, Problem, refuse
from actiseg_data.core.workers import ProgressCallback, run_parallel
from actiseg_data.layouts.visor_json import parse_video
from actiseg_data.make.prepare.annotation_files import find_annotation_files
from actiseg_data.make.prepare.noisy_annotations import describe_noise_of_files
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.annotation_noise.document_noise import (
    corrupt_document,
    draw_document_selection,
)
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.recipes.rates import find_exact_threshold
from actiseg_noise.split.journal import SequenceRecord


@dataclass(frozen=True)
class AnnotationSource:
    """A folder of clean annotations, read and checked.

    Attributes
    ----------
    folder : Path
        The folder, or the only file.
    recipe : Recipe
        A checked recipe of polygon noise.
    files : dict of str to Path
        The annotation files by their names in the copy, relative to it.
    digests : dict of str to str
        Digests of their content, by the same names.
    threshold : float
        Items with a selection draw below it get noise.
    """

    folder: Path
    recipe: Recipe
    files: dict[str, Path]
    digests: dict[str, str]
    threshold: float

    @property
    def fingerprint(self) -> str:
        """The digest of the content of all files."""
        return digest_json(self.digests)


def open_annotations(
    folder: Path,
    recipe: Recipe,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> AnnotationSource:
    """Read and check all annotation files of a folder.

    Parameters
    ----------
    folder : Path
        Folder of VISOR's JSON files, see `find_annotation_files`, or one file. The recipe's split
        chooses a subfolder where there are several.
    recipe : Recipe
        A recipe of polygon noise, see `convert_to_polygons`.
    workers : int
        Processes.
    progress : callable, optional
        Called with the number of files read and of all files.

    Raises
    ------
    InputError
        With everything that is wrong in the files or the recipe.
    """
    recipe = check_recipe(recipe)
    noise = choose_polygon_noise(recipe)
    root = folder if folder.is_dir() else folder.parent
    paths = find_annotation_files(folder, recipe.split)
    stated = describe_noise_of_files(paths)
    if stated is not None:
        raise refuse(f"is a noisy copy: {stated}", folder, "give the clean annotations")
    surveyed = run_parallel(_survey_document, recipe.seed, paths, workers, progress)
    names = [path.relative_to(root).as_posix() for path in paths]
    threshold = noise.rate
    if noise.exact:
        draws = (draw for _, of_file in surveyed for draw in of_file)
        threshold = find_exact_threshold(draws, noise.rate)
    return AnnotationSource(
        folder=folder,
        recipe=recipe,
        files=dict(zip(names, paths, strict=True)),
        digests={name: digest for name, (digest, _) in zip(names, surveyed, strict=True)},
        threshold=threshold,
    )


def _survey_document(seed: int, path: Path) -> tuple[str, list[float]]:
    """Return the digest of a document, and the selection draws of its items."""
    document = read_json(path, "annotation file")
    return digest_json(document), draw_document_selection(parse_video(document, path), seed)


def make_record(source: AnnotationSource, name: str) -> tuple[SequenceRecord, dict[str, Any]]:
    """Make the record and the noisy document of one file of a source."""
    path = source.files[name]
    document = read_json(path, "annotation file")
    if digest_json(document) != source.digests[name]:
        hint = "do not change the annotations, and run again"
        raise Interruption(Problem("changed during the run", str(path), hint))
    noise = choose_polygon_noise(source.recipe)
    noisy = corrupt_document(document, path, noise, source.recipe.seed, source.threshold)
    record = SequenceRecord.make_empty(name)
    record.rows.extend(row.to_json() for row in noisy.rows)
    record.digests[name] = digest_json(noisy.document)
    record.clean_digests["annotations"] = [source.digests[name]]
    record.tally.update(noisy.tally)
    return record, noisy.document
