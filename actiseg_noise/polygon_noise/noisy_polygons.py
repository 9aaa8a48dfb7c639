"""What every kind of polygon noise returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.polygons import SUBPIXEL
from actiseg_noise.mask_noise.calibration import TOLERANCE, Strength
from actiseg_noise.polygon_noise.lattice_polygons import list_polygons, snap_region
from actiseg_noise.polygon_noise.polygon_regions import (
    EntityRegion,
    FloatArray,
    Region,
    measure_area,
    measure_iou,
)


@dataclass(frozen=True)
class NoisyPolygons:
    """The noisy polygons of one entity.

    Attributes
    ----------
    polygons : tuple of ndarray
        (N, 2) float64 x, y in multiples of 1/16 pixel, N >= 3, in the image. Each is simple; filled
        even-odd, they give the noisy region. None if the clean polygons stay as they are.
    iou : float
        IoU of the noisy and the clean region, in the image.
    area_ratio : float
        Area of the noisy region relative to the clean one.
    status : str
        As in `actiseg_noise.mask_noise.noisy_outline.NoisyOutline`.
    details : mapping
        Values for the ledger: ``radius``, the pixels by which the outline moved, and
        ``correlation_length`` of jitter.
    is_repaired : bool
        Whether noisy rings crossed after they were snapped, so that they were taken apart.
    """

    polygons: tuple[FloatArray, ...] | None
    iou: float
    area_ratio: float
    status: str
    details: Mapping[str, Any]
    is_repaired: bool = False


def keep_clean(status: str = "short", **details: Any) -> NoisyPolygons:
    """Return the result for an entity that keeps its clean polygons."""
    return NoisyPolygons(None, 1.0, 1.0, status, {"radius": 0.0, **details})


def finish_region(
    clean: EntityRegion,
    sources: tuple[FloatArray, ...],
    noisy: Region,
    level: int,
    status: str,
) -> NoisyPolygons:
    """Snap a noisy region and list its polygons.

    Parameters
    ----------
    clean : EntityRegion
        The clean region.
    sources : tuple of ndarray
        The clean polygons.
    noisy : Region
        The noisy region. It may leave the image.
    level : int
        The steps of 1/64 pixel by which the outline moved.
    status : str
        Whether the strength was reached. It is corrected if the snapped region misses the target.
    """
    snapped, is_repaired = snap_region(noisy, clean.size)
    polygons = tuple(list_polygons(snapped, sources))
    if not polygons:
        return keep_clean()
    return NoisyPolygons(
        polygons=polygons,
        iou=measure_iou(clean.visible, snapped),
        area_ratio=round(measure_area(snapped) / clean.area, 6),
        status=status,
        details={"radius": level / SUBPIXEL},
        is_repaired=is_repaired,
    )


def correct_status(noisy: NoisyPolygons, strength: Strength) -> str:
    """Return the status of noisy polygons after they were snapped, which moves small ones."""
    if strength.target_iou is None or noisy.status not in ("met", "short"):
        return noisy.status
    return "met" if abs(noisy.iou - strength.target_iou) <= TOLERANCE else "short"
