"""What kind of data a dataset has, which decides the words of the documents of a release."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_data.layouts.layout import Layout
from actiseg_data.layouts.layout_table import get_layout
from actiseg_data.layouts.sequence_record import has_name
from actiseg_data.layouts.split import Split


@dataclass(frozen=True)
class DataKind:
    """The kind of data of a dataset.

    Attributes
    ----------
    key : str
        The key of its layout.
    has_actions : bool
        Whether its sequences are annotated actions, with active and inactive objects.
    has_prompts : bool
        Whether its objects have prompts, or expressions that refer to them.
    has_names, has_categories : bool
        Whether its objects have names, and whether these are those of its categories.
    has_layers : bool
        Whether each object has a mask of its own, so that objects may overlap.
    """

    key: str
    has_actions: bool
    has_prompts: bool
    has_names: bool
    has_categories: bool
    has_layers: bool

    @property
    def layout(self) -> Layout:
        """Its layout."""
        return get_layout(self.key)

    @property
    def task(self) -> str:
        """What the dataset is for."""
        refers = self.has_prompts and not self.has_actions
        return f"{'referring ' * refers}{self.layout.task}"

    @property
    def frame(self) -> str:
        """What has a mask: a frame or an image."""
        return "frame" if self.layout.is_video else "image"

    @property
    def place(self) -> str:
        """Where an object is: in a frame or in an image."""
        return "a frame" if self.layout.is_video else "an image"

    @property
    def sequences(self) -> str:
        """What its sequences are called; one of images is an image."""
        return "sequences" if self.layout.is_video else "images"

    @property
    def photographs(self) -> str:
        """What its photographs are called."""
        return "video frames" if self.layout.is_video else "images"

    @property
    def prompts(self) -> str:
        """What its texts about objects are called."""
        return "prompts" if self.has_actions else "referring expressions"

    @property
    def words(self) -> list[str]:
        """What it has besides masks, as plural nouns; empty if it has only masks."""
        if self.has_actions:
            return ["text"]
        names = "categories" if self.has_categories else "names"
        return [names] * self.has_names + [self.prompts] * self.has_prompts


def find_data_kind(split: Split) -> DataKind:
    """Find the kind of data of a dataset from one of its splits.

    Raises
    ------
    InputError
        If a document is damaged.
    """
    labels = [label for sequence in split.sequences for label in sequence.objects]
    return DataKind(
        key=split.layout,
        has_actions=split.has_action_lists,
        has_prompts=any(split.read_prompts().values()),
        has_names=any(map(has_name, labels)),
        has_categories=bool(split.read_categories()),
        has_layers=any(sequence.layers is not None for sequence in split.sequences),
    )
