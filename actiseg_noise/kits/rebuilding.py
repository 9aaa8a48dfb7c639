"""Rebuild a published noisy split from its kit and the clean data, and compare the two."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.lexicon import parse_lexicon
from actiseg_data.core.errors import check_choice, refuse
from actiseg_data.core.files import PathLike, as_path, check_free, check_outside
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.dataset_opening import open_dataset
from actiseg_data.layouts.opening import locate_split, open_action_split, open_split
from actiseg_data.layouts.split import MASKS, WEIGHTS, Split
from actiseg_data.records.difference_record import parse_differences
from actiseg_data.records.recipe_record import refuse_noisy_source
from actiseg_data.records.split_documents import CLEAN_DATASET
from actiseg_noise.corruption.corruption import write_noisy_split
from actiseg_noise.corruption.request import IMAGES, CorruptionOptions
from actiseg_noise.kits.kit_reading import choose_kit
from actiseg_noise.kits.kit_record import RebuildKit
from actiseg_noise.kits.raw_preparation import RawFinding, as_folders, prepare_from_raw
from actiseg_noise.kits.rebuild_result import Rebuild
from actiseg_noise.kits.rebuilt_comparison import ComparedPart, RebuiltComparison
from actiseg_noise.kits.sequence_digesting import identify_sequence, identify_sequences
from actiseg_noise.media.self_check import open_documents
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.clean_parts import make_part
from actiseg_noise.split.noise_inputs import NoiseInputs

COMPARING = "comparing"
"""The last stage of `rebuild`: the split has its final name then."""


def rebuild(
    release: PathLike,
    *,
    config: str | None = None,
    source: PathLike | None = None,
    visor: PathLike | Iterable[PathLike] = (),
    out: PathLike | None = None,
    images: str = "link",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Rebuild:
    """Rebuild a published noisy split from its recipe, and compare it with the published digests.

    The clean data come from `source`, or are prepared from raw VISOR files. If they have only a
    part of the published sequences, that part is rebuilt and compared.

    Parameters
    ----------
    release : str or Path
        A release, or the file of a rebuild kit.
    config : str, optional
        The configuration, such as ``boundary-40``. Needed if the release has several.
    source : str or Path, optional
        The clean dataset.
    visor : str, Path or iterable of these
        Folders that have the raw files of VISOR, packed or not, in any subfolder.
    out : str or Path, optional
        Folder to make. Default: the name of the configuration.
    images : str
        How frames get into the split: ``link``, ``copy`` or ``none``. Raw files give no frames.
    workers : int
        Processes. The result does not depend on it.
    stage : StageProgress
        Shows progress.

    Returns
    -------
    Rebuild
        Whether the rebuilt split is identical, for how many sequences, or the first difference and
        whose version it is. A difference is no error; the rebuilt split is kept.

    Raises
    ------
    InputError
        If there is no such kit, if the kit is faulty, if clean data are missing or have none of the
        published sequences, or if `out` exists. Nothing is written then.

    Examples
    --------
    ::

        from actiseg_noise import rebuild

        result = rebuild("release", config="boundary-40", source="dataset_visor", out="noisy")
        print(result.verdict)  # identical to the published split
    """
    path = as_path(release, "release")
    kit = choose_kit(path, config)
    check_recipe(kit.recipe, f"{path}: the kit of {kit.name!r}: recipe")
    check_choice(images, IMAGES, "images")
    target = as_path(kit.name if out is None else out, "out")
    folders = as_folders(visor)
    check_free(target)
    if (source is None) == (not folders):
        what = "no clean data are given" if source is None else "both are given"
        hint = "give either the clean dataset as `source` or raw files as `visor`"
        raise refuse(what, "`source` and `visor`", hint)
    if source is not None:
        root, _ = locate_split(as_path(source, "source"))
        check_outside(target, [root], "out")
        return _rebuild_from(kit, _Source(root, images), target, workers, stage)
    with _make_temporary_root(target) as root:
        finding = prepare_from_raw(kit, folders, root, workers, stage)
        return _rebuild_from(kit, _Source(root, "none", finding), target, workers, stage)


@dataclass(frozen=True)
class _Source:
    """A clean dataset, how to add its frames, and how its raw files compare, if it has some."""

    root: Path
    images: str
    finding: RawFinding | None = None


@contextmanager
def _make_temporary_root(out: Path) -> Iterator[Path]:
    """Yield a folder next to `out`; remove it in the end, and new parent folders that are empty."""
    made = [folder for folder in out.parents if not folder.exists()]
    try:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            place = tempfile.TemporaryDirectory(
                prefix=f".{out.name}.", suffix=".prepared", dir=out.parent
            )
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise refuse(what, out, "give another `out`") from None
        with place as folder:
            yield Path(folder, "root")
    finally:
        for folder_made in made:
            if folder_made.is_dir() and not any(folder_made.iterdir()):
                folder_made.rmdir()


def _rebuild_from(
    kit: RebuildKit, source: _Source, out: Path, workers: int, stage: StageProgress
) -> Rebuild:
    """Rebuild from a clean dataset."""
    root = source.root
    refuse_noisy_source(root)
    split = _open_source(kit, root)
    folders = tuple(seq.folder for seq in split if identify_sequence(seq) in kit.sequences)
    if not folders:
        raise refuse(
            f"the split {split.name!r} has none of the {len(kit.sequences)} published sequences",
            root,
            "give the dataset that the split was made from, or a part of it",
        )
    known = list_splits(root)
    clean = tuple(name for name in kit.clean if name in known)
    options = replace(
        _make_options(kit, split, folders, clean, out),
        images=source.images,
        form=kit.source.form,
        source_name=None if source.finding is None else CLEAN_DATASET,
    )
    write_noisy_split(root, kit.recipe, options, workers, stage)
    with stage(COMPARING):
        return _compare_rebuilt(kit, source, split, clean, out)


def _compare_rebuilt(
    kit: RebuildKit, source: _Source, split: Split, clean: tuple[str, ...], out: Path
) -> Rebuild:
    """Compare a rebuilt split with the digests of the kit."""
    documents = open_documents(out)
    sources = (split, *(open_split(source.root, name, masks=False) for name in clean))
    published = (kit.sequences, *(kit.clean[name] for name in clean))
    opened = zip(documents.open_parts(out), sources, published, strict=True)
    parts = tuple(
        ComparedPart(rebuilt, opened_source, digests, is_noisy=number == 0)
        for number, (rebuilt, opened_source, digests) in enumerate(opened)
    )
    raw = source.finding or RawFinding()
    comparison = RebuiltComparison(kit, documents, parts, raw, source.finding is not None)
    differing, difference, lists = comparison.compare()
    counts = {part.source.name: len(part.sequences) for part in parts[1:]}
    return Rebuild(
        out=out,
        name=kit.name,
        sequences=len(parts[0].sequences),
        published=len(kit.sequences),
        clean={name: (counts.get(name, 0), len(listed)) for name, listed in kit.clean.items()},
        lists=lists,
        differing=differing,
        difference=difference,
        changed=tuple(raw_input.name for raw_input in raw.changed),
        absent=tuple(raw_input.name for raw_input in raw.absent),
    )


def _open_source(kit: RebuildKit, root: Path) -> Split:
    """Open the clean split; refuse one that lacks a kind of files that the published one has."""
    if kit.source.form is not None:
        split: Split = open_dataset(root, kit.source.form, kit.source.split)
    else:
        split = open_action_split(root, kit.source.split, masks=kit.has_masks)
    identify_sequences(split, split.sequences)
    kinds = make_part(split, split.sequences, weights=True).kinds
    wanted = {MASKS: kit.has_masks, WEIGHTS: kit.has_weights}
    lacking = [kind for kind, is_wanted in wanted.items() if is_wanted and kind not in kinds]
    if lacking:
        raise refuse(
            f"the published split has {' and '.join(lacking)}, but the dataset has none",
            root,
            "prepare the dataset again",
        )
    return split


def _make_options(
    kit: RebuildKit,
    split: Split,
    folders: tuple[str, ...],
    clean: tuple[str, ...],
    out: Path,
) -> CorruptionOptions:
    """Make the options of the run, with what the kit carries."""
    is_part = len(folders) < len(split.sequences) or len(folders) < len(kit.sequences)
    thresholds = kit.thresholds.values if is_part or kit.thresholds.are_given else {}
    lexicon, differences, where = None, None, f"the kit of {kit.name!r}"
    if kit.lexicon is not None:
        lexicon = parse_lexicon(kit.lexicon, f"{where}: lexicon")
    if kit.differences is not None:
        differences = parse_differences(kit.differences, f"{where}: differences")
    return CorruptionOptions(
        out=out,
        only=folders if len(folders) < len(split.sequences) else None,
        weights="derive" if kit.has_weights else "none",
        with_clean=clean,
        inputs=NoiseInputs(lexicon, differences, thresholds or None),
    )
