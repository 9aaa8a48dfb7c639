"""What ``summary.json`` says: realised rates, IoU quantiles, counts of what was odd."""

from __future__ import annotations

import json
import os
import platform
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.records.split_records import (
    SUMMARY_SCHEMA,
    LedgerRow,
    Noise,
    Recipe,
    TextRow,
    has_rendered_frames,
)
from actiseg_noise import __version__
from actiseg_noise.corruption.request import Request
from actiseg_noise.corruption.split_plan import Plan
from actiseg_noise.split.clean_parts import Part, summarise_digests
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.text_noise.assignment import split_rates
from actiseg_noise.text_noise.language_packages import load_language_package
from actiseg_noise.text_noise.text_plan import TextPlan


class MaskFigures:
    """What the summary needs of the ledger's rows on masks, in a few bytes each.

    iou, iou_drawn, area_ratio: numbers by kind. by_size: on-disk IoU by size class. status: counts
    by kind.
    """

    def __init__(self) -> None:
        self.iou: dict[str, array[float]] = {}
        self.iou_drawn: dict[str, array[float]] = {}
        self.area_ratio: dict[str, array[float]] = {}
        self.by_size: dict[str, array[float]] = {name: array("d") for name, _ in SIZES}
        self.status: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in one row, as JSON has it."""
        kind = row["kind"]
        for name in ("iou", "iou_drawn", "area_ratio"):
            getattr(self, name).setdefault(kind, array("d")).append(row[name])
        self.by_size[classify_size(row["area"])].append(row["iou"])
        self.status.setdefault(kind, Counter())[row["status"]] += 1

    @property
    def selected(self) -> int:
        """How many rows there were."""
        return sum(len(numbers) for numbers in self.iou.values())

    @property
    def not_reached(self) -> int:
        """How many did not meet their target."""
        return sum(
            count
            for counts in self.status.values()
            for status, count in counts.items()
            if status not in ("met", "fixed")
        )

    def to_dict(self) -> dict[str, Any]:
        """On-disk IoU first, because it is what a reader of the split gets; then what was drawn."""
        kinds = sorted(self.status)

        def by_kind(numbers: dict[str, array[float]]) -> dict[str, Any]:
            return {kind: summarise_values(numbers[kind]) for kind in kinds}

        def of_all(numbers: dict[str, array[float]]) -> dict[str, Any]:
            return {"all": summarise_values(chain.from_iterable(numbers[kind] for kind in kinds))}

        return {
            "iou": of_all(self.iou) | by_kind(self.iou),
            "iou_by_size": {
                size: summarise_values(numbers) for size, numbers in self.by_size.items()
            },
            "iou_drawn": of_all(self.iou_drawn) | by_kind(self.iou_drawn),
            "area_ratio": by_kind(self.area_ratio),
            "status": {kind: dict(sorted(self.status[kind].items())) for kind in kinds},
        }


DERIVED, COPIED = "derived", "copied"
"""How masks or weights got into a split: made for it, or as the source has them."""


def identity_of(request: Request, plan: Plan) -> dict[str, Any]:
    """What two runs have in common that make the same folder, but for the clean files."""
    noisy = plan.recipe.mask_noise is not None
    return {
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": plan.split.fingerprint,
        "images": request.images_taken,
        **_files_taken(plan.parts[0], request.weights, DERIVED if noisy else COPIED),
        "with_clean": {
            part.split.name: {
                "dataset_fingerprint": part.split.fingerprint,
                **_files_taken(part, request.weights, COPIED),
            }
            for part in plan.parts[1:]
        },
        **plan.exact_thresholds,
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def _files_taken(part: Part, weights: str, how: str) -> dict[str, str]:
    """How masks and weights of a part get into the copy, or why they do not.

    weights: as asked for. how: `DERIVED` or `COPIED`.
    """
    absent = "left out, as asked" if weights == "none" else "the source has no weights"
    return {
        "masks": how if MASKS in part.kinds else "none: the source has no masks",
        "weights": how if WEIGHTS in part.kinds else f"none: {absent}",
    }


def summarise(request: Request, plan: Plan, records: Iterable[SequenceRecord]) -> dict[str, Any]:
    """The summary document of a run, but for its identity and the time that it took.

    records: of the sequences of all the plan's parts, in order; taken one at a time.
    """
    masks = MaskFigures()
    tally = Counter[str]()
    bystander_ious = array("d")
    clean: dict[str, dict[str, list[str]]] = {}
    noisy = {sequence.folder for sequence in plan.sequences}
    for record in records:
        for row in map(json.loads, record.rows):
            masks.add(row)
        tally.update(record.tally)
        bystander_ious.extend(record.bystander_ious)
        if record.folder in noisy:
            clean[record.folder] = record.clean_digests
    split, recipe = plan.split, plan.recipe
    summary: dict[str, Any] = {
        "schema": SUMMARY_SCHEMA,
        "source": _relative(split.root, request.out),
        "split": split.name,
        "frames": sum(len(sequence.frames) for sequence in plan.sequences),
        "rendered_frames": has_rendered_frames(split.root),
        **summarise_digests(clean),
    }
    handled = _handled(plan)
    if recipe.mask_noise is not None:
        summary |= mask_sections(recipe.mask_noise, masks, tally, bystander_ious)
        handled |= {
            "absent_from_frame": tally["absent"],
            "vanished_from_disk": tally["vanished"],
            "target_not_reached": masks.not_reached,
        }
    if recipe.text_noise is not None and plan.words is not None:
        summary["text"] = word_section(recipe.text_noise, plan.words)
        handled |= {name: plan.words.tally[name] for name in _ODD_WORDS}
    return summary | {
        "handled": handled,
        "toolkit": f"actiseg {__version__}",
        "versions": versions(
            masks=recipe.mask_noise is not None,
            language=recipe.text_noise is not None and recipe.text_noise.scope != "prompt",
        ),
    }


def mask_sections(
    noise: Noise,
    masks: MaskFigures,
    tally: Counter[str],
    bystander_ious: Iterable[float],
) -> dict[str, Any]:
    """The summary's members on masks.

    tally, bystander_ious: see `actiseg_noise.mask_noise.sequence_masks.FrameNoise`.
    """
    return {
        "noise": _realised(noise, masks.selected, tally["items"]) | masks.to_dict(),
        "bystanders": {
            "items": tally["bystanders"],
            "cut": tally["bystanders_cut"],
            "iou_of_cut": summarise_values(bystander_ious),
        },
    }


_ODD_WORDS = (
    "one_name",
    "no_flip_target",
    "names_collide",
    "narration_empty",
    "narration_without_noun",
    "narration_without_flipped_noun",
    "prompts_with_another_narration",
)


def _handled(plan: Plan) -> dict[str, int]:
    """Counts of what is odd about the list, whatever the noise."""
    return {
        "sequences_without_active_object": sum(
            not any(label.positive for label in sequence.objects) for sequence in plan.sequences
        ),
        "names_with_colon": sum(":" in sequence.folder for sequence in plan.sequences),
        "companion_files_missing": sum(
            name not in plan.image_sets for name in name_image_sets_files(plan.split.name)
        ),
    }


def realised(selected: int, items: int, *, exact: bool) -> dict[str, Any]:
    """How many of how many, as a rate with its 95 % interval; none where the share was fixed."""
    interval = None if exact else wilson_interval(selected, items)
    return {
        "items": items,
        "selected": selected,
        "realised_rate": round(selected / items, 6) if items else None,
        "interval_95": [round(bound, 6) for bound in interval] if interval else None,
    }


def _realised(noise: Noise, selected: int, items: int) -> dict[str, Any]:
    return {
        "kind": noise.kind,
        "rate": noise.rate,
        **realised(selected, items, exact=noise.exact),
    }


def word_section(noise: Noise, words: TextPlan) -> dict[str, Any]:
    """The summary's ``text``: realised rates of text noise, over the items that the recipe lets be
    touched, over those that could change, and over all prompts or narrations; of flips and
    substitutions among those that could be; WordNet similarity of new and clean words by kind.
    """
    flip, substitute = split_rates(noise)
    tally = words.tally
    exact = noise.exact
    selected = tally["flipped"] + tally["substituted"]
    return {
        **_realised(noise, selected, tally["items"]),
        "scope": noise.scope,
        "could_change": realised(selected, tally["changeable"], exact=exact),
        "of_all": realised(selected, tally["all_items"], exact=exact),
        "flips": {
            "rate": round(flip, 6),
            **realised(tally["flipped"], tally["flip_items"], exact=exact),
        },
        "substitutions": {
            "rate": round(substitute, 6),
            **realised(tally["substituted"], tally["rest_items"], exact=exact),
        },
        "similarity": _similarity(chain.from_iterable(words.rows.values())),
    }


_LATER = ("could_change", "of_all")
"""Members of the summary's ``text`` that summaries of early releases lack."""


def fits_word_section(section: object, derived: Mapping[str, Any]) -> bool:
    """Whether a summary's ``text`` is the derived one; what early releases did not write may lack.

    >>> fits_word_section({"items": 3}, {"items": 3, "of_all": {}})
    True
    >>> fits_word_section({"items": 3, "of_all": 5}, {"items": 3, "of_all": {}})
    False
    """
    return isinstance(section, Mapping) and section == {
        name: value for name, value in derived.items() if name in section or name not in _LATER
    }


def _similarity(rows: Iterable[TextRow]) -> dict[str, Any]:
    similar: dict[str, array[float]] = {}
    for row in rows:
        similar.setdefault(row.kind, array("d")).append(row.similarity)
    return {kind: summarise_values(similar[kind]) for kind in sorted(similar)}


def summary_misfits(
    summary: Mapping[str, Any], recipe: Recipe, rows: Iterable[LedgerRow]
) -> list[str]:
    """Members of a summary that are not what recipe and ledger give, such as ``noise.iou``."""
    masks = MaskFigures()
    words: list[TextRow] = []
    for row in rows:
        if isinstance(row, TextRow):
            words.append(row)
        else:
            masks.add(vars(row))
    expected: dict[str, dict[str, Any]] = {}
    found = {part: _section(summary, part) for part in ("noise", "text")}
    if recipe.mask_noise is not None or masks.selected:
        expected["noise"] = {"selected": masks.selected} | masks.to_dict()
    if recipe.text_noise is not None or words:
        expected["text"] = {"selected": len(words), "similarity": _similarity(words)}
    lines = [] if summary.get("split") == recipe.split else ["split"]
    for part, noise in (("noise", recipe.mask_noise), ("text", recipe.text_noise)):
        if noise is None:
            continue
        items, selected = found[part].get("items"), expected[part]["selected"]
        if type(items) is int and items >= selected:
            expected[part] |= _realised(noise, selected, items)
        else:
            lines.append(f"{part}.items")
    return lines + [
        f"{part}.{name}"
        for part, members in expected.items()
        for name, value in members.items()
        if found[part].get(name) != value
    ]


def _section(summary: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    found = summary.get(part)
    return found if isinstance(found, Mapping) else {}


def versions(*, masks: bool, language: bool) -> dict[str, str]:
    """Versions of Python and of every library that pixels, or the nouns of narrations, pass
    through.
    """
    found = {"python": platform.python_version()}
    if masks:
        import numpy
        import PIL
        import shapely

        modules = {"numpy": numpy, "opencv": load_cv2(), "shapely": shapely, "pillow": PIL}
        found |= {name: module.__version__ for name, module in modules.items()}
        found["geos"] = shapely.geos_version_string
    if language:
        found["spacy"] = load_language_package("spacy", "naming its version").__version__
    return found


def _relative(source: Path, out: Path) -> str:
    """The source as seen from the output folder."""
    try:
        return Path(os.path.relpath(source.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive on Windows
        return source.name
