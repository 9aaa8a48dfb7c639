"""The methods to compare: each has a name and one folder of predictions for each seed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import escape_unprintable

Folders: TypeAlias = "Path | str | Iterable[Path | str]"
"""The folder of a method's predictions, or one for each seed."""


@dataclass(frozen=True)
class Method:
    """A method to compare.

    Attributes
    ----------
    name : str
        The name in tables.
    runs : tuple of Path
        Folders of predictions, one for each seed.
    """

    name: str
    runs: tuple[Path, ...]


def parse_methods(texts: Sequence[str]) -> list[Method]:
    """Parse methods as the command line has them.

    Parameters
    ----------
    texts : sequence of str
        Each a folder, or ``name=folder,folder`` for the seeds of one method.

    Raises
    ------
    InputError
        For fewer than two methods, for a method without a name or folder, and for a name or folder
        that occurs twice.

    Examples
    --------
    >>> [method.name for method in parse_methods(["runs/ours", "elr=a,b,c"])]
    ['ours', 'elr']
    """
    methods = []
    problems = ProblemCollector()
    for text in texts:
        name, equals, folders = text.partition("=")
        if not equals or "/" in name or Path(text).exists():  # a folder with = in its name
            name, runs = Path(text).name or text, [text]
        else:
            runs = folders.split(",")
        methods.append(_make_method(name, runs, text, problems))
    return _check_methods(methods, problems)


def make_methods(given: Mapping[str, Folders] | Sequence[Method]) -> list[Method]:
    """Return the methods of a mapping from name to folder or folders, or check a list of methods.

    Raises
    ------
    InputError
        As `parse_methods` does.

    Examples
    --------
    >>> make_methods({"ours": "a", "elr": ["b", "c"]})[0].name
    'ours'
    """
    problems = ProblemCollector()
    if not isinstance(given, Mapping):
        return _check_methods(list(given), problems)
    methods = []
    for name, runs in given.items():
        places = [runs] if isinstance(runs, (str, Path)) else list(runs)
        methods.append(_make_method(name, [str(place) for place in places], name, problems))
    return _check_methods(methods, problems)


def _make_method(name: str, runs: list[str], text: str, problems: ProblemCollector) -> Method:
    if not (name and runs and all(runs)):
        hint = "write name=folder,folder"
        problems.add(f"{text!r} lacks a name or a folder", "`methods`", hint)
    elif len({os.path.realpath(run) for run in runs}) < len(runs):
        problems.add(f"{text!r} names a folder twice", "`methods`", "give each seed once")
    return Method(escape_unprintable(name), tuple(map(Path, runs)))


def _check_methods(methods: list[Method], problems: ProblemCollector) -> list[Method]:
    names = [method.name for method in methods]
    for name in sorted({name for name in names if names.count(name) > 1}):
        hint = "write name=folder for each"
        problems.add(f"two methods are called {name!r}", "`methods`", hint)
    if len(methods) < 2:
        problems.add("there are fewer than two methods", "`methods`", "give two or more to compare")
    problems.raise_if_any()
    return methods
