"""What a model predicted early, for the regulariser `elr`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from reference_trainer.strategies.elr import update_target


class EarlyTargets:
    """Running averages of the chance of each pixel, for early-learning regularisation.

    Before each use, the target t of a sample becomes beta t + (1 - beta) p, from 0 for both classes
    (Liu et al., NeurIPS 2020). After n updates the two classes sum to 1 - beta^n. Pixels are
    remembered by their place, so a sample must have the same geometry each time: the same size, and
    no mirroring or cropping, unless you undo it before and after.

    Targets are float16 on the CPU, two bytes for each pixel of each sample.

    Parameters
    ----------
    memory : float in [0, 1)
        beta, the share that a target keeps in each update. The paper has 0.7 for CIFAR-10.

    Examples
    --------
    >>> from reference_trainer.losses import bce, elr
    >>> memory = EarlyTargets(0.7)
    >>> logits, labels = torch.zeros(1, 2, 2), torch.ones(1, 2, 2)
    >>> target, mass = memory.update(torch.tensor([5]), logits)
    >>> round(mass.max().item(), 2), round(target.max().item(), 2)
    (0.3, 0.15)
    >>> loss = bce(logits, labels) + 1 / 3 * elr(logits, target, mass)
    """

    def __init__(self, memory: float = 0.7) -> None:
        if not 0 <= memory < 1:
            raise ValueError(f"memory {memory} is outside [0, 1)")
        self.memory = memory
        self._targets: dict[int, Tensor] = {}
        self._showings: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._targets)

    def update(self, samples: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Update the targets of a batch with its predictions, and return them.

        Parameters
        ----------
        samples : (N,) int64
            A number of each sample, the same in every epoch. Of equal numbers the first counts.
        logits : (N, ...) float

        Returns
        -------
        target : (N, ...) float
            The average chance of the foreground.
        mass : (N, 1, ...) float
            The sum over both classes. Both are for `elr`.

        Raises
        ------
        ValueError
            If a sample has another shape than before.
        """
        renewed: set[int] = set()
        rows = logits.detach().float()
        for number, row in zip(self._list_numbers(samples, logits), rows, strict=True):
            if number in renewed:
                continue
            renewed.add(number)
            showings = self._showings.get(number, 0) + 1
            kept = self._targets.get(number, torch.zeros(())).to(row.device, torch.float32)
            mass = torch.tensor(1 - self.memory**showings, device=row.device)
            target = update_target(kept, row, mass, self.memory)
            self._targets[number] = target.to("cpu", torch.float16)
            self._showings[number] = showings
        return self.read(samples, logits)

    def read(self, samples: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the targets of a batch as `update` does; 0 for samples that never came."""
        numbers = self._list_numbers(samples, logits)
        empty = torch.zeros(logits.shape[1:])
        target = torch.stack([self._targets.get(number, empty).float() for number in numbers])
        masses = [1 - self.memory ** self._showings.get(number, 0) for number in numbers]
        mass = torch.tensor(masses).reshape(-1, *[1] * (logits.ndim - 1))
        mass = mass.to(logits.device)
        return torch.minimum(target.to(logits.device), mass), mass

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        return {"targets": dict(self._targets), "showings": dict(self._showings)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the result of `state_dict`."""
        self._targets = {number: value.clone() for number, value in state["targets"].items()}
        self._showings = dict(state["showings"])

    def _list_numbers(self, samples: Tensor, logits: Tensor) -> list[int]:
        numbers: list[int] = samples.tolist()
        if len(numbers) != len(logits):
            raise ValueError(f"{len(numbers)} numbers for {len(logits)} samples")
        for number in numbers:
            known = self._targets.get(number)
            if known is not None and known.shape != logits.shape[1:]:
                raise ValueError(
                    f"sample {number} has the shape {tuple(logits.shape[1:])}, "
                    f"but had {tuple(known.shape)}"
                )
        return numbers
