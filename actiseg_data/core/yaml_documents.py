"""YAML documents from outside: bounded, and read as texts, lists and mappings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.names import format_name

MAX_YAML_DEPTH = 100
"""Deepest nesting of a YAML document. The deepest real one has 5 levels."""


def read_yaml(path: Path, kind: str, hint: str, max_bytes: int) -> Any:
    """Read a YAML document in which every scalar is a text.

    YAML would otherwise read ``no`` as false and ``010`` as eight. Tags are ignored.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What the file is, for messages.
    hint : str
        What to give instead of a file that is no such document.
    max_bytes : int
        Largest file that is read.

    Raises
    ------
    InputError
        If the file is missing, too large or not YAML in UTF-8; if it has an alias or nests too
        deeply, which would take a parser minutes; with every repeated key.
    """
    import yaml

    data = read_bytes(path, kind, max_bytes)
    try:
        text = data.decode()
        _check_events(text, path, hint)
        node = yaml.compose(text, yaml.BaseLoader)
        problems = ProblemCollector()
        document = _convert_node(node, path, problems)
    except UnicodeDecodeError:
        raise refuse("is not UTF-8 text", path, hint) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        what = getattr(error, "problem", None) or "unreadable"
        raise refuse(f"is not valid YAML{place}: {what}", path, "correct it") from None
    problems.raise_if_any()
    return document


def _check_events(text: str, path: Path, hint: str) -> None:
    """Refuse aliases and deep nesting."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise refuse("has an alias (*)", path, "write out its value")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_YAML_DEPTH:
            raise refuse("nests too deeply", path, hint)


def _convert_node(node: Any, path: Path, problems: ProblemCollector) -> Any:
    """Return the texts, lists and mappings of a YAML node. Repeated keys are problems."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return [_convert_node(child, path, problems) for child in node.value]
    if not isinstance(node, yaml.MappingNode):
        return "" if node is None else node.value
    members: dict[str, Any] = {}
    for key, value in node.value:
        where = f"{path}: line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode):
            problems.add("a key is not text", where, "write name: value")
        elif key.value in members:
            problems.add(f"the key {format_name(key.value)!r} occurs twice", where, "keep one")
        else:
            members[key.value] = _convert_node(value, path, problems)
    return members
