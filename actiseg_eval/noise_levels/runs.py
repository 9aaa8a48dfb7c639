"""Which runs there are: methods, levels of noise, seeds; told by a YAML file, or by folders' names.

::

    methods:                                    RUNS/plain/clean/
      plain:                                    RUNS/plain/0.2_s1/
        0: preds/plain                          RUNS/plain/0.2_s2/
        0.2: [preds/plain_s1, preds/plain_s2]   RUNS/labels/0.2/
    labels:
      0.2: noisy/boundary_r0.2
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.listing import list_folders, list_possible_folders
from actiseg_data.core.validation import (
    Cursor,
    check_name,
    check_text,
    format_name,
    format_names,
    read_bytes,
    refuse_missing,
)

LABELS = "labels"
"""What the noisy copies that methods learnt from are called, beside the methods."""

PLAIN = "plain"
"""The method that others are held against where none is named and one is called so."""

_KEYS = ("truth", "split", "sequences", "baseline", "methods", LABELS)
_MOST_BYTES = 1 << 16
_MOST_LEVELS = 100  # of nesting; a file of runs needs five
_NUMBER = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_LEVEL = rf"clean|r?{_NUMBER}|{_NUMBER}%"
_FOLDER = re.compile(rf"({_LEVEL})(?:_s([0-9]{{1,9}}))?")
_WRITE = "write clean, 0, 0.2, r0.2 or 20%"


@dataclass(frozen=True)
class Runs:
    """Predictions of several methods at several levels of noise.

    where: the file or folder that tells of them. methods: by name, by ascending level, one place of
    predictions for each seed. labels: by ascending level, the noisy copy that was learnt from.
    baseline: the method that others are held against. truth, split: what was predicted; sequences:
    the list of those to score; None where that is not told.
    """

    where: Path
    methods: Mapping[str, Mapping[float, tuple[Path, ...]]]
    labels: Mapping[float, Path]
    baseline: str
    truth: Path | None = None
    split: str | None = None
    sequences: Path | None = None

    @property
    def each(self) -> list[tuple[str, float, Path]]:
        """Method, level and place of every run."""
        return [
            (method, level, run)
            for method, levels in self.methods.items()
            for level, runs in levels.items()
            for run in runs
        ]


def parse_level(text: str) -> float | None:
    """The level of noise that a text means; None where it means none.

    >>> [parse_level(text) for text in ("clean", "0.2", "r0.2", "20%", "low")]
    [0.0, 0.2, 0.2, 0.2, None]
    """
    if not re.fullmatch(_LEVEL, text):
        return None
    if text == "clean":
        return 0.0
    return round(float(text[:-1]) / 100, 9) if text.endswith("%") else float(text.lstrip("r"))


def read_runs(path: Path, baseline: str | None = None) -> Runs:
    """The runs that a YAML file or a folder tells of.

    baseline: the name of a method; by default as the file says, else `PLAIN`, else the first.
    Raises `InputError` with everything that is wrong: unknown keys, other types, levels or folders
    that stand there twice, folders that are not there, methods with fewer than two levels.
    """
    return _from_folder(path, baseline) if path.is_dir() else _from_file(path, baseline)


def _from_file(path: Path, baseline: str | None) -> Runs:
    top = Cursor(_read_yaml(path), str(path))
    problems = ProblemCollector()
    for name in top.mapping():
        if name not in _KEYS:
            what = f"the key {format_name(name)!r} is unknown{suggest(name, _KEYS)}"
            problems.add(what, path, f"keys: {', '.join(_KEYS)}")
    methods: dict[str, dict[float, tuple[Path, ...]]] = {}
    labels: dict[float, Path] = {}
    texts: dict[str, str] = {}
    with problems.collect():
        for name, levels in top["methods"].members():
            with problems.collect():
                check_text(name, levels.where)
                if not name.strip():
                    raise refuse("a method has no name", levels.where, "give it one")
                methods[name] = {
                    level: _places(of, path.parent, problems)
                    for level, of in _by_level(levels, problems)
                }
    with problems.collect():
        every = [*(levels for _, levels in top["methods"].members()), *_members(top, LABELS)]
        _refuse_mixed((key for levels in every for key, _ in levels.members()), path, problems)
    if LABELS in top:
        with problems.collect():
            for level, of in _by_level(top[LABELS], problems):
                with problems.collect():
                    labels[level] = path.parent / _text(of)
    for name in ("truth", "split", "sequences", "baseline"):
        if name in top:
            with problems.collect():
                texts[name] = _text(top[name])
    if "split" in texts:
        for part in texts["split"].split("/"):  # a list of DAVIS may have its year
            with problems.collect():
                check_name(part, "split", f"{path}: split")
    truth = path.parent / texts["truth"] if "truth" in texts else None
    sequences = path.parent / texts["sequences"] if "sequences" in texts else None
    named = (baseline, "--baseline")
    if baseline is None:
        named = (texts.get("baseline"), f"{path}: baseline")
    found = _checked(path, methods, labels, named, problems)
    return replace(found, truth=truth, split=texts.get("split"), sequences=sequences)


def _members(top: Cursor, name: str) -> list[Cursor]:
    return [top[name]] if name in top else []


def _refuse_mixed(texts: Iterable[str], where: object, problems: ProblemCollector) -> None:
    """Adds a problem where 20 % and 20 stand side by side: one is a hundred times the other."""
    levels = {text: parse_level(text) for text in texts}
    large = [text for text, level in levels.items() if "%" not in text and (level or 0) > 1]
    if large and any("%" in text for text in levels):
        problems.add(
            f"levels are percentages and numbers above 1 ({large[0]})", where, "write all one way"
        )


def _text(cursor: Cursor) -> str:
    text = cursor.text()
    if not text.strip():
        raise refuse("is empty", cursor.where, "fill it in, or take the key out")
    return text


def _by_level(levels: Cursor, problems: ProblemCollector) -> Iterator[tuple[float, Cursor]]:
    """The members of a mapping whose keys are levels; problems of the others are added."""
    seen: set[float] = set()
    for key, of in levels.members():
        level = parse_level(key)
        if level is None:
            problems.add(f"{format_name(key)!r} is no level of noise", levels.where, _WRITE)
        elif level in seen:
            problems.add(
                f"the level {level:g} stands there twice", of.where, "list its seeds: [a, b]"
            )
        else:
            seen.add(level)
            yield level, of


def _places(cursor: Cursor, base: Path, problems: ProblemCollector) -> tuple[Path, ...]:
    """The places of a level's predictions: a text, or a list of them."""
    found = []
    if isinstance(cursor.value, (str, list)):
        several = isinstance(cursor.value, list)
        for each in cursor.elements() if several else (cursor,):
            with problems.collect():
                found.append(base / _text(each))
        if several and not cursor.value:
            problems.add("has no folder", cursor.where, "give one for each seed")
    else:
        problems.add(
            "must be a folder of predictions, or a list of one for each seed",
            cursor.where,
            "write level: folder, or level: [folder, folder]",
        )
    return tuple(found)


def _read_yaml(path: Path) -> Any:
    """A YAML document in which every scalar is a text, so that none is taken for something else:
    ``no`` for false, ``010`` for eight.
    """
    import yaml

    data = read_bytes(path, "file of runs", _MOST_BYTES)
    try:
        text = data.decode()
        _check_events(text, path)
        node = yaml.compose(text, yaml.BaseLoader)
        problems = ProblemCollector()
        plain = _plain(node, path, problems)
    except UnicodeDecodeError:
        raise refuse("is no UTF-8 text", path, "give a YAML file, or a folder of runs") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        what = getattr(error, "problem", None) or "unreadable"
        raise refuse(f"is no valid YAML{place}: {what}", path, "correct it") from None
    problems.raise_if_any()
    return plain


def _check_events(text: str, path: Path) -> None:
    """Refuse aliases and deep nesting, which would take a parser minutes."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise refuse("holds an alias (*)", path, "write out what it stands for")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MOST_LEVELS:
            raise refuse("nests too deeply", path, "give a YAML file of methods and levels")


def _plain(node: Any, path: Path, problems: ProblemCollector) -> Any:
    """The texts, lists and mappings of a YAML node; keys that stand there twice are problems."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, path, problems) for each in node.value]
    if not isinstance(node, yaml.MappingNode):
        return "" if node is None else node.value
    members: dict[str, Any] = {}
    for key, value in node.value:
        where = f"{path}: line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            problems.add("a key is no text", where, "write name: value")
        elif key.value in members:
            problems.add(
                f"the key {format_name(key.value)!r} stands there twice", where, "keep one"
            )
        else:
            members[key.value] = _plain(value, path, problems)
    return members


def _from_folder(root: Path, baseline: str | None) -> Runs:
    problems = ProblemCollector()
    methods: dict[str, dict[float, tuple[Path, ...]]] = {}
    labels: dict[float, Path] = {}
    for folder in (entry.path for entry in list_possible_folders(root)):
        with problems.collect():
            name = check_name(folder.name, "method", root)
            found = _levels_of(folder, problems)
            if name == LABELS:
                for level, seeds in found.items():
                    if len(seeds) > 1:
                        problems.add(
                            f"has several copies of the level {level:g}", folder, "keep one"
                        )
                    labels[level] = next(iter(seeds.values()))
            else:
                methods[name] = {
                    level: tuple(seeds[seed] for seed in sorted(seeds))
                    for level, seeds in found.items()
                }
    names = [path.name for folder in list_folders(root) for path in list_folders(folder.path)]
    matches = map(_FOLDER.fullmatch, names)
    _refuse_mixed((match[1] for match in matches if match), root, problems)
    return _checked(root, methods, labels, (baseline, "--baseline"), problems)


def _levels_of(folder: Path, problems: ProblemCollector) -> dict[float, dict[int, Path]]:
    """The folders of a method by level and seed; -1 for one without a seed."""
    found: dict[float, dict[int, Path]] = {}
    unknown = []
    for path in (entry.path for entry in list_possible_folders(folder)):
        match = _FOLDER.fullmatch(path.name)
        level = parse_level(match[1]) if match else None
        if match is None or level is None:
            unknown.append(path.name)
            continue
        seed = int(match[2] or -1)
        if seed in found.setdefault(level, {}):
            problems.add(
                f"has the level {level:g} twice: {found[level][seed].name} and {path.name}",
                folder,
                "end the names of seeds in _s1, _s2",
            )
        found[level][seed] = path
    if unknown:
        problems.add(
            f"holds {format_names(unknown)}, no level of noise",
            folder,
            "give a folder of <method>/<level>/, levels named clean, 0.2, r0.2 or 20%, of several "
            "seeds 0.2_s1; or a YAML file",
        )
    return found


def _checked(
    where: Path,
    methods: dict[str, dict[float, tuple[Path, ...]]],
    labels: dict[float, Path],
    baseline: tuple[str | None, str],
    problems: ProblemCollector,
) -> Runs:
    """The runs; `InputError` where something is wrong, with the problems that are known already.

    baseline: its name and where that stands.
    """
    if not problems.collected:  # else one that was refused would be missed
        _refuse_few(where, methods, problems)
    if LABELS in methods:
        problems.add(f"a method is called {LABELS!r}", where, "call it something else")
    name, told = baseline
    if name is not None and name not in methods:
        known = ", ".join(map(format_name, methods)) or "none"
        what = f"there is no method {format_name(name)!r}{suggest(name, methods)}"
        problems.add(what, told, f"use one of {known}")
    if name is None:
        name = PLAIN if PLAIN in methods else next(iter(methods), PLAIN)
    found = Runs(
        where=where,
        methods={method: dict(sorted(of.items())) for method, of in methods.items()},
        labels=dict(sorted(labels.items())),
        baseline=name,
    )
    _check_places(found, problems)
    problems.raise_if_any()
    return found


def _check_places(runs: Runs, problems: ProblemCollector) -> None:
    seen: dict[str, str] = {}
    copies = [(LABELS, level, copy) for level, copy in runs.labels.items()]
    for method, level, place in (*runs.each, *copies):
        here = f"{method} at {level:g}"
        real = os.path.realpath(place)
        if real in seen:
            problems.add(
                f"is named twice: for {seen[real]}, and for {here}", place, "give each run once"
            )
        elif not (place.is_dir() or (method != LABELS and place.is_file())):
            missing = refuse_missing(place, f"is not there, for {here}", "check the path")
            problems.collected += missing.problems
        seen[real] = here


def _refuse_few(
    where: Path, methods: dict[str, dict[float, tuple[Path, ...]]], problems: ProblemCollector
) -> None:
    if not methods:
        problems.add(
            "tells of no method", where, "put predictions at <method>/<level>/, or give a YAML file"
        )
    for method, levels in methods.items():
        if len(levels) < 2:
            told = ", ".join(f"{level:g}" for level in levels) or "none"
            problems.add(
                f"{method} has fewer than two levels ({told})",
                where,
                "add another, or leave it out",
            )
