"""Text files that list one sequence per line, as in DAVIS, YouTube-VOS and many others."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.arguments import check_string, refuse_type
from actiseg_data.core.errors import InputError, ProblemCollector, refuse, suggest
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.names import check_name, format_name
from actiseg_data.layouts.spelling import match_names

_MOST_BYTES = 1 << 24
_MOST_SUGGESTIONS = 20
"""Most unknown lines that get a suggestion, which is slow."""
_FEW = 3
_IMAGE = re.compile(r"\.(?:png|jpe?g)$", re.IGNORECASE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class SequenceList:
    """A list of sequences.

    Attributes
    ----------
    source : str
        The file, or the parameter in backticks that has the list.
    lines : dict of str to int
        The number of the first line, from 1, of each name.
    line : str
        What messages call a line.
    """

    source: str
    lines: dict[str, int]
    line: str = "line"

    def place(self, name: str) -> str:
        """Return the line of a name, for messages."""
        return f"{self.source}: {self.line} {self.lines[name]}"

    def choose(self, known: Iterable[str]) -> frozenset[str]:
        """Choose the known sequences that are listed, also under another spelling.

        Raises
        ------
        InputError
            With every line of an unknown sequence; with one problem if a longer list has no known
            sequence.
        """
        known = list(known)
        problems = ProblemCollector()
        chosen = self._match_lines(set(known), problems)
        unknown = [name for name in self.lines if name not in chosen]
        for position, name in enumerate(unknown):
            near = suggest(name, known) if position < _MOST_SUGGESTIONS else ""
            problems.add(
                f"there is no sequence {format_name(name)!r}{near}",
                self.place(name),
                f"correct the {self.line}, or take it out",
            )
        if not any(chosen.values()) and len(problems.collected) == len(self.lines) > _FEW:
            raise self._refuse_wholly(known)
        problems.raise_if_any()
        return frozenset(filter(None, chosen.values()))

    def select(self, sequences: Iterable[VideoSequence]) -> tuple[VideoSequence, ...]:
        """Select the listed sequences, in their own order; errors as in `choose`."""
        sequences = tuple(sequences)
        chosen = self.choose(sequence.folder for sequence in sequences)
        return tuple(sequence for sequence in sequences if sequence.folder in chosen)

    def _match_lines(self, known: Set[str], problems: ProblemCollector) -> dict[str, str | None]:
        """Match each line to a known sequence, or to None if it is ambiguous, which is a problem.

        One sequence may be listed under several spellings.
        """
        chosen: dict[str, str | None] = {}
        lacking = list(self.lines)
        while lacking:
            matches = match_names(lacking, known)
            chosen.update(matches.names)
            for name in [name for clash in matches.clashes for name in clash.wanted]:
                alone = match_names([name], known)
                alone.add_clashes(self.place(name), problems)
                chosen[name] = alone.names.get(name)
            if not matches.names and not matches.clashes:
                break
            lacking = [name for name in lacking if name not in chosen]
        return chosen

    def _refuse_wholly(self, known: list[str]) -> InputError:
        listed, existing = (
            ", ".join(map(format_name, list(names)[:_FEW])) for names in (self.lines, known)
        )
        return refuse(
            f"none of the {len(self.lines)} listed sequences exists (listed: {listed}; existing: "
            f"{existing or 'none'})",
            self.source,
            "list existing sequences, or give the folder that has the listed ones",
        )


def read_sequence_list(path: Path) -> SequenceList:
    """Read a list of sequences.

    A line is a name; or, as in DAVIS 2016, the paths of a frame and its mask, whose folder is the
    name. Blank lines and lines that begin with ``#`` are ignored, and names may repeat. The text is
    UTF-8, or UTF-16 with a byte order mark.

    Raises
    ------
    InputError
        If the file is missing, is not text or has no name; with every name that is unsafe as a
        folder.
    """
    problems = ProblemCollector()
    lines: dict[str, int] = {}
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            with problems.collect():
                name = check_name(parse_sequence(text), "sequence", f"{path}: line {number}")
                lines.setdefault(name, number)
    problems.raise_if_any()
    if not lines:
        raise refuse("lists no sequence", path, "write the name of one sequence on each line")
    return SequenceList(str(path), lines)


def list_sequences(names: Iterable[str], parameter: str) -> SequenceList:
    """Return the list of sequences that a caller gave as the value of a parameter.

    Raises
    ------
    InputError
        If the names are not a list of texts, or if there is none.
    """
    if not isinstance(names, Iterable):
        raise refuse_type(names, "a path or a list of names", parameter)
    lines: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        lines.setdefault(check_string(name, parameter), number)
    if not lines:
        raise refuse("lists no sequence", f"`{parameter}`", "give the names of sequences")
    return SequenceList(f"`{parameter}`", lines, "name")


def parse_sequence(line: str) -> str:
    """Parse the name of the sequence from a line of a list.

    >>> parse_sequence("/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png")
    'bear'
    >>> parse_sequence("00000012_P01_01_take_board:cutting")
    '00000012_P01_01_take_board:cutting'
    """
    text = line.replace("\\", "/")
    if "/" not in text:
        return text
    parts = [part for part in text.split()[-1].split("/") if part]
    if len(parts) > 1 and _IMAGE.search(parts[-1]):
        parts.pop()
    return parts[-1] if parts else text


def _read_text(path: Path) -> str:
    data = read_bytes(path, "list of sequences", _MOST_BYTES)
    if data.lstrip()[:1] in (b"[", b"{"):
        raise refuse(
            "is a JSON document",
            path,
            "give a text file with one sequence a line; an action list is a `split` of its root",
        )
    try:
        return data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("is not UTF-8 text", path, "write one sequence a line, as UTF-8") from None
