"""Problems and notes as text for the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from actiseg_data.core.errors import InputError

if TYPE_CHECKING:
    pass


MOST_LINES = 400
"""Problems or mismatches that are printed: nobody reads more, and many are mostly of one kind."""


_ARGUMENTS = {"dataset": "DATASET", "predictions": "PREDS"}
"""Parameters of the Python API that the commands take as positional arguments."""


def spell_flag(parameter: str) -> str:
    """Spell a parameter of the Python API as a command line has it.

    >>> spell_flag("text_rate"), spell_flag("dataset")
    ('--text-rate', 'DATASET')
    """
    return _ARGUMENTS.get(parameter) or f"--{parameter.replace('_', '-')}"


def print_problems(error: InputError) -> None:
    """Print all problems to standard error; of very many, the first and how many more there are."""
    for problem in error.problems[:MOST_LINES]:
        print("error:", problem.name_parameters(spell_flag, "\n  hint: "), file=sys.stderr)
    if len(error.problems) > MOST_LINES:
        print(f"... and {len(error.problems) - MOST_LINES} more", file=sys.stderr)
    if len(error.problems) > 1:
        print(f"{len(error.problems)} problems, nothing was made", file=sys.stderr)


def print_note(text: str) -> None:
    """A line of running text on standard output.

    A terminal gets it wrapped between words, each line with the blanks that the text begins with. A
    word that is longer than a line, such as a path, stays whole.
    """
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console

    indent = text[: len(text) - len(text.lstrip())]
    for line in wrap_words(text, Console().width - len(indent)):
        print(f"{indent}{line}")


def wrap_words(text: str, width: int) -> list[str]:
    """Lines of at most so many cells; a wider word has a line of its own, unbroken.

    >>> wrap_words("one two three", 7)
    ['one two', 'three']
    """
    from rich.cells import cell_len

    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
