"""PMHM's regions at random places: a control of its choice of pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from actiseg_data.core.keys import draw_uniforms, make_key
from reference_trainer.batch import Batch, Progress
from reference_trainer.strategies.trusted_regions import Regions

_ALGORITHM = 1


def shuffle_regions(regions: Regions, batch: Batch, progress: Progress) -> Regions:
    """Shuffle the pixels of each prompt, over the frames whose masks are learned.

    Both regions are shuffled alike. So each keeps its size in each prompt, and both overlap as much
    as before. Keys of the seed, the step and each (sequence, object, frame) decide the order.

    Parameters
    ----------
    regions : Regions
        Of (B, K, T, h, w).
    batch : Batch
    progress : Progress

    Returns
    -------
    Regions
    """
    ranks = _draw_ranks(batch, regions.stable.shape[-2:], progress).to(regions.stable.device)
    is_unit = batch.unit_mask[..., None, None].expand_as(regions.stable).flatten(2)
    ranks = torch.where(is_unit, ranks.flatten(2), torch.inf)
    sources = ranks.argsort(dim=-1, stable=True)
    targets = (~is_unit).to(torch.uint8).argsort(dim=-1, stable=True)

    def shuffle(region: Tensor) -> Tensor:
        flat = region.flatten(2)
        return flat.scatter(-1, targets, flat.gather(-1, sources)).view_as(region)

    return Regions(stable=shuffle(regions.stable), uncertain=shuffle(regions.uncertain))


def _draw_ranks(batch: Batch, grid: tuple[int, ...], progress: Progress) -> Tensor:
    """Draw a number for each pixel of the units that are learned: (B, K, T, h, w) float64."""
    unit_ids = torch.where(batch.unit_mask, batch.unit_ids, -1).cpu().numpy()
    ranks = np.zeros((*unit_ids.shape, *grid))
    for place in zip(*np.nonzero(unit_ids >= 0), strict=True):
        unit = int(unit_ids[place])
        key = make_key(progress.seed, _ALGORITHM, "strategy.pmhm.regions", progress.step, unit)
        ranks[place] = draw_uniforms(key, grid[0] * grid[1]).reshape(grid)
    return torch.from_numpy(ranks)
