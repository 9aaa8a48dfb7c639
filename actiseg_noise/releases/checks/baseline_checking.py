"""Check the baseline scores of a release against its kits and its card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actiseg_data.records.baseline_record import BASELINES_FILE, NoisyLabelsSource, read_baselines
from actiseg_noise.kits.kit_reading import read_kit
from actiseg_noise.kits.kit_record import KITS
from actiseg_noise.releases.contents.release_note import ReleaseNote
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.releases.metadata.card import CARD_FILE
from actiseg_noise.releases.metadata.card_baselines import BASELINES_TITLE, compose_baselines


def find_baseline_faults(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Find scores of other labels than those of the release, and tables of other scores.

    Yields
    ------
    str
        One line for each fault.

    Raises
    ------
    InputError
        If the baselines or a kit cannot be read.
    """
    card = read_text(release / CARD_FILE)
    path = release / BASELINES_FILE
    if not path.is_file():
        if f"\n## {BASELINES_TITLE}\n" in card:
            yield f"{BASELINES_FILE}: is missing, and {CARD_FILE} has its tables"
        return
    baselines = read_baselines(path)
    names = {}
    for name in note.configurations:
        kit = read_kit(release / KITS / f"{name}.json")
        names[NoisyLabelsSource(kit.recipe.digest, kit.source.fingerprint)] = name
    foreign = [cell for cell in baselines.cells if not names.keys() & set(cell.noises)]
    for cell in foreign:
        yield f"{BASELINES_FILE}: {cell.arm}/{cell.cell} learned from labels of no configuration"
    if not baselines.cells:
        yield f"{BASELINES_FILE}: has no cell"
    elif not foreign and any(block not in card for block in compose_baselines(baselines, names)):
        yield f"{CARD_FILE}: its baselines are not those of {BASELINES_FILE}"
