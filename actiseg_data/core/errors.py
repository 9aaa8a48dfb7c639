"""Errors in the user's input: every problem at once, each with what is wrong, where, and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

_PARAMETER = re.compile(r"`(\w+)`")


@dataclass(frozen=True)
class Problem:
    """One problem with the input.

    Texts name parameters of the Python API in backticks. A command line shows the flag instead, see
    `name_parameters`.

    Attributes
    ----------
    what : str
        What is wrong, such as ``rate 1.5 is outside [0, 1]``.
    where : str
        The file, or the parameter in backticks, that has the problem.
    hint : str
        What to do about it.

    Examples
    --------
    >>> print(Problem("1.5 is outside [0, 1]", "`rate`", "give a share such as 0.4"))
    rate: 1.5 is outside [0, 1]. Hint: give a share such as 0.4
    """

    what: str
    where: str
    hint: str

    def __str__(self) -> str:
        return self.name_parameters(lambda name: name)

    def name_parameters(self, spell: Callable[[str], str], before_hint: str = " Hint: ") -> str:
        """Format the problem with every parameter spelled by a function of its name.

        >>> problem = Problem("is outside [0, 1]", "`text_rate`", "give 0.4")
        >>> problem.name_parameters(lambda name: "--" + name.replace("_", "-"))
        '--text-rate: is outside [0, 1]. Hint: give 0.4'
        """
        stop = "." if before_hint.startswith(" ") and not self.what.endswith("?") else ""
        text = f"{self.where}: {self.what}{stop}{before_hint}{self.hint}"
        return _PARAMETER.sub(lambda match: spell(match[1]), text)


class InputError(ValueError):
    """The input cannot be used. The error lists every problem, not only the first.

    Attributes
    ----------
    problems : tuple of Problem
        Each with what is wrong, where, and a hint.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        given = (problems,) if isinstance(problems, Problem) else problems
        self.problems = tuple(dict.fromkeys(given))  # repeated problems are reported once
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        # Exceptions pickle by their message by default, which would lose the list of problems.
        return type(self), (self.problems,)


class Interruption(InputError):
    """Work stopped early: a full disk, a dead process, input that changed during the run.

    Finished work is kept, and the same call resumes it.
    """


def refuse(what: str, where: Path | str, hint: str) -> InputError:
    """Build an `InputError` with one problem, for the caller to raise.

    Parameters
    ----------
    what, hint : str
        What is wrong, and what to do about it.
    where : str or Path
        The file, or the parameter in backticks, that has the problem.
    """
    return InputError(Problem(what, str(where), hint))


def find_nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names that a user may have meant by an unknown one, the likeliest first.

    Letter case does not count. A name that contains the unknown one also matches.

    >>> find_nearest("VAL_humna", ["train", "val", "val_human"])
    ['val_human']
    >>> find_nearest("mask-9", ["actiseg-nl/mask-9", "actiseg-nl/text-20"])
    ['actiseg-nl/mask-9']
    """
    import difflib  # slow to import, and rarely needed

    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    wanted = name.casefold()
    within = [text for text in folded if len(wanted) > 2 and wanted in text]
    close = difflib.get_close_matches(wanted, folded, most, _NEAR)
    return [folded[text] for text in dict.fromkeys([*within, *close])][:most]


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: a question, or nothing if no name is near.

    >>> suggest("vall", ["train", "val"])
    "; did you mean 'val'?"
    >>> suggest("x", ["train", "val"])
    ''
    """
    near = find_nearest(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def check_choice(value: str, known: Collection[str], parameter: str) -> None:
    """Raise an `InputError` if the value of a parameter is not among the known ones.

    Parameters
    ----------
    value : str
        What the caller gave.
    known : collection of str
        All values that can be given.
    parameter : str
        The parameter that the caller gave the value for.

    Examples
    --------
    >>> try:
    ...     check_choice("prommpt", ("both", "prompt"), "scope")
    ... except InputError as error:
    ...     print(error)
    scope: 'prommpt' is unknown; did you mean 'prompt'? Hint: use one of both, prompt
    """
    if value not in known:
        what = f"{value!r} is unknown{suggest(str(value), known)}"
        raise refuse(what, f"`{parameter}`", f"use one of {', '.join(known)}")


def check_known(
    names: Iterable[str],
    known: Iterable[str],
    noun: str,
    where: Path | str,
    hint: str,
    owner: str = "",
) -> None:
    """Raise an `InputError` with every name that is not among the known ones.

    Parameters
    ----------
    names : iterable of str
        What the user gave.
    known : iterable of str
        All names that can be given.
    noun : str
        What the names are names of, such as ``sequence``.
    where : str or Path
        The file or the parameter in backticks that the problem is about.
    hint : str
        What to do about it.
    owner : str
        What should have the names, if `where` does not say so, such as ``the split 'val'``.

    Examples
    --------
    >>> try:
    ...     check_known(["vall"], ["train", "val"], "split", "sample", "give a split of it")
    ... except InputError as error:
    ...     print(error)
    sample: has no split 'vall'; did you mean 'val'? Hint: give a split of it
    """
    known = list(known)
    problems = ProblemCollector()
    for name in names:
        if name not in known:
            what = f"{owner} has no {noun} {name!r}{suggest(name, known)}".lstrip()
            problems.add(what, where, hint)
    problems.raise_if_any()


_NEAR = 0.6
"""Similarity by `difflib` from which a name is suggested for another."""


class ProblemCollector:
    """Collect problems so that all of them are reported at once.

    >>> problems = ProblemCollector()
    >>> with problems.collect():
    ...     raise refuse("is missing", "train.json", "run prepare")
    >>> len(problems.collected)
    1
    """

    def __init__(self) -> None:
        self.collected: list[Problem] = []

    def add(self, what: str, where: Path | str, hint: str) -> None:
        self.collected.append(Problem(what, str(where), hint))

    def collect(self) -> _Collecting:
        """Return a context manager that catches an `InputError` and keeps its problems."""
        return _Collecting(self.collected)

    def raise_if_any(self) -> None:
        """Raise an `InputError` with all problems collected so far, if there are any."""
        if self.collected:
            raise InputError(self.collected)


class _Collecting:
    def __init__(self, collected: list[Problem]) -> None:
        self._collected = collected

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, InputError):
            self._collected.extend(error.problems)
            return True
        return False
