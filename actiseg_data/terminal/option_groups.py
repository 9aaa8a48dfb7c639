"""Groups of command-line options: dataclasses that a command takes as one parameter each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, get_type_hints


def expand_options(
    **groups: type[Any],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a decorator that shows typer the fields of dataclasses as options of a command.

    Parameters
    ----------
    **groups : dataclass
        Names of the command's parameters, and the dataclasses that they take. The fields are
        annotated as typer options.

    Returns
    -------
    callable
        The decorator. The decorated command takes the fields instead of the dataclasses.

    Examples
    --------
    >>> from dataclasses import make_dataclass
    >>> @expand_options(strength=make_dataclass("Strength", [("radius", float, 1.0)]))
    ... def draw(strength, seed: int = 0) -> None:
    ...     print(strength, seed)
    >>> list(inspect.signature(draw).parameters)
    ['radius', 'seed']
    >>> draw(radius=2.0, seed=3)
    Strength(radius=2.0) 3
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**values: Any) -> None:
            for name, group in groups.items():
                members = {field.name: values.pop(field.name) for field in fields(group)}
                values[name] = group(**members)
            command(**values)

        signature = inspect.signature(command, eval_str=True)
        expanded = list(_expand_parameters(signature, groups))
        run.__signature__ = inspect.Signature(expanded)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in expanded}
        return run

    return decorate


def _expand_parameters(
    signature: inspect.Signature, groups: Mapping[str, type[Any]]
) -> Iterator[inspect.Parameter]:
    for parameter in signature.parameters.values():
        if parameter.name not in groups:
            yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        group = groups[parameter.name]
        hints = get_type_hints(group, include_extras=True)
        for field in fields(group):
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
