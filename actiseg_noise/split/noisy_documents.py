"""The documents of a noisy split, and the kinds of files that they announce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import check_name, refuse_value
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.dataset_opening import is_recorded
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LabelRow,
    LedgerRow,
    MaskRow,
    TextRow,
    read_ledger,
)
from actiseg_data.records.recipe_record import ACTIVITY, CLASS, Recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise.split.clean_parts import CleanPart

DERIVED, COPIED = "derived", "copied"
"""How masks or weights got into a split: made for it, or copied from the source."""

LABEL_THRESHOLDS = {kind: f"{kind}_threshold" for kind in (ACTIVITY, CLASS)}
"""The members of the summary with the thresholds of exact noise in labels, by kind."""

THRESHOLDS = ("threshold", "object_thresholds", "text_thresholds", *LABEL_THRESHOLDS.values())
"""All members of the summary with thresholds of exact noise."""

GIVEN_THRESHOLDS = "given_thresholds"
"""The member of the summary of a part of an exact split: its thresholds are those of the whole
split, and cannot be computed from the part."""


@dataclass(frozen=True)
class SplitDocuments:
    """The documents of a noisy split.

    Attributes
    ----------
    recipe : Recipe
        The checked ``recipe.json``.
    summary : dict
        The ``summary.json``.
    digests : dict of str to str
        The ``digests.json``: digests by relative path.
    rows : list of LedgerRow
        The rows of ``ledger.jsonl``.
    """

    recipe: Recipe
    summary: dict[str, Any]
    digests: dict[str, str]
    rows: list[LedgerRow]

    @property
    def mask_rows(self) -> list[MaskRow]:
        """The ledger's rows for masks."""
        return [row for row in self.rows if isinstance(row, MaskRow)]

    @property
    def outline_rows(self) -> list[MaskRow]:
        """The ledger's rows for outlines of objects."""
        return [row for row in self.mask_rows if not row.is_whole]

    @property
    def object_rows(self) -> list[MaskRow]:
        """The ledger's rows for whole objects."""
        return [row for row in self.mask_rows if row.is_whole]

    @property
    def text_rows(self) -> list[TextRow]:
        """The ledger's rows for text."""
        return [row for row in self.rows if isinstance(row, TextRow)]

    @property
    def label_rows(self) -> list[LabelRow]:
        """The ledger's rows for labels."""
        return [row for row in self.rows if isinstance(row, LabelRow)]

    def group_label_rows(self, kind: str) -> dict[str, tuple[LabelRow, ...]]:
        """Group the ledger's rows for labels of one kind by sequence folder."""
        rows: dict[str, tuple[LabelRow, ...]] = {}
        for row in self.label_rows:
            if row.kind == kind:
                rows[row.sequence] = (*rows.get(row.sequence, ()), row)
        return rows

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of files, besides lists, that the noisy split has."""
        kinds = _list_kinds(self.summary)
        if self.recipe.changes_masks and MASKS not in kinds:
            return MASKS, *kinds  # early summaries had this member for copied masks only
        return kinds

    @property
    def clean(self) -> dict[str, tuple[str, ...]]:
        """The clean lists that were added to the copy, and the kinds of files that they have."""
        if "with_clean" not in self.summary:
            return {}
        cursor = Cursor(self.summary["with_clean"], f"{SUMMARY_FILE}: with_clean")
        return {
            check_name(name, "split", entry.where): _list_kinds(entry.as_mapping())
            for name, entry in cursor.iterate_members()
        }

    @property
    def given_thresholds(self) -> dict[str, Any] | None:
        """The thresholds of an exact recipe that its source does not decide; None otherwise."""
        if self.summary.get(GIVEN_THRESHOLDS) is not True:
            return None
        return parse_thresholds(Cursor(self.summary, SUMMARY_FILE))

    @property
    def folders(self) -> set[str]:
        """The sequence folders that the summary lists."""
        listed = Cursor(self.summary, SUMMARY_FILE)["sequences"].iterate_elements()
        return {check_name(cursor.as_text(), "sequence", cursor.where) for cursor in listed}

    def read_section(self, name: str) -> Mapping[str, Any]:
        """Return a member of the summary that is a mapping, or an empty one."""
        section = self.summary.get(name)
        return section if isinstance(section, Mapping) else {}

    def open_parts(self, out: Path) -> tuple[CleanPart, ...]:
        """Open the noisy split on disk and its clean lists.

        Raises
        ------
        InputError
            With every list that cannot be opened.
        """
        problems = ProblemCollector()
        parts = []
        for name, kinds in {self.recipe.split: self.kinds, **self.clean}.items():
            with problems.collect():
                split = open_split(out, name, masks=MASKS in kinds)
                parts.append(CleanPart(split, split.sequences, kinds))
        problems.raise_if_any()
        return tuple(parts)


def parse_thresholds(cursor: Cursor) -> dict[str, Any]:
    """Parse the thresholds of an exact recipe among the members of an object.

    Raises
    ------
    InputError
        If a threshold is not a number, or if those for text are not two numbers.
    """
    thresholds: dict[str, Any] = {}
    for name in ("threshold", *LABEL_THRESHOLDS.values()):
        if name in cursor:
            thresholds[name] = cursor[name].as_number()
    if "object_thresholds" in cursor:
        thresholds["object_thresholds"] = {
            kind: number.as_number()
            for kind, number in cursor["object_thresholds"].iterate_members()
        }
    if "text_thresholds" in cursor:
        pair = [element.as_number() for element in cursor["text_thresholds"].iterate_elements()]
        if len(pair) != 2:
            raise refuse_value("two numbers", pair, cursor["text_thresholds"].where)
        thresholds["text_thresholds"] = pair
    return thresholds


def read_documents(out: Path, recipe: Recipe) -> SplitDocuments:
    """Read the documents of a noisy split. `recipe` is the checked one of the split."""
    digests = read_digests(out / DIGESTS_FILE)
    _check_names(digests, out / DIGESTS_FILE, is_action=not is_recorded(out))
    rows = list(read_ledger(out / LEDGER_FILE))
    return SplitDocuments(recipe, read_summary(out / SUMMARY_FILE), digests, rows)


def _list_kinds(members: Mapping[str, Any]) -> tuple[str, ...]:
    """List the kinds of files that a summary, or its entry for a clean list, announces."""
    kinds = ((MASKS, "masks"), (WEIGHTS, "weights"))
    return tuple(kind for kind, member in kinds if members.get(member) in (DERIVED, COPIED))


_ACTION_FILES = ((MASKS, 4), (WEIGHTS, 4), (IMAGE_SETS, 2))
"""The top folders of the files of an ActionVOS root, and the parts of their relative paths."""


def _check_names(digests: dict[str, str], file: Path, *, is_action: bool) -> None:
    """Refuse paths that do not name a mask, a weight map or a list, or that lead outside."""
    problems = ProblemCollector()
    for name in digests:
        parts = name.split("/")
        if is_action and (parts[0], len(parts)) not in _ACTION_FILES:
            what = f"lists {name[:80]!r}, which is not a mask, weight map or list"
            problems.add(what, file, "make the split again")
            continue
        for part in parts:
            with problems.collect():
                check_name(part, "file", file)
    problems.raise_if_any()
