"""Find the words of a text that changed."""

from __future__ import annotations

import difflib


def compare_words(old: str, new: str) -> list[tuple[str, bool]]:
    """Split the new text into pieces, each with whether its words differ from the old text.

    Examples
    --------
    >>> compare_words("knife used in cut apple", "bread knife used in cut apple")
    [('bread', True), ('knife used in cut apple', False)]
    >>> compare_words("cut apple", "cut apple")
    [('cut apple', False)]
    """
    before, after = old.split(), new.split()
    pieces = []
    for kind, _, _, start, end in difflib.SequenceMatcher(None, before, after, False).get_opcodes():
        if end > start:
            pieces.append((" ".join(after[start:end]), kind != "equal"))
    return pieces


def mark_changes(old: str, new: str, mark: str = "[{}]") -> str:
    """Return the new text with its changed words marked.

    Examples
    --------
    >>> mark_changes("take two carrots", "take two onions")
    'take two [onions]'
    """
    return " ".join(
        mark.format(piece) if differs else piece for piece, differs in compare_words(old, new)
    )
