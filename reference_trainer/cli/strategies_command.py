"""The command `actiseg-train strategies`."""

from __future__ import annotations

from reference_trainer.cli.trainer_arguments import require_torch


def list_strategies() -> None:
    """List the strategies with their sources and options."""
    require_torch()
    from dataclasses import fields

    from reference_trainer.strategies import STRATEGIES

    first_control = next(name for name, info in STRATEGIES.items() if info.is_control)
    for name, info in STRATEGIES.items():
        if name == first_control:
            print("Controls, which a method must beat:")
        released = " [also --arithmetic released]" if info.released else ""
        print(f"{name}: {info.summary}{released}")
        print(f"  source: {info.source}")
        defaults = info.options()
        values = (f"{field.name}={getattr(defaults, field.name)}" for field in fields(info.options))
        print(f"  options: {', '.join(values)}")
    print("next: actiseg-train fit DATASET --strategy NAME --set options.KEY=VALUE --out run")
