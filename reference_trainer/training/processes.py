"""Several processes that train one net: each computes a part of every batch.

`torchrun` starts the processes. Each has the same batches and nets, and computes the logits of its
own sequences. All get the logits of the whole batch, so that every process computes the same loss,
and a strategy sees and remembers the same as in one process. Each gradient is the sum over the
processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from actiseg_data.core.errors import refuse
from reference_trainer.batch import Output
from reference_trainer.network.model import SegmentationModel


@dataclass(frozen=True)
class Processes:
    """The processes of a run.

    Attributes
    ----------
    rank : int
        Number of this process, from 0. The first one writes all files.
    count : int
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def select_rows(self, size: int) -> slice:
        """Return the rows of a batch that this process computes.

        The last processes may have none.

        >>> [Processes(rank, 2).select_rows(5) for rank in (0, 1)]
        [slice(0, 3, None), slice(3, 5, None)]
        """
        share = -(-size // self.count)
        return slice(min(self.rank * share, size), min((self.rank + 1) * share, size))

    def gather_rows(self, rows: Tensor, size: int) -> Tensor:
        """Gather the rows of all processes: (n, ...) to (size, ...).

        Only the own rows have a gradient.
        """
        share = -(-size // self.count)
        padded = rows.new_zeros(share, *rows.shape[1:])
        padded[: len(rows)] = rows.detach()
        blocks = [torch.empty_like(padded) for _ in range(self.count)]
        dist.all_gather(blocks, padded)
        whole = torch.cat(blocks)[:size]
        own = self.select_rows(size)
        return torch.cat([whole[: own.start], rows, whole[own.stop :]])

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the processes; none if no process has one."""
        if self.count == 1:
            return
        values = [value for value in parameters if value.requires_grad]
        gradients = [
            torch.zeros_like(value) if value.grad is None else value.grad for value in values
        ]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        has_gradient = torch.tensor(
            [float(value.grad is not None) for value in values], device=flat.device
        )
        dist.all_reduce(flat)
        dist.all_reduce(has_gradient)
        parts = flat.split([value.numel() for value in values])
        for value, part, is_used in zip(values, parts, has_gradient.tolist(), strict=True):
            value.grad = part.view_as(value) if is_used else None

    def sum_numbers(self, number: float) -> float:
        """Return the sum of a number over the processes."""
        if self.count == 1:
            return number
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        total = torch.tensor([number], dtype=torch.float64, device=device)
        dist.all_reduce(total)
        return float(total)

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.sum_numbers(0)


ALONE = Processes()
"""One process that nothing is shared with."""


def join_processes(device: str) -> Processes:
    """Join the processes that `torchrun` started; without it there is one.

    Parameters
    ----------
    device : str
        Of the configuration. With a GPU the processes use NCCL, else gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    if not dist.is_initialized():
        uses_gpu = device != "cpu" and torch.cuda.is_available()
        dist.init_process_group("nccl" if uses_gpu else "gloo")
    return Processes(dist.get_rank(), dist.get_world_size())


def choose_own_device(device: str, processes: Processes) -> str:
    """Return the device of this process: with several processes, each has a GPU of its own."""
    if processes.count == 1 or device not in ("auto", "cuda") or not torch.cuda.is_available():
        return device
    return f"cuda:{os.environ.get('LOCAL_RANK', processes.rank)}"


def refuse_strategy(name: str, heads: int, processes: Processes) -> None:
    """Raise an error if a strategy cannot be shared between processes.

    The robust heads of PMHM look at the features of the whole batch.
    """
    if processes.count > 1 and heads:
        raise refuse(
            f"{name} with robust heads trains in one process, not in {processes.count}",
            "`strategy`",
            "start it without torchrun, or give another strategy",
        )


class SharedModel(SegmentationModel):
    """A model of which each process computes the logits of its own sequences.

    The output is that of the whole batch. Its parameters are those of a `SegmentationModel`.
    """

    processes = ALONE

    def forward(self, frames: Tensor, tokens: Tensor) -> Output:
        """Compute all logits of frames (B, T, 3, H, W) and tokens (B, K, L)."""
        size = len(frames)
        own = self.processes.select_rows(size)
        count = own.stop - own.start
        # A process without a sequence computes one for nothing, since layers refuse empty batches.
        rows = own if count else slice(0, 1)
        output = super().forward(frames[rows], tokens[rows])
        masks = self.processes.gather_rows(output.masks[:count], size)
        return Output(
            masks=masks,
            activity=self.processes.gather_rows(output.activity[:count], size),
            robust=masks.new_zeros(0, *masks.shape),
            robust_activity=masks.new_zeros(0, *masks.shape[:2]),
        )
