"""A sequence of the sample: its action, spare objects, index masks and labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.make.sample.catalogue import (
    ACTIONS,
    CLASS_IDS,
    LEFT_HAND,
    RIGHT_HAND,
    SampleAction,
)
from actiseg_data.make.sample.choreographies import Cue, Moment, Paint, play
from actiseg_data.make.sample.clutter import place_clutter
from actiseg_data.make.sample.outlines import (
    Pose,
    Ring,
    move_parts,
    rasterise,
)
from actiseg_data.make.sample.sequence_draws import Draws

Lens: TypeAlias = Callable[[Ring], Ring]

SHAPE = (240, 428)
"""Height and width of the images."""

VIDEOS = {
    "train": ("S01_01", "S01_02", "S02_01", "S02_02", "S03_01", "S03_02", "S04_01"),
    "val": ("S05_01", "S05_02", "S06_01", "S06_02"),
}
_PER_VIDEO = {"train": 8, "val": 5}
_STRIDE = {"train": 1, "val": 5}  # step through the table of actions
_FRAME_COUNTS = (2, 2, 3, 2, 2, 4, 2, 2, 3, 2)
_LONG = {("train", 16): 8, ("val", 6): 8}  # sequences of unusual length
_FLAGGED = {3: "redundant", 9: "redundant", 13: "missing", 17: "other"}


@dataclass(frozen=True)
class SampleSequence:
    """A sequence of the sample.

    Attributes
    ----------
    sequence : VideoSequence
        With automatic labels.
    used : frozenset of str
        Names of the objects that truly take part.
    masks : tuple of ndarray
        (240, 428) uint8, one for each frame.
    flag : str
        The flag of a human-labelled list, or nothing.
    """

    sequence: VideoSequence
    used: frozenset[str]
    masks: tuple[IndexMask, ...]
    flag: str


def make_sequences(subset: str, first_id: int) -> Iterator[SampleSequence]:
    """Make the sequences of ``train`` or ``val``, numbered from `first_id`.

    >>> next(make_sequences("train", 1)).sequence.folder
    '00000001_S01_01_cut_carrot'
    """
    position = 0
    for video in VIDEOS[subset]:
        start = 140 + Draws((video,)).draw_below(200, "first frame")
        for _ in range(_PER_VIDEO[subset]):
            action = ACTIONS[position * _STRIDE[subset] % len(ACTIONS)]
            count = _LONG.get((subset, position), _FRAME_COUNTS[position % len(_FRAME_COUNTS)])
            flag = _FLAGGED.get(position, "") if subset == "val" else ""
            item = _make_sequence(action, video, start, count, first_id + position, flag)
            yield item
            gap = Draws((video, start)).draw_below(220, "gap")
            start, position = item.sequence.end + 15 + gap, position + 1


def make_video(video: str, clips: int, first_id: int) -> Iterator[SampleSequence]:
    """Make the first sequences of a further video, which is keyed by its name.

    A video with more clips begins with the same ones.

    >>> [item.sequence.video for item in make_video("S0t001_01", 2, 1)]
    ['S0t001_01', 'S0t001_01']
    """
    draws = Draws((video,))
    start = 140 + draws.draw_below(200, "first frame")
    for number in range(clips):
        action = draws.pick(ACTIONS, "action", number)
        count = draws.pick(_FRAME_COUNTS, "frames", number)
        item = _make_sequence(action, video, start, count, first_id + number, "")
        yield item
        start = item.sequence.end + 15 + Draws((video, start)).draw_below(220, "gap")


def _make_sequence(
    action: SampleAction, video: str, start: int, count: int, seq_id: int, flag: str
) -> SampleSequence:
    draws = Draws((video, action.verb, action.noun, start))
    step = 16 + draws.draw_below(22, "step")
    frames = [start + 4 + draws.draw_below(9, "lead") + step * i for i in range(count)]
    centre = (draws.draw_between(180, 250, "centre.x"), draws.draw_between(118, 138, "centre.y"))
    cues = [Cue(action, draws, i, count, centre) for i in range(count)]
    moments = [play(cue) for cue in cues]
    spare = place_clutter(cues[0])
    views = [_SampleFrame(moment, spare, _make_lens(draws, i)) for i, moment in enumerate(moments)]
    names = sorted(frozenset().union(*(view.visible for view in views)))
    ids = {name: number for number, name in enumerate(names, 1)}
    near_hands = frozenset().union(*(view.near_hands for view in views))
    named = {action.noun_class, *action.also}
    labels = []
    for name in names:
        handbox, narration = name in near_hands, CLASS_IDS[name] in named
        positive = handbox or narration
        labels.append(ObjectLabel(ids[name], name, CLASS_IDS[name], positive, handbox, narration))
    sequence = VideoSequence(
        folder=f"{seq_id:08d}_{video}_{action.verb}_{action.noun}",
        seq_id=seq_id,
        video=video,
        start=start,
        end=frames[-1] + 2 + draws.draw_below(12, "tail"),
        narration=action.narration,
        verb=action.verb,
        verb_class=action.verb_class,
        noun=action.noun,
        noun_class=action.noun_class,
        frames=tuple(f"frame_{number:010d}" for number in frames),
        objects=tuple(labels),
    )
    busy = {p.name for m in moments for p in m.top if p.instance != "idle"}
    used = busy & {LEFT_HAND, RIGHT_HAND} | {action.main, action.tool}
    if action.base != "hob" and action.stage != "press":
        used |= {action.base}
    if action.base == "sink":
        used |= {"tap"}  # the water runs, even without a hand near it
    return SampleSequence(sequence, frozenset(used), tuple(view.mask(ids) for view in views), flag)


class _SampleFrame:
    """One frame, painted instance by instance."""

    def __init__(self, moment: Moment, spare: tuple[Paint, ...], lens: Lens) -> None:
        self.paints = (*moment.base, *spare, *moment.top)
        self.instances = np.zeros(SHAPE, np.uint8)
        for number, paint in enumerate(self.paints, 1):
            patch = rasterise(move_parts(paint.parts, lens), SHAPE)
            self.instances[patch.window][patch.mask] = number
        present = frozenset(np.unique(self.instances).tolist()) - {0}
        self.visible = frozenset(self.paints[number - 1].name for number in present)
        self.near_hands = self.visible & {LEFT_HAND, RIGHT_HAND}
        for number in present:
            # A spare object may have the same name; only the one in the hand has a box.
            acts = not 0 <= number - 1 - len(moment.base) < len(spare)
            if acts and self.paints[number - 1].name in moment.held:
                self.near_hands |= self._find_boxed(self.instances == number)

    def _find_boxed(self, held: BoolArray) -> frozenset[str]:
        """Find the names with a pixel in the bounding box of a held object."""
        rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
        cut = self.instances[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return frozenset(self.paints[number - 1].name for number in np.unique(cut) if number)

    def mask(self, ids: dict[str, int]) -> IndexMask:
        """Make the index mask: (240, 428) uint8."""
        table = np.array([0, *(ids.get(paint.name, 0) for paint in self.paints)], np.uint8)
        return table[self.instances]


def _make_lens(draws: Draws, index: int) -> Lens:
    """Make the camera of one frame; it is worn on a head that moves."""
    middle = np.array([SHAPE[1] / 2, SHAPE[0] / 2])
    pose = Pose(
        middle[0] + draws.draw_between(-5, 5, "lens.x", index),
        middle[1] + draws.draw_between(-4, 4, "lens.y", index),
        draws.draw_between(0.94, 1.06, "lens.zoom"),
        draws.draw_between(-1.5, 1.5, "lens.turn", index),
    )
    return lambda ring: pose.place_ring(ring - middle)
