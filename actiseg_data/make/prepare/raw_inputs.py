"""The raw files that a split was prepared from, as its report lists them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import Cursor, collect_valid, read_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import check_name, refuse_value
from actiseg_data.layouts.actionvos import SUBSETS
from actiseg_data.make.prepare.staging import name_report

_SHA256 = re.compile(r"[0-9a-f]{64}")

ROLES = (
    *("annotations", "frame_mapping", "narrations"),
    *("noun_classes", "human_labels", "hos_corrections"),
)
"""The parameters of `prepare_visor` that take raw files."""


@dataclass(frozen=True)
class RawInput:
    """A raw file that the clean dataset was prepared from.

    Attributes
    ----------
    role : str
        The parameter of `prepare_visor` that takes the file, such as ``annotations``.
    name : str
        Name of the file, without folder and without ``.gz``.
    sha256 : str
        Of its content, uncompressed: 64 hexadecimal digits.
    split : str
        The split of VISOR that was prepared: ``train`` or ``val``.
    """

    role: str
    name: str
    sha256: str
    split: str = "val"

    def to_dict(self) -> dict[str, str]:
        """Return the file as in ``prepare-<split>.json``, which has the split in its own name."""
        return {"role": self.role, "name": self.name, "sha256": self.sha256}


def name_raw_file(path: Path) -> str:
    """Return the name of a raw file, without ``.gz``.

    >>> name_raw_file(Path("visor/val/P01_107.json.gz"))
    'P01_107.json'
    """
    return path.name[: -len(".gz")] if path.suffix.lower() == ".gz" else path.name


def list_raw_inputs(
    split: str, role: str, paths: Iterable[Path], digests: Mapping[Path, str]
) -> tuple[RawInput, ...]:
    """List the files of one role, with the digests that `record_digests` recorded."""
    return tuple(RawInput(role, name_raw_file(path), digests[path], split) for path in paths)


def parse_raw_input(cursor: Cursor, split: str) -> RawInput:
    """Parse a raw file of a report or kit; an unsafe name or bad digest raises an `InputError`."""
    role, digest = cursor["role"].as_text(), cursor["sha256"].as_text()
    if role not in ROLES:
        raise refuse_value(f"one of {', '.join(ROLES)}", role, cursor["role"].where)
    if not _SHA256.fullmatch(digest):
        raise refuse_value("64 hexadecimal digits", digest, cursor["sha256"].where)
    name = check_name(cursor["name"].as_text(), "file", cursor["name"].where)
    return RawInput(role, name, digest, split)


def read_prepared_inputs(root: Path, split: str) -> tuple[RawInput, ...]:
    """Read the raw files that a split of an ActionVOS root was prepared from.

    A human-labelled list such as ``val_human`` belongs to the report of the split that it was
    prepared with.

    Returns
    -------
    tuple of RawInput
        Empty if no report lists them: the root was not prepared here, an earlier release prepared
        it, or the list was made in another way.

    Raises
    ------
    InputError
        If a report is damaged.
    """
    for prepared in SUBSETS:
        path = root / name_report(prepared)
        if not path.is_file():
            continue
        report = Cursor(read_json(path, "report"), str(path))
        lists = [entry["name"].as_text() for entry in report["lists"].iterate_elements()]
        if split not in (prepared, *lists) or "inputs" not in report:
            continue
        problems = ProblemCollector()
        inputs: list[RawInput] = collect_valid(
            list(report["inputs"].iterate_elements()),
            lambda cursor, prepared=prepared: parse_raw_input(cursor, prepared),
            problems,
        )
        problems.raise_if_any()
        return tuple(inputs)
    return ()
