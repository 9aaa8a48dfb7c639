"""Datasets of annotated video sequences: layouts on disk, masks, polygons, keys, records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actiseg_data.core.exports import export_lazily

if TYPE_CHECKING:
    from actiseg_data.annotations.masks import read_index_mask as read_index_mask
    from actiseg_data.annotations.raw_scores import digest_raw_scores as digest_raw_scores
    from actiseg_data.annotations.sequences import ObjectLabel as ObjectLabel
    from actiseg_data.annotations.sequences import VideoSequence as VideoSequence
    from actiseg_data.core.errors import InputError as InputError
    from actiseg_data.core.errors import Problem as Problem
    from actiseg_data.layouts.opening import open_split as open_split
    from actiseg_data.layouts.split import Split as Split
    from actiseg_data.make.sample import make_sample as make_sample

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = export_lazily(
    __name__,
    {
        "InputError": "core.errors",
        "ObjectLabel": "annotations.sequences",
        "Problem": "core.errors",
        "Split": "layouts.actionvos",
        "VideoSequence": "annotations.sequences",
        "digest_raw_scores": "annotations.raw_scores",
        "make_sample": "make.sample",
        "open_split": "layouts.opening",
        "read_index_mask": "annotations.masks",
    },
)
