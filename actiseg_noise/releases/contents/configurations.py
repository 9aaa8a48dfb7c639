"""Open the noisy splits of a release and their source, and refuse what cannot be published."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.action_lists import ACTIONVOS
from actiseg_data.make.prepare.raw_inputs import read_prepared_inputs
from actiseg_data.make.sample.sample_writing import MARKER
from actiseg_data.records.licence_terms import identify_licences
from actiseg_data.records.recipe_record import Recipe, refuse_noisy_source
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_noise.media.self_check import check_consistency, open_documents
from actiseg_noise.recipes.building import name_type
from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseSource
from actiseg_noise.releases.contents.source_licences import (
    find_licence_faults,
    read_source_licences,
)
from actiseg_noise.releases.contents.source_survey import SourceSurvey, survey_source
from actiseg_noise.split.clean_parts import CleanPart, summarise_digests
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.noisy_split import NoisySplit, open_noisy_split, read_carried_differences

_MOST_NAMED = 5
"""How many touched files of a split a message names."""


def open_configurations(
    outs: Sequence[Path],
    source: Path | None = None,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> tuple[Configuration, ...]:
    """Open noisy splits of one source, and give each a name that is unique among them.

    Parameters
    ----------
    outs : sequence of Path
        The noisy splits.
    source : Path, optional
        The clean dataset. By default the one that the splits name.
    workers : int or WorkerPool
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        With every folder that is not a noisy split, every file that changed since `corrupt` wrote
        it, a source that is missing, changed or noisy, splits of different sources, and splits that
        have the recipe of another one.
    """
    if not outs:
        raise refuse("no noisy split given", "`outs`", "give the folders that corrupt made")
    problems = ProblemCollector()
    opened: list[tuple[NoisySplit, SplitDocuments]] = []
    for out in outs:
        with problems.collect():
            opened.append(_open_split(out, source))
    _find_repeats(outs, problems)
    _find_other_sources([split for split, _ in opened], problems)
    _find_equal_recipes([split for split, _ in opened], problems)
    problems.raise_if_any()
    surveys: list[dict[str, SourceSurvey]] = []
    for split, documents in opened:
        with problems.collect():
            _refuse_touched(split.noisy.root, documents, workers, stage)
        with problems.collect():
            surveys.append(_survey_source(split, documents, workers, stage))
    problems.raise_if_any()
    names = name_configurations([split.recipe for split, _ in opened])
    return tuple(
        _make_configuration(name, split, documents, survey)
        for name, (split, documents), survey in zip(names, opened, surveys, strict=True)
    )


def name_configurations(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """Name the configurations of a release after their recipes.

    A name is ``<type>-<percent>``. Seed, split and the first six digits of the recipe's digest, or
    all of them, follow where they are needed: the seed unless it is 0, the others to tell names
    apart. The case of letters does not count. The recipes must differ.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> recipes = [make_recipe("boundary", 0.4), make_recipe("text", 0.4, seed=1)]
    >>> name_configurations([*recipes, make_recipe("mixed", 0.2, text_rate=0.4)])
    ('boundary-40', 'text-40-s1', 'mixed-40-20')
    """
    names = [_name_configuration(recipe) for recipe in recipes]
    for suffixes in (
        [recipe.split for recipe in recipes],
        [recipe.digest[:6] for recipe in recipes],
        [recipe.digest for recipe in recipes],
    ):
        counts = Counter(map(str.casefold, names))
        names = [
            f"{name}-{suffix}" if counts[name.casefold()] > 1 else name
            for name, suffix in zip(names, suffixes, strict=True)
        ]
    assert len(set(map(str.casefold, names))) == len(names), "two configurations have one name"
    return tuple(names)


def _name_configuration(recipe: Recipe) -> str:
    rates = dict.fromkeys(f"{100 * noise.rate:.3g}" for noise in recipe.noises)
    name = "-".join((name_type(recipe), *rates))
    return f"{name}-s{recipe.seed}" if recipe.seed else name


def describe_source(configurations: Sequence[Configuration]) -> ReleaseSource:
    """Describe the clean dataset of a release.

    Raises
    ------
    InputError
        If the dataset does not state known licences.
    """
    first = configurations[0]
    root = first.split.source.root
    # A dataset without action lists may have no LICENSE; its noisy copy states the licence then.
    stated = root if first.split.source.layout == ACTIONVOS.key else first.folder
    licences = identify_licences(stated)
    license_text, notice_text = read_source_licences(first.folder, first.split.source)
    splits = dict.fromkeys(entry.split.recipe.split for entry in configurations)
    return ReleaseSource(
        root=root,
        licences=licences,
        license_text=license_text,
        notice_text=notice_text,
        inputs={name: read_prepared_inputs(root, name) for name in splits},
        rendered=has_rendered_frames(root),
        synthetic=(root / MARKER).is_file(),
    )


def refuse_other_licences(configurations: Iterable[Configuration]) -> None:
    """Refuse noisy splits whose LICENSE or NOTICE is not that of their source and changes.

    Raises
    ------
    InputError
        With every such file.
    """
    problems = ProblemCollector()
    for entry in configurations:
        source = entry.split.source
        for name in find_licence_faults(entry.folder, entry.documents, source):
            problems.add(
                f"is not what {source.root} and the recipe give",
                entry.folder / name,
                "make the split again: with corrupt --overwrite, or with import --overwrite",
            )
    problems.raise_if_any()


def _open_split(out: Path, source: Path | None) -> tuple[NoisySplit, SplitDocuments]:
    documents = open_documents(out)
    split = open_noisy_split(out, source)
    clean = split.source
    refuse_noisy_source(clean.root)
    if documents.summary.get("dataset_fingerprint") != clean.fingerprint:
        raise refuse(
            f"has another list {clean.name!r} than the one that {out} was made from",
            clean.root,
            "give the dataset that the noisy split was made from as `source`",
        )
    return split, documents


def _find_repeats(outs: Sequence[Path], problems: ProblemCollector) -> None:
    counts = Counter(os.path.realpath(out) for out in outs)
    for out in outs:
        if counts[os.path.realpath(out)] > 1:
            problems.add("is given more than once", out, "give each noisy split once")


def _find_other_sources(splits: Iterable[NoisySplit], problems: ProblemCollector) -> None:
    """Find noisy splits that were not made from the same clean dataset as the first one."""
    roots = [(split.noisy.root, split.source.root) for split in splits]
    for out, root in roots[1:]:
        if os.path.realpath(root) != os.path.realpath(roots[0][1]):
            problems.add(
                f"was made from {root}, but {roots[0][0]} from {roots[0][1]}",
                out,
                "publish splits of different datasets as different releases",
            )


def _find_equal_recipes(splits: Iterable[NoisySplit], problems: ProblemCollector) -> None:
    """Find noisy splits, or parts of them, that have the recipe of an earlier one."""
    first: dict[str, Path] = {}
    for split in splits:
        out = split.noisy.root
        earlier = first.setdefault(split.recipe.digest, out)
        if earlier != out:
            problems.add(f"has the recipe of {earlier}", out, "publish one of them")


def _refuse_touched(
    out: Path, documents: SplitDocuments, workers: int | WorkerPool, stage: StageProgress
) -> None:
    """Refuse a noisy split whose files do not agree with its documents."""
    lines = check_consistency(out, documents, workers=workers, stage=stage).lines
    problems = ProblemCollector()
    for line in lines[:_MOST_NAMED]:
        problems.add(
            f"was changed since it was made: {line}",
            out,
            "make the split again with its recipe.json, and publish the new one",
        )
    if len(lines) > _MOST_NAMED:
        more = len(lines) - _MOST_NAMED
        problems.add(f"has {more} more such files", out, "actiseg-noise verify lists them all")
    problems.raise_if_any()


def _make_configuration(
    name: str, split: NoisySplit, documents: SplitDocuments, surveys: Mapping[str, SourceSurvey]
) -> Configuration:
    sizes: Counter[str] = Counter()
    for survey in surveys.values():
        sizes.update(survey.sizes)
    differences = read_carried_differences(split.noisy.root)
    return Configuration(
        name=name,
        split=split,
        documents=documents,
        clean_digests={folder: survey.digests for folder, survey in surveys.items()},
        clean_sizes=sizes,
        origin=None if differences is None else flatten_text(differences.origin),
    )


def _survey_source(
    split: NoisySplit, documents: SplitDocuments, workers: int | WorkerPool, stage: StageProgress
) -> dict[str, SourceSurvey]:
    """Survey the clean files of a noisy split, by sequence folder.

    Raises
    ------
    InputError
        If they changed since the noisy split was made from them.
    """
    with stage("checking the source") as progress:
        source = split.source
        sequences = tuple(source[sequence.folder] for sequence in split.noisy.sequences)
        recipe = split.recipe
        # Objects that are left out cannot be selected: then nothing says how many of a size can.
        whole = recipe.find_object_noise("missing") is None
        shared = (
            CleanPart(source, sequences, documents.kinds),
            recipe.outline_noise if whole else None,
        )
        results = run_parallel(survey_source, shared, sequences, workers, progress)
    surveys = dict(zip((sequence.folder for sequence in sequences), results, strict=True))
    digests = {folder: survey.digests for folder, survey in surveys.items()}
    if not summarise_digests(digests).items() <= documents.summary.items():
        raise refuse(
            f"was changed since {split.noisy.root} was made from it",
            split.source.root,
            "restore it, or make the noisy split again",
        )
    return surveys


def has_frames(configurations: Iterable[Configuration]) -> bool:
    """Return whether any sequence of the configurations has a folder of frames."""
    return any(
        folder is not None and folder.is_dir()
        for configuration in configurations
        for folder in map(
            configuration.split.source.find_frames_folder, configuration.split.noisy.sequences
        )
    )
