"""Small noisy splits, kits and archives, which targets for published files change."""

from __future__ import annotations

import atexit
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import MASKS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.kits.importing import import_split
from actiseg_noise.releases.data_files.archive import write_archive
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.released import make_split_kit
from tests.helpers.roots import make_root


@dataclass(frozen=True)
class PublishedFiles:
    """The files below one folder.

    Attributes
    ----------
    clean : Path
        The clean dataset.
    noisy, dilated : Path
        A noisy split, and one that was imported from masks.
    kits, archives : tuple of Path
        Of the two.
    masks : Path
        The folder of masks that was imported.
    """

    clean: Path
    noisy: Path
    dilated: Path
    kits: tuple[Path, ...]
    archives: tuple[Path, ...]
    masks: Path


@cache
def make_scratch() -> Path:
    """Make a folder, which the process removes when it ends."""
    holder = tempfile.TemporaryDirectory(prefix="actiseg-fuzz-")
    atexit.register(holder.cleanup)
    return Path(holder.name)


@cache
def make_published_files() -> PublishedFiles:
    """Make two noisy splits of two sequences, with their kits and archives."""
    folder = make_scratch() / "published"
    clean = make_root(folder / "clean", [kitchen_clip(1), kitchen_clip(2, noun="cup:big")])
    noisy = corrupt(clean, "mixed", rate=0.8, exact=True, out=folder / "noisy").out
    masks = folder / "masks"
    for path in sorted((clean / MASKS).rglob("*.png")):
        mask = read_index_mask(path).copy()
        mask[:, 3:] = np.where(mask[:, :-3] > 0, mask[:, :-3], mask[:, 3:])
        write_index_mask(masks / path.parent.name / path.name, mask)
    dilated = import_split(masks, clean, folder / "dilated").corruption.out
    kits, archives = [], []
    for split in (noisy, dilated):
        kit = make_split_kit(split.name, split)
        kits.append(folder / f"{split.name}.json")
        write_json(kits[-1], kit.to_dict())
        archives.append(folder / f"{split.name}.tar")
        write_archive(split, archives[-1])
    return PublishedFiles(clean, noisy, dilated, tuple(kits), tuple(archives), masks)


def read_index() -> bytes:
    """Return two entries of the index of published recipes."""
    from importlib import resources

    from actiseg_data.core.manifests import PACKAGE
    from actiseg_noise.recipes.published import INDEX

    document = json.loads((resources.files(PACKAGE) / INDEX).read_bytes())
    names = [name for name in document["recipes"] if "mixed" in name][:2]
    return json.dumps({**document, "recipes": {n: document["recipes"][n] for n in names}}).encode()
