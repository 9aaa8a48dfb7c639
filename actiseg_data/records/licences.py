"""The licence texts of datasets: owner, terms, and what was changed."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.files import write_bytes
from actiseg_data.core.names import is_plain_text

LICENSE_FILE = "LICENSE"
NOTICE_FILE = "NOTICE"

VISOR_LICENSE = """\
SPDX-License-Identifier: CC-BY-NC-4.0

The annotations in this folder are derived from EPIC-KITCHENS VISOR and EPIC-KITCHENS-100,
(c) University of Bristol, and carry their terms:

Creative Commons Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)
https://creativecommons.org/licenses/by-nc/4.0/legalcode

You may share and adapt them for non-commercial purposes if you give attribution and mark changes.
For commercial use ask the University of Bristol.
"""

_VISOR_WORKS = """\
This dataset was made from:

* EPIC-KITCHENS VISOR: A. Darkhalil, D. Shan, B. Zhu, J. Ma, A. Kar, R. Higgins, S. Fidler,
  D. Fouhey, D. Damen. EPIC-KITCHENS VISOR Benchmark: VIdeo Segmentations and Object Relations.
  NeurIPS 2022 Datasets and Benchmarks.
* EPIC-KITCHENS-100: D. Damen, H. Doughty, G. M. Farinella, A. Furnari, E. Kazakos, J. Ma,
  D. Moltisanti, J. Munro, T. Perrett, W. Price, M. Wray. Rescaling Egocentric Vision: Collection,
  Pipeline and Challenges for EPIC-KITCHENS-100. IJCV 2022.
"""

VISOR_NOTICE = f"""\
{_VISOR_WORKS}
by the construction of:

* ActionVOS: L. Ouyang, R. Liu, Y. Huang, R. Furuta, Y. Sato. ActionVOS: Actions as Prompts for
  Video Object Segmentation. ECCV 2024. Human-labelled lists, where there are any, are theirs.
"""


def write_licences(folder: Path, license_text: str, notice_text: str) -> None:
    """Write `LICENSE` and `NOTICE` into the folder of a dataset."""
    write_bytes(folder / LICENSE_FILE, license_text.encode())
    write_bytes(folder / NOTICE_FILE, notice_text.encode())


def name_source(root: Path) -> str:
    """Return the name of a source for a notice; a name that cannot be shown is left out."""
    name = root.resolve().name
    return repr(name) if is_plain_text(name) else "another folder"


def read_licences(folder: Path) -> tuple[str, str]:
    """Read the licence and notice of a dataset; VISOR's if it has none, as the official datasets.

    A dataset that was prepared by other means is still under VISOR's terms.
    """
    return _read_texts(folder, VISOR_LICENSE, VISOR_NOTICE)


def read_raw_licences(folder: Path) -> tuple[str, str]:
    """Read the licence and notice of raw annotations; VISOR's if they have none."""
    return _read_texts(folder, VISOR_LICENSE, _VISOR_WORKS)


def _read_texts(folder: Path, license_text: str, notice_text: str) -> tuple[str, str]:
    """Read the licence and notice of a folder, or take the given ones if it has none."""
    texts = []
    for name, default in ((LICENSE_FILE, license_text), (NOTICE_FILE, notice_text)):
        path = folder / name
        texts.append(path.read_text("utf-8", "replace") if path.is_file() else default)
    return texts[0], texts[1]
