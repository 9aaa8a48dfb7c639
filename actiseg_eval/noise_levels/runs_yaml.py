"""Read runs from a YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.names import (
    check_name,
    check_text,
    format_name,
)
from actiseg_data.core.yaml_documents import read_yaml
from actiseg_eval.noise_levels.noise_runs import (
    LABELS,
    NoiseRuns,
    make_runs,
    parse_level,
    refuse_mixed_levels,
)

_KEYS = ("truth", "split", "sequences", "baseline", "frozen", "methods", LABELS)
_MAX_BYTES = 1 << 16
_KIND, _HINT = "file of runs", "give a YAML file of methods and levels, or a folder of runs"


def read_yaml_runs(path: Path, baseline: str | None) -> NoiseRuns:
    """Read runs from a YAML file. Its paths are relative to the file."""
    document = Cursor(read_yaml(path, _KIND, _HINT, _MAX_BYTES), str(path))
    problems = ProblemCollector()
    for name in document.as_mapping():
        if name not in _KEYS:
            what = f"the key {format_name(name)!r} is unknown{suggest(name, _KEYS)}"
            problems.add(what, path, f"keys: {', '.join(_KEYS)}")
    methods = _read_methods(document, path, problems)
    labels: dict[float, Path] = {}
    if LABELS in document:
        with problems.collect():
            for level, cursor in _iterate_levels(document[LABELS], problems):
                with problems.collect():
                    labels[level] = path.parent / _read_text(cursor)
    frozen: tuple[Path, ...] = ()
    if "frozen" in document:
        frozen = _read_folders(document["frozen"], path.parent, problems)
    texts: dict[str, str] = {}
    for name in ("truth", "split", "sequences", "baseline"):
        if name in document:
            with problems.collect():
                texts[name] = _read_text(document[name])
    if "split" in texts:
        for part in texts["split"].split("/"):  # a list of DAVIS may have its year
            with problems.collect():
                check_name(part, "split", f"{path}: split")
    named = (baseline, "`baseline`")
    if baseline is None:
        named = (texts.get("baseline"), f"{path}: baseline")
    return replace(
        make_runs(path, methods, labels, named, problems),
        frozen=frozen,
        truth=path.parent / texts["truth"] if "truth" in texts else None,
        split=texts.get("split"),
        sequences=path.parent / texts["sequences"] if "sequences" in texts else None,
    )


def _read_methods(
    document: Cursor, path: Path, problems: ProblemCollector
) -> dict[str, dict[float, tuple[Path, ...]]]:
    methods: dict[str, dict[float, tuple[Path, ...]]] = {}
    with problems.collect():
        for name, levels in document["methods"].iterate_members():
            with problems.collect():
                check_text(name, levels.where)
                if not name.strip():
                    raise refuse("a method has no name", levels.where, "give it one")
                methods[name] = {
                    level: _read_folders(cursor, path.parent, problems)
                    for level, cursor in _iterate_levels(levels, problems)
                }
    with problems.collect():
        levelled = [levels for _, levels in document["methods"].iterate_members()]
        levelled += [document[LABELS]] if LABELS in document else []
        keys = (key for levels in levelled for key, _ in levels.iterate_members())
        refuse_mixed_levels(keys, path, problems)
    return methods


def _read_text(cursor: Cursor) -> str:
    text = cursor.as_text()
    if not text.strip():
        raise refuse("is empty", cursor.where, "fill it in, or remove the key")
    return text


def _iterate_levels(levels: Cursor, problems: ProblemCollector) -> Iterator[tuple[float, Cursor]]:
    """Yield the members of a mapping by level. Add a problem for every key that is not a level."""
    known: set[float] = set()
    for key, cursor in levels.iterate_members():
        level = parse_level(key)
        if level is None:
            what = f"{format_name(key)!r} is not a noise level"
            problems.add(what, levels.where, "write clean, 0, 0.2, r0.2 or 20%")
        elif level in known:
            what = f"the level {level:g} occurs twice"
            problems.add(what, cursor.where, "list its seeds: [a, b]")
        else:
            known.add(level)
            yield level, cursor


def _read_folders(cursor: Cursor, base: Path, problems: ProblemCollector) -> tuple[Path, ...]:
    """Return the folders of a level: one text, or a list with one for each seed."""
    if not isinstance(cursor.value, (str, list)):
        problems.add(
            "must be a folder of predictions, or a list with one for each seed",
            cursor.where,
            "write one folder, or [folder, folder]",
        )
        return ()
    has_seeds = isinstance(cursor.value, list)
    if has_seeds and not cursor.value:
        problems.add("has no folder", cursor.where, "give one for each seed")
    folders = []
    for text in cursor.iterate_elements() if has_seeds else (cursor,):
        with problems.collect():
            folders.append(base / _read_text(text))
    return tuple(folders)
