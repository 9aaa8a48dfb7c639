"""Read plans: those of the package by name, and the user's own from YAML files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from actiseg_data.core.documents import Cursor, check_keys, check_schema, collect_valid
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
_ROOT_KEYS = ("root", "split", "parts", "take", "clips")
_SYNTHETIC_KEYS = ("clips", "videos", "seed", "split")
_METHOD_KEYS = ("tune", "control")
"""What a method has beside settings of the run."""

_TUNING_KEYS = ("arm", "cells", "seed", "figure")
_PRIMARY_KEYS = ("arm", "cells", "methods")

T = TypeVar("T")


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
    parsed = _PlanParser().parse_plan(path.stem, top)
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


class _PlanParser:
    """Parses all parts of a plan, and collects what is wrong in them."""

    def __init__(self) -> None:
        self._problems = ProblemCollector()

    def parse_plan(self, name: str, top: Cursor) -> Plan:
        """Parse a plan. Raise an `InputError` with all unknown keys and wrong types in it."""
        with self._problems.collect():
            check_keys(top, _PLAN_KEYS, self._problems)
        methods = self._parse_members(top, "methods", self._parse_method)
        no_seeds: tuple[int, ...] = ()
        plan = Plan(
            name=name,
            about=self._parse(top, "about", Cursor.as_text, ""),
            seeds=tuple(sorted(self._parse(top, "seeds", _parse_numbers, no_seeds))),
            arms=self._parse_members(
                top, "arms", lambda key, member: self._parse_arm(key, member, methods)
            ),
            cells=self._parse_members(top, "cells", self._parse_cell),
            methods=methods,
            tuning=self._parse_optional(top, "tuning", self._parse_tuning, None),
            primary=self._parse_optional(top, "primary", self._parse_primary, None),
            figures=self._parse(top, "figures", _parse_names, ()),
            names=self._parse_optional(top, "names", self._parse_texts, {}),
        )
        self._problems.raise_if_any()
        return plan

    def _parse(self, cursor: Cursor, name: str, read: Callable[[Cursor], T], fallback: T) -> T:
        """Parse a member; return `fallback` if it is missing or wrong."""
        with self._problems.collect():
            return read(cursor[name])
        return fallback

    def _parse_optional(
        self, cursor: Cursor, name: str, read: Callable[[Cursor], T], default: T
    ) -> T:
        is_given = isinstance(cursor.value, dict) and name in cursor
        return self._parse(cursor, name, read, default) if is_given else default

    def _parse_members(
        self, cursor: Cursor, name: str, read: Callable[[str, Cursor], T]
    ) -> dict[str, T]:
        """Parse each member of a mapping that has the names of its members as keys."""
        parsed: dict[str, T] = {}
        with self._problems.collect():
            for key, member in cursor[name].iterate_members():
                with self._problems.collect():
                    parsed[key] = read(key, member)
        return parsed

    def _parse_texts(self, cursor: Cursor) -> dict[str, str]:
        texts = {}
        for name, member in cursor.iterate_members():
            with self._problems.collect():
                texts[name] = member.as_text()
        return texts

    def _parse_arm(self, name: str, cursor: Cursor, methods: Mapping[str, PlannedMethod]) -> Arm:
        check_keys(cursor, _ARM_KEYS, self._problems)
        with self._problems.collect():
            check_keys(cursor["data"], SPLITS, self._problems)
        nothing: Settings = {}
        start = dict(self._parse(cursor, "start", _parse_settings, nothing))
        start_arm = start.pop("arm", None)
        return Arm(
            name=name,
            about=self._parse(cursor, "about", Cursor.as_text, ""),
            data=self._parse_members(cursor, "data", lambda _, member: self._parse_source(member)),
            folds=self._parse_optional(cursor, "folds", Cursor.as_integer, 1),
            start_arm=None if start_arm is None else str(start_arm),
            start_settings=start,
            settings=self._parse(cursor, "settings", _parse_settings, nothing),
            cells=self._parse_members(
                cursor, "cells", lambda _, member: _parse_methods(member, methods)
            ),
        )

    def _parse_source(self, cursor: Cursor) -> Source:
        is_root = "root" in cursor
        check_keys(cursor, _ROOT_KEYS if is_root else _SYNTHETIC_KEYS, self._problems)
        if not is_root:
            return SyntheticSource(
                clips=self._parse(cursor, "clips", Cursor.as_integer, 1),
                videos=self._parse(cursor, "videos", Cursor.as_integer, 1),
                seed=self._parse(cursor, "seed", Cursor.as_integer, 0),
                split=self._parse_optional(cursor, "split", Cursor.as_text, "train"),
            )
        no_limit: int | None = None
        return RootSource(
            root=self._parse(cursor, "root", Cursor.as_text, ""),
            split=self._parse(cursor, "split", Cursor.as_text, ""),
            parts=self._parse_optional(cursor, "parts", Cursor.as_integer, 1),
            take=self._parse_optional(cursor, "take", _parse_numbers, (0,)),
            clips=self._parse_optional(cursor, "clips", Cursor.as_integer, no_limit),
        )

    def _parse_cell(self, name: str, cursor: Cursor) -> Cell:
        noise = {}
        for arm, member in cursor.iterate_members():
            if arm != "about":
                with self._problems.collect():
                    noise["" if arm == "noise" else arm] = _parse_settings(member)
        return Cell(name, self._parse_optional(cursor, "about", Cursor.as_text, ""), noise)

    def _parse_method(self, name: str, cursor: Cursor) -> PlannedMethod:
        settings = {} if cursor.value is None else dict(_parse_settings(cursor))
        own = Cursor(settings.copy(), cursor.where)
        for key in _METHOD_KEYS:
            settings.pop(key, None)
        return PlannedMethod(
            name=name,
            settings=settings,
            knob=self._parse_optional(own, "tune", self._parse_knob, ()),
            control=self._parse_optional(own, "control", Cursor.as_flag, False),
        )

    def _parse_knob(self, cursor: Cursor) -> tuple[Settings, ...]:
        values = list(cursor.iterate_elements())
        numbered = [
            Cursor(item.value, f"{cursor.where} {number}") for number, item in enumerate(values, 1)
        ]
        return tuple(collect_valid(numbered, _parse_settings, self._problems))

    def _parse_tuning(self, cursor: Cursor) -> Tuning:
        check_keys(cursor, _TUNING_KEYS, self._problems)
        return Tuning(
            arm=self._parse(cursor, "arm", Cursor.as_text, ""),
            cells=self._parse(cursor, "cells", _parse_names, ()),
            seed=self._parse(cursor, "seed", Cursor.as_integer, 0),
            figure=self._parse(cursor, "figure", Cursor.as_text, ""),
        )

    def _parse_primary(self, cursor: Cursor) -> PrimaryFamily:
        check_keys(cursor, _PRIMARY_KEYS, self._problems)
        return PrimaryFamily(
            arm=self._parse(cursor, "arm", Cursor.as_text, ""),
            cells=self._parse(cursor, "cells", self._parse_texts, {}),
            methods=self._parse(cursor, "methods", _parse_names, ()),
        )


def _parse_numbers(cursor: Cursor) -> tuple[int, ...]:
    return tuple(item.as_integer() for item in cursor.iterate_elements())


def _parse_names(cursor: Cursor) -> tuple[str, ...]:
    return tuple(item.as_text() for item in cursor.iterate_elements())


def _parse_methods(cursor: Cursor, methods: Mapping[str, PlannedMethod]) -> tuple[str, ...]:
    """Parse the methods of a cell: a list, or `_ALL`, alone or in a list."""
    names = (_ALL,) if cursor.value == _ALL else _parse_names(cursor)
    return tuple(methods) if names == (_ALL,) else names


def _parse_settings(cursor: Cursor) -> Settings:
    if "options" in cursor:
        cursor["options"].as_mapping()
    return dict(cursor.as_mapping())
