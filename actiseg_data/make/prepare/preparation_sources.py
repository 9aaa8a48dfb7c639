"""The documents that a split is made from, besides the annotation files: tables and lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.file_reading import record_digests
from actiseg_data.make.prepare.contacts import Corrections, read_corrections
from actiseg_data.make.prepare.human_lists import HumanList, read_human_lists
from actiseg_data.make.prepare.narrations import Narration, read_narrations
from actiseg_data.make.prepare.noun_classes import NounClasses, read_noun_classes
from actiseg_data.make.prepare.raw_inputs import RawInput, list_raw_inputs
from actiseg_data.make.prepare.timeline import FrameMapping, read_frame_mapping


@dataclass(frozen=True)
class PreparationSources:
    """The documents that a split is made from, besides the annotation files."""

    mapping: FrameMapping
    narrations: dict[str, tuple[Narration, ...]]
    classes: NounClasses
    lists: tuple[HumanList, ...]
    corrections: Corrections
    inputs: tuple[RawInput, ...]


@dataclass(frozen=True)
class SourcePaths:
    """The files of `PreparationSources`, see `prepare_visor`."""

    frame_mapping: Path
    narrations: tuple[Path, ...]
    noun_classes: Path
    human_labels: tuple[Path, ...]
    hos_corrections: Path | None

    @property
    def roles(self) -> dict[str, tuple[Path, ...]]:
        """The files by parameter."""
        return {
            "frame_mapping": (self.frame_mapping,),
            "narrations": self.narrations,
            "noun_classes": (self.noun_classes,),
            "human_labels": self.human_labels,
            "hos_corrections": () if self.hos_corrections is None else (self.hos_corrections,),
        }


def read_sources(paths: SourcePaths, split: str) -> PreparationSources:
    """Read all documents; an `InputError` lists the problems of all of them."""
    problems = ProblemCollector()
    values: dict[str, Any] = {"corrections": {}}
    readers: dict[str, Callable[[], Any]] = {
        "mapping": partial(read_frame_mapping, paths.frame_mapping),
        "narrations": partial(read_narrations, paths.narrations),
        "classes": partial(read_noun_classes, paths.noun_classes),
        "lists": partial(read_human_lists, paths.human_labels),
    }
    if paths.hos_corrections is not None:
        readers["corrections"] = partial(read_corrections, paths.hos_corrections)
    with record_digests() as digests:
        for name, read in readers.items():
            with problems.collect():
                values[name] = read()
    problems.raise_if_any()
    inputs = (list_raw_inputs(split, role, files, digests) for role, files in paths.roles.items())
    return PreparationSources(**values, inputs=tuple(chain.from_iterable(inputs)))
