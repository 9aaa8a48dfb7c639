"""Build a configuration from values by name, and check their types."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, asdict, fields, replace
from typing import Any

from actiseg_data.core.errors import InputError, Problem, ProblemCollector, suggest
from reference_trainer.config.old_names import translate_old_names
from reference_trainer.config.run_config import Config


def make_config(
    values: Mapping[str, Any], where: str, places: Mapping[str, str] | None = None
) -> Config:
    """Build a configuration with absolute paths and every option of its strategy.

    Parameters
    ----------
    values : mapping of str to value
        Settings by name; names of earlier releases are accepted, see `OLD_NAMES`.
    where : str
        Source of the values, for error messages.
    places : mapping of str to str, optional
        Sources of single settings, by name, if they differ.

    Raises
    ------
    InputError
        If settings are unknown, missing or of the wrong type, or if there is no such encoder,
        strategy or option. The error lists as many problems as possible.

    Examples
    --------
    >>> config = make_config({"dataset": "d", "epochs": 3}, "test")
    >>> config.epochs, config.options
    (3, {'mask': 2.0, 'dice': 5.0, 'activity': 2.0})
    """
    # These import torch, which `Config` alone does not need.
    from reference_trainer.network.encoder_loading import resolve_encoder_name
    from reference_trainer.strategies import choose_warm_up, resolve_options

    values, _ = translate_old_names(values, where)
    with _name_sources(where, places or {}):
        problems = ProblemCollector()
        accepted = _check_types(values, problems)
        with problems.collect():
            accepted["encoder"] = resolve_encoder_name(accepted.get("encoder", Config.encoder))
        for name in ("dataset", "noisy", "noise", "init"):
            if "\0" in (accepted.get(name) or ""):
                problems.add(f"{accepted[name]!r} is not a path", f"`{name}`", "correct it")
            elif accepted.get(name) is not None:
                accepted[name] = os.path.realpath(accepted[name])
        problems.raise_if_any()
        config = Config(**accepted)
        options = config.options
        if config.init is not None:
            options = {**choose_warm_up(config.strategy, config.epochs), **options}
        return replace(config, options=asdict(resolve_options(config.strategy, options)))


@contextmanager
def _name_sources(where: str, places: Mapping[str, str]) -> Iterator[None]:
    """Let the problems of settings name the source of the setting: a file, or a parameter."""
    try:
        yield
    except InputError as error:
        raise InputError(
            _name_source(problem, where, places) for problem in error.problems
        ) from None


def _name_source(problem: Problem, where: str, places: Mapping[str, str]) -> Problem:
    name = problem.where.strip("`")
    place = places.get(name, where)
    if problem.where in (name, place):  # not a setting, or a setting that is its own source
        return problem
    names_setting = problem.what.startswith("there is no ")
    what = problem.what if names_setting else f"{name} {problem.what}"
    return Problem(what, place, problem.hint)


def _check_types(values: Mapping[str, Any], problems: ProblemCollector) -> dict[str, Any]:
    """Return the values whose name and type are right, and collect a problem for all others."""
    kinds = typing.get_type_hints(Config)
    known = {field.name: field for field in fields(Config)}
    accepted: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            what = f"there is no setting {name!r}{suggest(name, known)}"
            problems.add(what, f"`{name}`", f"use {', '.join(known)}")
            continue
        value = _parse_number(value) if kinds[name] is float else value
        if not _has_type(value, kinds[name]):
            problems.add(f"is {value!r}", f"`{name}`", f"give {_name_type(kinds[name])}")
        else:
            accepted[name] = value
    for name, setting in known.items():
        required = setting.default is MISSING and setting.default_factory is MISSING
        if required and name not in values:
            problems.add("is missing", f"`{name}`", "add it")
    return accepted


def _has_type(value: Any, kind: Any) -> bool:
    if isinstance(kind, types.UnionType):
        return any(_has_type(value, option) for option in typing.get_args(kind))
    if typing.get_origin(kind) is not None:
        return isinstance(value, dict) and all(isinstance(name, str) for name in value)
    return type(value) is kind


def _parse_number(value: Any) -> Any:
    """Convert whole numbers to float, and text such as 1e-3, which YAML does not parse."""
    if type(value) is int or isinstance(value, str):
        with suppress(ValueError, OverflowError):
            return float(value)
    return value


def _name_type(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_name_type(option) for option in typing.get_args(kind))
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return names.get(kind, "nothing" if kind is type(None) else "values by name")
