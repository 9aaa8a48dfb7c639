"""The name of a run: what it was trained on, how, and with which seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunName:
    """The name of a run.

    Attributes
    ----------
    arm, cell, method, variant : str
    fold, seed : int
    """

    arm: str
    cell: str
    method: str
    variant: str
    fold: int
    seed: int

    def __str__(self) -> str:
        method = f"{self.method}@{self.variant}" if self.variant else self.method
        fold = f" fold {self.fold}" if self.fold else ""
        return f"{self.arm} {self.cell} {method}{fold} seed {self.seed}"

    @property
    def name(self) -> RunName:
        """The name alone, of a run that has more."""
        return RunName(self.arm, self.cell, self.method, self.variant, self.fold, self.seed)

    @property
    def order(self) -> tuple[str, str, str, str, int, int]:
        """The place of the run in lists."""
        return (self.arm, self.cell, self.method, self.variant, self.fold, self.seed)
