"""Problems and notes as text for the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from actiseg_data.core.errors import InputError

MOST_LINES = 400
"""Most problems or mismatches that are printed; long lists are mostly of one kind."""


_SPELLINGS = {
    "a": "A",
    "b": "B",
    "dataset": "DATASET",
    "methods": "METHODS",
    "noisy": "NOISY",
    "noise": "--type",
    "predictions": "PREDS",
    "run": "RUN",
    "runs": "RUNS",
    "settings": "--set",
}
"""Parameters of the Python API that the commands spell in another way, such as arguments."""


def spell_flag(parameter: str) -> str:
    """Spell a parameter of the Python API as a flag or argument of the command line.

    >>> spell_flag("text_rate"), spell_flag("dataset")
    ('--text-rate', 'DATASET')
    """
    return _SPELLINGS.get(parameter) or f"--{parameter.replace('_', '-')}"


def print_problems(error: InputError, spellings: Mapping[str, str] | None = None) -> None:
    """Print problems to standard error; at most `MOST_LINES`, then the number of the rest.

    `spellings` has the parameters that are spelled otherwise than by `spell_flag`.
    """

    def spell(parameter: str) -> str:
        return (spellings or {}).get(parameter) or spell_flag(parameter)

    for problem in error.problems[:MOST_LINES]:
        print("error:", problem.name_parameters(spell, "\n  hint: "), file=sys.stderr)
    if len(error.problems) > MOST_LINES:
        print(f"... and {len(error.problems) - MOST_LINES} more", file=sys.stderr)
    if len(error.problems) > 1:
        print(f"{len(error.problems)} problems; nothing was written", file=sys.stderr)


def print_note(text: str) -> None:
    """Print a paragraph to standard output.

    On a terminal it is wrapped between words, each line with the indentation of the text. A word
    that is longer than a line, such as a path, stays whole.
    """
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console

    indent = text[: len(text) - len(text.lstrip())]
    for line in wrap_words(text, Console().width - len(indent)):
        print(f"{indent}{line}")


def wrap_words(text: str, width: int) -> list[str]:
    """Wrap text into lines of at most `width` cells; a wider word has its own line, unbroken.

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
