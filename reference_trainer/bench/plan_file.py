"""Read plans: those of the package by name, and the user's own from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import Cursor, check_keys, check_schema
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.manifests import PACKAGE, find_installed
from actiseg_data.core.yaml_documents import read_yaml
from reference_trainer.bench.plan import (
    SPLITS,
    Arm,
    Cell,
    Plan,
    PlannedMethod,
    PrimaryFamily,
    RootSource,
    Settings,
    Source,
    SyntheticSource,
    Tuning,
)
from reference_trainer.bench.plan_checks import check_plan

PLAN_SCHEMA = "actiseg/bench-plan/1"

_FOLDER = "bench"
_MAX_BYTES = 1 << 20
_ALL = "all"
"""In a list of methods: every method of the plan."""

_PLAN_KEYS = (
    *("schema", "about", "seeds", "figures", "arms", "cells", "methods", "tuning", "primary"),
    "names",
)
_ARM_KEYS = ("about", "data", "folds", "start", "settings", "cells")


def list_plans() -> list[str]:
    """List the names of the plans of the package.

    >>> "quick" in list_plans()
    True
    """
    from importlib import resources

    files = (resources.files(PACKAGE) / _FOLDER).iterdir()
    return sorted(Path(file.name).stem for file in files if file.name.endswith(".yaml"))


def load_plan(plan: str | Path) -> Plan:
    """Load a plan and check everything that it names.

    Parameters
    ----------
    plan : str or Path
        The name of a plan of the package, or the path of a file that ends in ``.yaml``.

    Raises
    ------
    InputError
        If there is no such plan; with all unknown names and values in it.

    Examples
    --------
    >>> load_plan("quick").seeds
    (0, 1, 2)
    """
    path = Path(plan)
    if path.suffix not in (".yaml", ".yml"):
        known = list_plans()
        if str(plan) not in known:
            what = f"there is no plan {str(plan)!r}{suggest(str(plan), known)}"
            raise refuse(what, "`plan`", f"use {', '.join(known)}, or the path of a .yaml file")
        path = find_installed(f"{_FOLDER}/{plan}.yaml")
    text = read_yaml(path, "plan", "see docs/bench.md for the format", _MAX_BYTES)
    top = Cursor(_resolve_scalars(text), str(path))
    check_schema(top, PLAN_SCHEMA)
    parsed = _parse_plan(path.stem, top)
    check_plan(parsed, str(path))
    return parsed


def _resolve_scalars(value: Any) -> Any:
    """Read the texts of a YAML document as numbers, truth values and texts."""
    import yaml

    if isinstance(value, dict):
        return {name: _resolve_scalars(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_resolve_scalars(member) for member in value]
    try:
        read = float(value) if _is_exponent(value) else yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return read if read is None or isinstance(read, (bool, int, float)) else value


def _is_exponent(text: str) -> bool:
    """Whether a text is a number such as 5e-4, which YAML takes for a text."""
    mantissa, sign, exponent = text.partition("e")
    digits = mantissa.replace(".", "", 1).isdigit()
    return bool(sign) and digits and exponent.lstrip("+-").isdigit()


def _parse_plan(name: str, top: Cursor) -> Plan:
    problems = ProblemCollector()
    check_keys(top, _PLAN_KEYS, problems)
    problems.raise_if_any()
    methods = {key: _parse_method(key, member) for key, member in top["methods"].iterate_members()}
    return Plan(
        name=name,
        about=top["about"].as_text(),
        seeds=tuple(item.as_integer() for item in top["seeds"].iterate_elements()),
        arms={
            key: _parse_arm(key, member, methods) for key, member in top["arms"].iterate_members()
        },
        cells={key: _parse_cell(key, member) for key, member in top["cells"].iterate_members()},
        methods=methods,
        tuning=_parse_tuning(top["tuning"]) if "tuning" in top else None,
        primary=_parse_primary(top["primary"]) if "primary" in top else None,
        figures=_parse_names(top["figures"]),
        names={key: member.as_text() for key, member in _get_mapping(top, "names").items()},
    )


def _get_mapping(cursor: Cursor, name: str) -> dict[str, Cursor]:
    """Return the members of an optional mapping."""
    return dict(cursor[name].iterate_members()) if name in cursor else {}


def _parse_names(cursor: Cursor) -> tuple[str, ...]:
    return tuple(item.as_text() for item in cursor.iterate_elements())


def _parse_settings(cursor: Cursor) -> Settings:
    if "options" in cursor:
        cursor["options"].as_mapping()
    return dict(cursor.as_mapping())


def _parse_arm(name: str, cursor: Cursor, methods: Mapping[str, PlannedMethod]) -> Arm:
    problems = ProblemCollector()
    check_keys(cursor, _ARM_KEYS, problems)
    check_keys(cursor["data"], SPLITS, problems)
    problems.raise_if_any()
    start = dict(_parse_settings(cursor["start"]))
    start_arm = start.pop("arm", None)
    cells = {}
    for cell, members in cursor["cells"].iterate_members():
        names = [_ALL] if members.value == _ALL else list(_parse_names(members))
        cells[cell] = tuple(methods) if names == [_ALL] else tuple(names)
    return Arm(
        name=name,
        about=cursor["about"].as_text(),
        data={key: _parse_source(member) for key, member in cursor["data"].iterate_members()},
        folds=cursor["folds"].as_integer() if "folds" in cursor else 1,
        start_arm=None if start_arm is None else str(start_arm),
        start_settings=start,
        settings=_parse_settings(cursor["settings"]),
        cells=cells,
    )


def _parse_source(cursor: Cursor) -> Source:
    problems = ProblemCollector()
    is_root = "root" in cursor
    known = ("root", "split", "parts", "take", "clips") if is_root else ("clips", "videos", "seed")
    check_keys(cursor, (*known, "split"), problems)
    problems.raise_if_any()
    if not is_root:
        return SyntheticSource(
            clips=cursor["clips"].as_integer(),
            videos=cursor["videos"].as_integer(),
            seed=cursor["seed"].as_integer(),
            split=cursor["split"].as_text() if "split" in cursor else "train",
        )
    return RootSource(
        root=cursor["root"].as_text(),
        split=cursor["split"].as_text(),
        parts=cursor["parts"].as_integer() if "parts" in cursor else 1,
        take=(
            tuple(item.as_integer() for item in cursor["take"].iterate_elements())
            if "take" in cursor
            else (0,)
        ),
        clips=cursor["clips"].as_integer() if "clips" in cursor else None,
    )


def _parse_cell(name: str, cursor: Cursor) -> Cell:
    members = dict(cursor.iterate_members())
    about = members.pop("about").as_text() if "about" in members else ""
    noise = {
        "" if arm == "noise" else arm: _parse_settings(member) for arm, member in members.items()
    }
    return Cell(name, about, noise)


def _parse_method(name: str, cursor: Cursor) -> PlannedMethod:
    settings = {} if cursor.value is None else dict(_parse_settings(cursor))
    knob = settings.pop("tune", [])
    control = settings.pop("control", False)
    values = Cursor(knob, f"{cursor.where}: tune")
    return PlannedMethod(
        name=name,
        settings=settings,
        knob=tuple(_parse_settings(item) for item in values.iterate_elements()),
        control=Cursor(control, f"{cursor.where}: control").as_flag(),
    )


def _parse_tuning(cursor: Cursor) -> Tuning:
    return Tuning(
        arm=cursor["arm"].as_text(),
        cells=_parse_names(cursor["cells"]),
        seed=cursor["seed"].as_integer(),
        figure=cursor["figure"].as_text(),
    )


def _parse_primary(cursor: Cursor) -> PrimaryFamily:
    return PrimaryFamily(
        arm=cursor["arm"].as_text(),
        cells={name: member.as_text() for name, member in cursor["cells"].iterate_members()},
        methods=_parse_names(cursor["methods"]),
    )
