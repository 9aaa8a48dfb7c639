"""Is a noisy split what its recipe says? By digests alone, or derived again from the source."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems, Refused, refuse
from actiseg_data.layouts.actionvos import (
    IMAGE_SETS,
    MASKS,
    Split,
    open_split,
    sequence_folder,
)
from actiseg_data.masks import IndexMask, ids_in, pixel_digest, read_index_mask
from actiseg_data.parallel import Crew, run
from actiseg_data.records import (
    DIGESTS_FILE,
    LEDGER_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    LedgerRow,
    MaskRow,
    Recipe,
    TextRow,
    read_digests,
    read_ledger,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import Cursor, check_name, read_json
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.noisy_split import carried_lexicon, read_split_recipe
from actiseg_noise.output import mask_name, on_disk
from actiseg_noise.plan import make_plan
from actiseg_noise.recipe import check_recipe
from actiseg_noise.stage import Stage, silent
from actiseg_noise.summary import ledger_misfits, word_section
from actiseg_noise.text.plan import WordPlan


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
    workers: int | Crew = 1,
    stage: Stage = silent,
) -> Verification:
    """Check a noisy split.

    Always: every file that ``digests.json`` lists is there and decodes to its digest, masks and
    lists are there that belong to the action list and no others, and recipe, summary, ledger and
    list fit one another. With the source dataset: every mask, list, prompt and ledger row is
    derived again from the clean data and compared, and objects without noise are shown to have lost
    pixels to touched ones only. Masks of a split with text noise alone are compared with the
    source's.

    only: sequence folders whose masks are looked at, instead of all. Raises `Refused` where `out`
    is no noisy split or the source is faulty; differences are mismatches, not errors.
    """
    recipe = check_recipe(read_split_recipe(out), str(out / RECIPE_FILE))
    summary = read_summary(out / SUMMARY_FILE)
    digests = read_digests(out / DIGESTS_FILE)
    _check_names(digests, out / DIGESTS_FILE)
    rows = list(read_ledger(out / LEDGER_FILE))
    folders = _folders(summary)
    wanted = set(only) or folders
    _refuse_unknown(wanted - folders, out)

    mismatches = _misfits(out, recipe, summary, digests, rows)
    listed = [
        (name, digest)
        for name, digest in digests.items()
        if name.startswith(f"{IMAGE_SETS}/") or name.split("/")[2] in wanted
    ]
    with stage("checking digests") as progress:
        found = run(_file_mismatch, out, listed, workers, progress)
    mismatches += [line for line in found if line]
    counts = Counter(files=len(listed), ledger_rows=len(rows))
    if source is not None:
        split = open_split(source, recipe.split, masks=recipe.mask_noise is not None)
        check = _SourceCheck(out, split, recipe, summary, digests, rows, folders, wanted)
        more, counted = check.run(workers, stage)
        mismatches += more
        counts += counted
    return Verification(tuple(dict.fromkeys(mismatches)), dict(counts))


def _folders(summary: dict[str, Any]) -> set[str]:
    """The sequences of a noisy split, as its summary names them."""
    listed = Cursor(summary, SUMMARY_FILE)["sequences"].elements()
    return {check_name(cursor.text(), "sequence", cursor.where) for cursor in listed}


def _misfits(
    out: Path,
    recipe: Recipe,
    summary: dict[str, Any],
    digests: dict[str, str],
    rows: list[LedgerRow],
) -> list[str]:
    """What does not fit among the documents, and files that no document knows."""
    lines = []
    if summary.get("recipe_digest") != recipe.digest:
        lines.append(f"{SUMMARY_FILE}: recipe_digest is not that of {RECIPE_FILE}")
    known = {on_disk(out, name) for name in digests}
    masked = recipe.mask_noise is not None
    ours = [*(out.glob(f"{MASKS}/*/*/*") if masked else ()), *out.glob(f"{IMAGE_SETS}/*")]
    for path in sorted(ours):
        if path not in known:
            lines.append(f"{path.relative_to(out).as_posix()}: is not listed in {DIGESTS_FILE}")
    if f"{IMAGE_SETS}/{recipe.split}.json" not in digests:
        lines.append(f"{DIGESTS_FILE}: lacks the action list of the split {recipe.split!r}")
    try:
        split = open_split(out, recipe.split, masks=masked)
    except Refused as refused:
        return lines + [str(problem) for problem in refused.problems]
    masks = set()
    if masked:
        masks = {mask_name(split, seq, frame) for seq in split.sequences for frame in seq.frames}
    digested = {name for name in digests if name.startswith(f"{MASKS}/")}
    lines += [f"{name}: is not listed in {DIGESTS_FILE}" for name in sorted(masks - digested)]
    lines += [f"{name}: is not in the action list" for name in sorted(digested - masks)]
    if summary.get("sequences") != [sequence.folder for sequence in split.sequences]:
        lines.append(f"{SUMMARY_FILE}: its sequences are not those of the action list")
    lines += [
        f"{SUMMARY_FILE}: {member} is not what the rows of {LEDGER_FILE} give"
        for member in ledger_misfits(summary, rows)
    ]
    items = {(seq.folder, label.object_id) for seq in split.sequences for label in seq.objects}
    frames = {(seq.folder, frame) for seq in split.sequences for frame in seq.frames}
    folders = {sequence.folder for sequence in split.sequences}
    for row in rows:
        if isinstance(row, MaskRow):
            fits = (row.sequence, row.frame) in frames
            fits = fits and (row.sequence, row.object_id) in items
            place = f"{row.sequence}, {row.frame}"
        else:
            narration = row.object_id is None and row.sequence in folders
            fits = narration or (row.sequence, row.object_id) in items
            place = row.sequence
        if not fits:
            lines.append(f"{LEDGER_FILE}: {place} has no object {row.object_id}")
    return lines


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


@dataclass(frozen=True)
class _SourceCheck:
    """The comparison of a noisy split with what recipe and source give.

    split: of the source. folders: all sequences of the noisy split; wanted: those that are looked
    at.
    """

    out: Path
    split: Split
    recipe: Recipe
    summary: dict[str, Any]
    digests: dict[str, str]
    rows: list[LedgerRow]
    folders: set[str]
    wanted: set[str]

    def run(self, workers: int | Crew, stage: Stage) -> tuple[list[str], Counter[str]]:
        """Mismatches, and counts of what was compared."""
        split, recipe = self.split, self.recipe
        whole = tuple(seq for seq in split.sequences if seq.folder in self.folders)
        mismatches = []
        if self.summary.get("dataset_fingerprint") != split.fingerprint:
            mismatches.append(f"{SUMMARY_FILE}: was made from another list than {split.root}'s")
        lacking = sorted(self.folders - {sequence.folder for sequence in whole})
        if lacking:
            mismatches.append(
                f"{len(lacking)} sequences, such as {lacking[0]}, are not in the source's split "
                f"{split.name!r}"
            )
        if not whole:
            return mismatches, Counter()
        with stage("surveying the source") as progress:
            plan = make_plan(
                split, recipe, whole, workers, progress, carried_lexicon(self.out), survey=False
            )
        for name, digest in plan.image_sets.items():
            path = f"{IMAGE_SETS}/{name}"
            if self.digests.get(path) != digest:
                mismatches.append(f"{path}: differs from what the source gives")
        counts: Counter[str] = Counter()
        chosen = [sequence for sequence in whole if sequence.folder in self.wanted]
        if plan.words is not None and recipe.text_noise is not None:
            if self.summary.get("text") != word_section(recipe.text_noise, plan.words):
                mismatches.append(f"{SUMMARY_FILE}: text is not what is derived")
            more, counted = self._words(chosen, plan.words)
            mismatches += more
            counts += counted
        with stage("deriving from the source") as progress:
            if recipe.mask_noise is None:
                found = run(_compare_untouched, (self.out, split), chosen, workers, progress)
            else:
                job = _Rederivation(split, recipe, plan.threshold, self.out)
                of_folder = self._mask_rows()
                items = [(sequence, of_folder.get(sequence.folder, ())) for sequence in chosen]
                found = run(_rederive, job, items, workers, progress)
        for lines, counted in found:
            mismatches += lines
            counts += counted
        return mismatches, counts

    def _mask_rows(self) -> dict[str, tuple[MaskRow, ...]]:
        of_folder: dict[str, list[MaskRow]] = {}
        for row in self.rows:
            if isinstance(row, MaskRow):
                of_folder.setdefault(row.sequence, []).append(row)
        return {folder: tuple(rows) for folder, rows in of_folder.items()}

    def _words(self, chosen: list[Sequence], words: WordPlan) -> tuple[list[str], Counter[str]]:
        """The ledger's rows on words against those that are derived."""
        of_folder: dict[str, list[TextRow]] = {}
        for row in self.rows:
            if isinstance(row, TextRow):
                of_folder.setdefault(row.sequence, []).append(row)
        lines = [
            f"{LEDGER_FILE}: the rows on words of {sequence.folder} differ from what is derived"
            for sequence in chosen
            if of_folder.get(sequence.folder, []) != list(words.rows[sequence.folder])
        ]
        prompts = sum(len(sequence.objects) for sequence in chosen)
        return lines, Counter(prompts=prompts)


def _compare_untouched(
    shared: tuple[Path, Split], sequence: Sequence
) -> tuple[list[str], Counter[str]]:
    """Compare the masks of one sequence, which nothing should have touched, with the source's."""
    out, split = shared
    if sequence.folder not in split.subsets:
        return [], Counter(sequences=1)
    theirs = sequence_folder(out, MASKS, split.subsets[sequence.folder], sequence.folder)
    ours = split.folder(MASKS, sequence)
    if not ours.is_dir():
        return [], Counter(sequences=1)
    if not theirs.is_dir():
        return [f"{MASKS}: the masks of {sequence.folder} are gone"], Counter(sequences=1)
    if os.path.samefile(theirs, ours):
        return [], Counter(sequences=1, masks=len(sequence.frames))
    lines = []
    for frame, mask in zip(sequence.frames, split.each_mask(sequence), strict=True):
        name = mask_name(split, sequence, frame)
        line = _file_mismatch(out, (name, pixel_digest(mask)))
        if line is not None:
            lines.append(line.replace(DIGESTS_FILE, "the source"))
    return lines, Counter(sequences=1, masks=len(sequence.frames))


@dataclass(frozen=True)
class _Rederivation:
    split: Split
    recipe: Recipe
    threshold: float | None
    out: Path


def _rederive(
    job: _Rederivation, item: tuple[Sequence, tuple[MaskRow, ...]]
) -> tuple[list[str], Counter[str]]:
    """Compare one sequence on disk with what recipe and source give."""
    sequence, rows = item
    lines = []
    counts: Counter[str] = Counter(sequences=1)
    derived_rows: list[MaskRow] = []
    clean_masks = job.split.each_mask(sequence)
    for noise in corrupt_sequence(sequence, clean_masks, job.recipe, job.threshold):
        derived_rows += noise.rows
        name = mask_name(job.split, sequence, noise.frame)
        try:
            actual = read_index_mask(on_disk(job.out, name))
        except Refused as refused:
            lines.append(f"{name}: {refused.problems[0].what}")
            continue
        counts += Counter(masks=1, pixels=noise.mask.size)
        if actual.shape != noise.mask.shape:
            lines.append(f"{name}: has another size than the source's mask")
            continue
        wrong = int((actual != noise.mask).sum())
        if wrong:
            lines.append(f"{name}: {wrong} pixels differ from what is derived")
        touched = {row.object_id for row in rows if row.frame == noise.frame}
        strayed, counted = _stray_pixels(noise.clean, actual, touched)
        counts += counted
        if strayed:
            lines.append(f"{name}: {strayed} pixels changed that no touched object explains")
    if tuple(derived_rows) != rows:
        lines.append(f"{LEDGER_FILE}: the rows of {sequence.folder} differ from what is derived")
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
    for object_id in ids_in(clean):
        if not involved[object_id]:
            cut = bool((changed & (clean == object_id)).any())
            counts["untouched_cut" if cut else "untouched_whole"] += 1
    return strayed, counts
