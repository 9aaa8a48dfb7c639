"""Is a noisy split what its recipe says? By digests alone, or derived again from the source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, suggest
from actiseg_data.core.names import check_name
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS, Split, open_split
from actiseg_data.records.ledger_record import LEDGER_FILE, read_ledger
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.consistency import (
    Documents,
    file_misfit,
    find_clutter,
    lexicon_misfit,
    misfits,
)
from actiseg_noise.split.noisy_split import read_split_recipe
from actiseg_noise.split.partial_split import find_files
from actiseg_noise.verification.reproduction import Rederivation


@dataclass(frozen=True)
class Verification:
    """What a check found.

    mismatches: one line for each thing that is not as it should be. counts: what was checked.
    clutter: what desktops and archivers left in the folder; it does not count as a mismatch.
    """

    mismatches: tuple[str, ...]
    counts: dict[str, int]
    clutter: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.mismatches


def verify(
    out: Path,
    source: Path | None = None,
    only: Iterable[str] = (),
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> Verification:
    """Check a noisy split.

    Always: every file that ``digests.json`` lists is there and decodes to its digest, masks,
    weights and lists are there that belong to the action lists and no others, and recipe, summary,
    ledger, list, words and a carried lexicon fit one another. With the source dataset: every mask,
    map of weights, list, prompt, ledger row and count is derived again from the clean data and
    compared, and objects without noise are shown to have lost pixels to touched ones only. Copied
    files are compared with the source's.

    only: sequence folders whose files are looked at, instead of all. Raises `InputError` where `out`
    is no noisy split or the source is faulty; differences are mismatches, not errors.
    """
    recipe = check_recipe(read_split_recipe(out), str(out / RECIPE_FILE))
    digests = read_digests(out / DIGESTS_FILE)
    _check_names(digests, out / DIGESTS_FILE)
    rows = list(read_ledger(out / LEDGER_FILE))
    documents = Documents(recipe, read_summary(out / SUMMARY_FILE), digests, rows)
    folders = _folders(documents.summary)
    chosen = set(only)
    wanted = chosen or folders
    _refuse_unknown(wanted, folders, out)

    files = find_files(out, digests)
    mismatches = misfits(files, documents)
    listed = [
        (name, digest)
        for name, digest in digests.items()
        if not chosen or name.startswith(f"{IMAGE_SETS}/") or name.split("/")[2] in chosen
    ]
    with stage("checking digests") as progress:
        found = run_parallel(file_misfit, files, listed, workers, progress)
    mismatches += [line for line in found if line]
    counts = Counter(files=len(listed), ledger_rows=len(rows))
    if files.respelled:
        counts["folders_respelled"] = len(files.respelled)
    other_lexicon = lexicon_misfit(out, recipe)
    if other_lexicon is not None:
        mismatches.append(other_lexicon)  # what it would derive is of no use
    elif source is not None:
        split = open_split(source, recipe.split, masks=recipe.mask_noise is not None)
        clean = () if chosen else _open_clean(source, documents)
        check = Rederivation(files, split, documents, folders, wanted, clean)
        more, counted = check.run(workers, stage)
        mismatches += more
        counts += counted
    clutter = tuple(find_clutter(out))
    return Verification(tuple(dict.fromkeys(mismatches)), dict(counts), clutter)


def _open_clean(source: Path, documents: Documents) -> tuple[Split, ...]:
    """Open the source's lists that were added to the noisy split."""
    problems = ProblemCollector()
    opened = []
    for name, kinds in documents.clean.items():
        with problems.collect():
            opened.append(open_split(source, name, masks=MASKS in kinds))
    problems.raise_if_any()
    return tuple(opened)


def _folders(summary: dict[str, Any]) -> set[str]:
    """The sequences of a noisy split, as its summary names them."""
    listed = Cursor(summary, SUMMARY_FILE)["sequences"].iterate_elements()
    return {check_name(cursor.as_text(), "sequence", cursor.where) for cursor in listed}


def _check_names(digests: dict[str, str], file: Path) -> None:
    """Refuse digests of anything but masks, weights and lists, and names that lead outside."""
    problems = ProblemCollector()
    for name in digests:
        parts = name.split("/")
        if (parts[0], len(parts)) not in ((MASKS, 4), (WEIGHTS, 4), (IMAGE_SETS, 2)):
            what = f"lists {name[:80]!r}, which is no mask, map of weights or list"
            problems.add(what, file, "make the split again")
            continue
        for part in parts:
            with problems.collect():
                check_name(part, "file", file)
    problems.raise_if_any()


def _refuse_unknown(names: set[str], folders: set[str], out: Path) -> None:
    problems = ProblemCollector()
    for name in sorted(names - folders):
        problems.add(
            f"has no sequence {name!r} with noise{suggest(name, sorted(folders))}",
            out,
            "give a folder name as in the noisy split's list",
        )
    problems.raise_if_any()
