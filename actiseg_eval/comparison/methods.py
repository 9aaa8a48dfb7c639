"""The methods to compare: each has a name and one folder of predictions for each seed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from actiseg_data.core.arguments import refuse_type
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import PathLike, as_path
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


def parse_methods(texts: Sequence[str], least: int = 2, parameter: str = "methods") -> list[Method]:
    """Parse methods as the command line has them.

    Parameters
    ----------
    texts : sequence of str
        Each a folder, or ``name=folder,folder`` for the seeds of one method.
    least : int
        How many methods there must be.
    parameter : str
        The parameter that the methods are of, for messages.

    Raises
    ------
    InputError
        For fewer methods, for a method without a name or folder, for a missing folder with
        both ``/`` and ``=``, and for a name or folder that occurs twice.

    Examples
    --------
    >>> [method.name for method in parse_methods(["runs/ours", "elr=a,b,c"])]
    ['ours', 'elr']
    """
    methods = []
    problems = ProblemCollector()
    for text in texts:
        name, equals, folders = text.partition("=")
        exists = Path(text).exists()
        if equals and "/" in name and not exists:
            what = f"there is no folder {text!r}, and the name of a method cannot have a /"
            hint = "check the path, or give the method another name"
            problems.add(what, f"`{parameter}`", hint)
        if not equals or "/" in name or exists:  # a folder with = in its name
            name, runs = _name_after_folder(text), [text]
        else:
            runs = folders.split(",")
        methods.append(_make_method(name, runs, text, problems, parameter))
    return _check_methods(methods, problems, "write name=folder for each", least, parameter)


def make_methods(
    given: Mapping[str, Folders] | Iterable[Method | Path | str],
    least: int = 2,
    parameter: str = "methods",
) -> list[Method]:
    """Return the methods of a mapping from name to folder or folders, or of a list.

    A folder in a list is a method with the folder's name.

    Raises
    ------
    InputError
        As `parse_methods` does.

    Examples
    --------
    >>> make_methods({"ours": "a", "elr": ["b", "c"]})[0].name
    'ours'
    >>> make_methods(["runs/ours", "runs/elr"])[0].name
    'ours'
    """
    problems = ProblemCollector()
    methods = []
    for name, runs in _list_items(given, parameter):
        with problems.collect():
            if not isinstance(name, str):
                what = f"the name of a method must be text, not {name!r}"
                raise refuse(what, f"`{parameter}`", "give it a name")
            if isinstance(runs, (str, os.PathLike)) or not isinstance(runs, Iterable):
                runs = (runs,)
            folders = [_check_folder(run, parameter) for run in runs]
            methods.append(_make_method(name, folders, name, problems, parameter))
    hint = "give a mapping from name to folder"
    return _check_methods(methods, problems, hint, least, parameter)


def _list_items(
    given: Mapping[str, Folders] | Iterable[Method | Path | str], parameter: str
) -> Iterable[tuple[str, Folders]]:
    """List the name and the folders of each method."""
    if isinstance(given, Mapping):
        return given.items()
    if isinstance(given, (str, os.PathLike)) or not isinstance(given, Iterable):
        raise refuse_type(given, "a mapping from name to folder, or a list of folders", parameter)
    return [
        (method.name, method.runs)
        if isinstance(method, Method)
        else (_name_after_folder(_check_folder(method, parameter)), method)
        for method in given
    ]


def _check_folder(folder: PathLike, parameter: str) -> str:
    return "" if folder == "" else str(as_path(folder, parameter))


def _name_after_folder(folder: str) -> str:
    return Path(folder).name or folder


def _make_method(
    name: str, runs: list[str], text: str, problems: ProblemCollector, parameter: str
) -> Method:
    if not (name and runs and all(runs)):
        hint = "write name=folder,folder"
        problems.add(f"{text!r} lacks a name or a folder", f"`{parameter}`", hint)
    elif len({os.path.realpath(run) for run in runs}) < len(runs):
        problems.add(f"{text!r} names a folder twice", f"`{parameter}`", "give each seed once")
    return Method(escape_unprintable(name), tuple(map(Path, runs)))


def _check_methods(
    methods: list[Method], problems: ProblemCollector, hint: str, least: int, parameter: str
) -> list[Method]:
    """Return the methods. `hint` says how to give another name to a method."""
    names = [method.name for method in methods]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"two methods are called {name!r}", f"`{parameter}`", hint)
    if not problems.collected:
        _refuse_same_folders(methods, problems, parameter)
        if len(methods) < least:
            what = "there are fewer than two methods" if least == 2 else "there is no method"
            hint = "give two or more to compare" if least == 2 else "give a folder of predictions"
            problems.add(what, f"`{parameter}`", hint)
    problems.raise_if_any()
    return methods


def _refuse_same_folders(methods: list[Method], problems: ProblemCollector, parameter: str) -> None:
    """Add a problem for each folder that two methods have."""
    owners: dict[str, str] = {}
    for method in methods:
        for run in method.runs:
            owner = owners.setdefault(os.path.realpath(run), method.name)
            if owner != method.name:
                what = f"{owner!r} and {method.name!r} have the same folder {run}"
                problems.add(what, f"`{parameter}`", "give each folder once")
