"""Is a noisy split what its recipe says? By digests alone, or derived again from the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems, Refused, refuse
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, Split, open_split
from actiseg_data.masks import IndexMask, pixel_digest, read_index_mask
from actiseg_data.parallel import Progress, run
from actiseg_data.records import (
    DIGESTS_FILE,
    LEDGER_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    LedgerRow,
    Recipe,
    read_digests,
    read_ledger,
    read_recipe,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import check_name, read_json
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.output import image_sets_of, mask_name, on_disk
from actiseg_noise.plan import make_plan
from actiseg_noise.recipe import check_recipe


@dataclass(frozen=True)
class Verification:
    """What a check found.

    mismatches: one line for each thing that is not as it should be. counts: what was checked.
    """

    mismatches: tuple[str, ...]
    counts: dict[str, int]

    @property
    def ok(self) -> bool:
        return not self.mismatches


def verify(
    out: Path,
    source: Path | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> Verification:
    """Check a noisy split.

    Always: every file that ``digests.json`` lists is there and decodes to its digest, no mask is
    there that it does not list, and recipe, summary and ledger fit one another. With the source
    dataset: every mask, list and ledger row is derived again from the clean data and compared, and
    objects without noise are shown to have lost pixels to touched ones only.

    only: sequence folders to restrict the check to. Raises `Refused` where `out` is no noisy split
    or the source is faulty; differences are mismatches, not errors.
    """
    recipe = check_recipe(read_recipe(out / RECIPE_FILE), str(out / RECIPE_FILE))
    summary = read_summary(out / SUMMARY_FILE)
    digests = read_digests(out / DIGESTS_FILE)
    _check_names(digests, out / DIGESTS_FILE)
    rows = list(read_ledger(out / LEDGER_FILE))
    wanted = set(only)
    mismatches = _digest_mismatches(out, digests, wanted, workers, progress)
    if summary.get("recipe_digest") != recipe.digest:
        mismatches.append(f"{SUMMARY_FILE}: recipe_digest is not that of {RECIPE_FILE}")
    named = {name.split("/")[2] for name in digests if name.startswith(f"{MASKS}/")}
    for folder in sorted({row.sequence for row in rows} - named):
        mismatches.append(f"{LEDGER_FILE}: names the unknown sequence {folder}")
    _refuse_unknown(wanted - named, out)
    counts = Counter(files=len(digests) if not wanted else 0)
    if source is not None:
        more, counted = _source_mismatches(
            out, source, recipe, digests, rows, named, wanted, workers, progress
        )
        mismatches += more
        counts += counted
    return Verification(tuple(mismatches), dict(counts))


def _check_names(digests: dict[str, str], file: Path) -> None:
    """Refuse digests of anything but masks and lists, and names that lead outside."""
    problems = Problems()
    for name in digests:
        parts = name.split("/")
        if (parts[0], len(parts)) not in ((MASKS, 4), (IMAGE_SETS, 2)):
            problems.add(f"lists {name[:80]!r}, no mask or list", file, "make the split again")
            continue
        for part in parts:
            with problems.caught():
                check_name(part, "file", file)
    problems.raise_if_any()


def _refuse_unknown(names: set[str], out: Path) -> None:
    if names:
        raise refuse(
            f"has no sequence {', '.join(sorted(names))}", out, "give a folder name as in its lists"
        )


def _digest_mismatches(
    out: Path,
    digests: dict[str, str],
    wanted: set[str],
    workers: int,
    progress: Progress | None,
) -> list[str]:
    listed = [
        (name, digest)
        for name, digest in digests.items()
        if not wanted or (name.startswith(f"{MASKS}/") and name.split("/")[2] in wanted)
    ]
    found = run(_file_mismatch, out, listed, workers, progress)
    mismatches = [line for line in found if line]
    if not wanted:
        known = {on_disk(out, name) for name, _ in listed}
        for path in sorted(out.glob(f"{MASKS}/*/*/*")):
            if path not in known:
                name = path.relative_to(out).as_posix()
                mismatches.append(f"{name}: is not listed in {DIGESTS_FILE}")
    return mismatches


def _file_mismatch(out: Path, listed: tuple[str, str]) -> str | None:
    name, digest = listed
    path = on_disk(out, name)
    try:
        if name.startswith(f"{IMAGE_SETS}/"):
            actual = json_digest(read_json(path))
        else:
            actual = pixel_digest(read_index_mask(path))
    except Refused as refused:
        return f"{name}: {refused.problems[0].what}"
    return None if actual == digest else f"{name}: its content is not what {DIGESTS_FILE} says"


def _source_mismatches(
    out: Path,
    source: Path,
    recipe: Recipe,
    digests: dict[str, str],
    rows: list[LedgerRow],
    named: set[str],
    wanted: set[str],
    workers: int,
    progress: Progress | None,
) -> tuple[list[str], Counter[str]]:
    split = open_split(source, recipe.split)
    whole = tuple(sequence for sequence in split.sequences if sequence.folder in named)
    mismatches = [
        f"{folder}: is not in the source's split {split.name!r}"
        for folder in sorted(named - {sequence.folder for sequence in whole})
    ]
    if not wanted:
        for name, document in image_sets_of(split, whole):
            path = f"{IMAGE_SETS}/{name}"
            if digests.get(path) != json_digest(document):
                mismatches.append(f"{path}: differs from what the source gives")
    chosen = tuple(seq for seq in whole if not wanted or seq.folder in wanted)
    plan = make_plan(split, recipe, chosen, workers)
    by_folder: dict[str, list[LedgerRow]] = {sequence.folder: [] for sequence in chosen}
    for row in rows:
        by_folder.get(row.sequence, []).append(row)
    job = _Rederivation(split, recipe, plan.threshold, out)
    items = [(sequence, tuple(by_folder[sequence.folder])) for sequence in chosen]
    counts: Counter[str] = Counter()
    for lines, counted in run(_rederive, job, items, workers, progress):
        mismatches += lines
        counts += counted
    return mismatches, counts


@dataclass(frozen=True)
class _Rederivation:
    split: Split
    recipe: Recipe
    threshold: float
    out: Path


def _rederive(
    job: _Rederivation, item: tuple[Sequence, tuple[LedgerRow, ...]]
) -> tuple[list[str], Counter[str]]:
    """Compare one sequence on disk with what recipe and source give."""
    sequence, rows = item
    clean_masks = job.split.read_masks(sequence)
    noise = corrupt_sequence(sequence, clean_masks, job.recipe, job.threshold)
    lines = []
    counts: Counter[str] = Counter(sequences=1, ledger_rows=len(rows))
    if noise.rows != rows:
        lines.append(f"{LEDGER_FILE}: the rows of {sequence.folder} differ from what is derived")
    for frame, clean, derived in zip(sequence.frames, clean_masks, noise.masks, strict=True):
        name = mask_name(job.split, sequence, frame)
        try:
            actual = read_index_mask(on_disk(job.out, name))
        except Refused as refused:
            lines.append(f"{name}: {refused.problems[0].what}")
            continue
        counts += Counter(masks=1, pixels=derived.size)
        if actual.shape != derived.shape:
            lines.append(f"{name}: has another size than the source's mask")
            continue
        wrong = int((actual != derived).sum())
        if wrong:
            lines.append(f"{name}: {wrong} pixels differ from what is derived")
        touched = {row.object_id for row in rows if row.frame == frame}
        strayed, counted = _stray_pixels(clean, actual, touched)
        counts += counted
        if strayed:
            lines.append(f"{name}: {strayed} pixels changed that no touched object explains")
    return lines, counts


def _stray_pixels(
    clean: IndexMask, noisy: IndexMask, touched: set[int]
) -> tuple[int, Counter[str]]:
    """Changed pixels that neither belonged to a touched object nor were taken by one, and counts of
    untouched objects: how many are whole, how many lost pixels to touched ones."""
    involved = np.zeros(256, bool)
    involved[list(touched)] = True
    changed = clean != noisy
    strayed = int((changed & ~involved[clean] & ~involved[noisy]).sum())
    counts: Counter[str] = Counter()
    for object_id in np.flatnonzero(np.bincount(clean.ravel(), minlength=256)[1:]) + 1:
        if not involved[object_id]:
            cut = bool((changed & (clean == object_id)).any())
            counts["untouched_cut" if cut else "untouched_whole"] += 1
    return strayed, counts
