"""Reproducible noisy copies of video object segmentation annotations.

Examples
--------
::

    from actiseg_noise import corrupt, verify

    corrupt("dataset_visor", "boundary", rate=0.4, target_iou=0.7, out="noisy", workers=2)
    verify("noisy", source="dataset_visor")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data import __version__ as __version__
from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from actiseg_data.records.recipe_record import Recipe as Recipe
    from actiseg_noise.corruption.corruption import corrupt as corrupt
    from actiseg_noise.corruption.noisy_labels import NoisyLabels as NoisyLabels
    from actiseg_noise.corruption.noisy_labels import open_noisy_labels as open_noisy_labels
    from actiseg_noise.differences.release_comparison import compare_splits as compare_splits
    from actiseg_noise.kits.importing import import_split as import_split
    from actiseg_noise.kits.rebuilding import rebuild as rebuild
    from actiseg_noise.mask_noise.arrays import corrupt_mask as corrupt_mask
    from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence as corrupt_sequence
    from actiseg_noise.measurement.auditing import audit as audit
    from actiseg_noise.measurement.inspection import inspect as inspect
    from actiseg_noise.recipes.building import load_recipe as load_recipe
    from actiseg_noise.recipes.building import make_recipe as make_recipe
    from actiseg_noise.recipes.presets import load_preset as load_preset
    from actiseg_noise.releases.checks.release_check import check_release as check_release
    from actiseg_noise.releases.publishing import publish as publish
    from actiseg_noise.split.noisy_split import open_noisy_split as open_noisy_split
    from actiseg_noise.verification.verification import verify as verify

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "NoisyLabels": "corruption.noisy_labels",
        "Recipe": "recipes.building",
        "audit": "measurement.auditing",
        "check_release": "releases.checks.release_check",
        "compare_splits": "differences.release_comparison",
        "corrupt": "corruption.corruption",
        "corrupt_mask": "mask_noise.arrays",
        "corrupt_sequence": "mask_noise.sequence_masks",
        "import_split": "kits.importing",
        "inspect": "measurement.inspection",
        "load_preset": "recipes.presets",
        "load_recipe": "recipes.building",
        "make_recipe": "recipes.building",
        "open_noisy_labels": "corruption.noisy_labels",
        "open_noisy_split": "split.noisy_split",
        "publish": "releases.publishing",
        "rebuild": "kits.rebuilding",
        "verify": "verification.verification",
    },
)
