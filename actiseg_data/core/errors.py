"""The one exception family: input that is refused, told to the person at the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what it is, where it was found, and what to do about it.

    >>> print(Problem("rate 1.5 is outside [0, 1]", "--rate", "give a share such as 0.4"))
    --rate: rate 1.5 is outside [0, 1]. Cure: give a share such as 0.4
    """

    what: str
    where: str
    cure: str

    def __str__(self) -> str:
        stop = "" if self.what.endswith("?") else "."
        return f"{self.where}: {self.what}{stop} Cure: {self.cure}"


class Refused(Exception):
    """Input was refused. Carries every problem that was found, not only the first."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = (problems,) if isinstance(problems, Problem) else problems
        self.problems = tuple(dict.fromkeys(found))  # the same problem is told once
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[Refused], tuple[tuple[Problem, ...]]]:
        # Exceptions pickle by their message by default; workers must hand the problems back whole.
        return type(self), (self.problems,)


class Interrupted(Refused):
    """Work stopped before it was whole: a full disk, a dead process, input that changed meanwhile.

    What was finished is kept, and the same command takes it up.
    """


def refuse(what: str, where: object, cure: str) -> Refused:
    """Build a `Refused` with one problem, to be raised by the caller."""
    return Refused(Problem(what, str(where), cure))


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that someone may have meant by another one, the likeliest first.

    Letter case does not count. Names that contain the given one are near as well.

    >>> nearest("VAL_humna", ["train", "val", "val_human"])
    ['val_human']
    >>> nearest("mask-9", ["actiseg-nl/mask-9", "actiseg-nl/text-20"])
    ['actiseg-nl/mask-9']
    """
    import difflib  # costs a start-up that most commands need not pay

    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(candidate.casefold(), candidate)
    wanted = name.casefold()
    within = [text for text in folded if len(wanted) > 2 and wanted in text]
    close = difflib.get_close_matches(wanted, folded, most, _NEAR)
    return [folded[text] for text in dict.fromkeys([*within, *close])][:most]


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: a question, or nothing if no name is near.

    >>> suggest("vall", ["train", "val"])
    "; did you mean 'val'?"
    >>> suggest("x", ["train", "val"])
    ''
    """
    near = nearest(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


_NEAR = 0.6
"""How alike two names must be, as `difflib` measures it, for one to be offered for the other."""


class Problems:
    """Collects problems so that all offenders are reported at once.

    >>> problems = Problems()
    >>> with problems.caught():
    ...     raise refuse("is missing", "train.json", "run prepare")
    >>> len(problems.found)
    1
    """

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, what: str, where: object, cure: str) -> None:
        self.found.append(Problem(what, str(where), cure))

    def caught(self) -> _Caught:
        """Context manager that swallows a `Refused` and keeps its problems."""
        return _Caught(self.found)

    def raise_if_any(self) -> None:
        """Raise `Refused` with all problems found so far, if there are any."""
        if self.found:
            raise Refused(self.found)


class _Caught:
    def __init__(self, found: list[Problem]) -> None:
        self._found = found

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, Refused):
            self._found.extend(error.problems)
            return True
        return False
