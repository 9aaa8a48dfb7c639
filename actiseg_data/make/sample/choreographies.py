"""The choreographies: positions of hands, tools and targets of an action in each frame.

Each stage is written for a right-handed cook; `play` mirrors some sequences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from actiseg_data.make.sample.catalogue import LEFT_HAND, RIGHT_HAND, THINGS, SampleAction
from actiseg_data.make.sample.hands import Hold, make_hand
from actiseg_data.make.sample.object_outlines import make_outlines
from actiseg_data.make.sample.outlines import (
    Parts,
    Point,
    Pose,
    SampleOutline,
    move_parts,
)
from actiseg_data.make.sample.sequence_draws import Draws

HAND = 66.0
"""Pixels from wrist to fingertip in an image 428 wide."""

UPRIGHT = frozenset(
    ("bowl", "cup", "glass", "bottle", "squeezer", "jar", "can", "box", "carton", "tub", "tap")
)
"""Upright outlines, which hardly turn."""

_HOLDS = {
    "plate": "pinch",
    "lid": "pinch",
    "bowl": "pinch",
    "tub": "pinch",
    "pot": "pinch",
    "colander": "pinch",
    "board": "pinch",
    "tray": "pinch",
    "cup": "pinch",
    "tap": "pinch",
    "tomato": "pinch",
    "onion": "pinch",
    "potato": "pinch",
    "glass": "wrap",
    "bottle": "wrap",
    "squeezer": "wrap",
    "jar": "wrap",
    "can": "wrap",
    "box": "wrap",
    "carton": "wrap",
    "sponge": "wrap",
}
_WIDE = frozenset(("plate", "bowl", "tub", "pot", "colander", "board", "tray"))


@dataclass(frozen=True)
class Paint:
    """One painted instance of a named object, in pixels, over what was painted before."""

    name: str
    parts: Parts
    instance: str = ""


@dataclass(frozen=True)
class Moment:
    """One frame of an action.

    Attributes
    ----------
    base : tuple of Paint
        Painted first, below everything else.
    top : tuple of Paint
        Painted last, in order.
    held : frozenset of str
        Names of objects in the grip of a hand.
    """

    base: tuple[Paint, ...] = ()
    top: tuple[Paint, ...] = ()
    held: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cue:
    """The input of a stage: action, keyed choices, frame `index` of `count`, centre."""

    action: SampleAction
    draws: Draws
    index: int
    count: int
    centre: Point

    @property
    def progress(self) -> float:
        """From 0 in the first frame to 1 in the last."""
        return self.index / (self.count - 1)

    def draw_sway(self, size: float, *what: str | int) -> float:
        """Draw a change from frame to frame, within plus or minus `size`."""
        return self.draws.draw_between(-size, size, *what, self.index)


def find_outline(name: str) -> SampleOutline:
    """Find the outline of an object of the catalogue."""
    return make_outlines()[THINGS[name].outline]


def paint_object(name: str, pose: Pose) -> Paint:
    """Paint an object of the catalogue in a pose."""
    return Paint(name, pose.place_parts(find_outline(name).parts))


def play(cue: Cue) -> Moment:
    """Play the moment of a cue."""
    moment = _STAGES[cue.action.stage](cue)
    moment = _add_idle_hand(cue, moment)
    return _mirror_hand(moment, cue.centre[0]) if _is_left_handed(cue) else moment


def _work(cue: Cue) -> Moment:
    """Let a tool in one hand work on a target in the other hand."""
    action, (x, y) = cue.action, cue.centre
    base: tuple[Paint, ...] = ()
    if action.base:
        base = (paint_object(action.base, _draw_pose(cue, action.base, (x, y + 4), "base")),)
    if action.base == "sink":
        base += (_paint_tap(cue, (x + 52, y - 56)),)
    outline = find_outline(action.main)
    long = THINGS[action.main].outline in ("carrot", "courgette")
    turn = 152.0 if THINGS[action.main].outline == "pan" else 0.0
    position = (x - 12 + cue.draw_sway(2, "target.x"), y + cue.draw_sway(2, "target.y"))
    target = replace(
        _draw_pose(cue, action.main, position, "main"), size=_draw_size(cue, action.main)
    )
    target = replace(target, angle=turn + cue.draws.draw_between(-10, 10, "target.turn"))

    tool = find_outline(action.tool)
    spot = target.put(outline.tip)
    if long:
        spot = spot[0] + 8 - 16 * cue.progress, spot[1]
    spot = spot[0] + cue.draw_sway(5, "tip.x"), spot[1] + cue.draw_sway(4, "tip.y")
    angle = 214 + cue.draws.draw_between(-12, 12, "tool.turn") + cue.draw_sway(7, "tool.sway")
    if action.tool == "sponge":
        angle = cue.draw_sway(25, "tool.sway")
    tool_pose = _pose_object(tool.tip, spot, _draw_size(cue, action.tool), angle)

    left = _paint_hand(cue, action.main, target.put(outline.grip), left=True)
    right = _paint_hand(cue, action.tool, tool_pose.put(tool.grip), left=False)
    return Moment(
        base=base,
        top=(
            *_put_in_hand(LEFT_HAND, left, paint_object(action.main, target)),
            *_put_in_hand(RIGHT_HAND, right, paint_object(action.tool, tool_pose)),
        ),
        held=frozenset((action.main, action.tool)),
    )


def _carry(cue: Cue) -> Moment:
    """Let one or two hands bring an object toward the cook, perhaps out of the image."""
    return _move_objects(
        cue, cue.progress, is_empty=cue.index == 0 and cue.draws.draw_chance(0.3, "not yet")
    )


def _lay(cue: Cue) -> Moment:
    """Play `_carry` backwards."""
    last = cue.index == cue.count - 1
    return _move_objects(
        cue, 1 - cue.progress, is_empty=last and cue.draws.draw_chance(0.35, "let go")
    )


def _move_objects(cue: Cue, away: float, *, is_empty: bool) -> Moment:
    name, (x, y) = cue.action.main, cue.centre
    far = 190.0 if cue.draws.draw_chance(0.3, "out of sight") else 58.0
    drift = cue.draws.draw_between(-30, 40, "path")
    position = x + drift * away, y + (far if cue.count < 4 else min(far, 80.0)) * away
    pose = _draw_pose(cue, name, position, "main")
    if THINGS[name].outline not in UPRIGHT | _WIDE:
        pose = replace(
            pose, angle=cue.draws.draw_between(195, 250, "lie") + cue.draw_sway(9, "turn")
        )
    outline = find_outline(name)
    grip = pose.put(outline.grip)
    two = THINGS[name].outline in _WIDE and cue.draws.draw_chance(0.5, "two hands")
    right_side = (abs(outline.grip[0]), outline.grip[1])
    if THINGS[name].outline in _WIDE:
        grip = pose.put(right_side)
    if is_empty:
        grip = grip[0] + 34, grip[1] + 62
    right = _paint_hand(cue, name, grip, left=False)
    top = _put_in_hand(RIGHT_HAND, right, paint_object(name, pose))
    if two:
        left_grip = pose.put((-right_side[0], right_side[1]))
        if is_empty:
            left_grip = left_grip[0] - 34, left_grip[1] + 62
        left = _paint_hand(cue, name, left_grip, left=True)
        top = (Paint(LEFT_HAND, left.under), *top, Paint(LEFT_HAND, left.over))
    return Moment(top=top, held=frozenset() if is_empty else frozenset((name,)))


def _wipe(cue: Cue) -> Moment:
    """Let a flat hand push a cloth from side to side."""
    x, y = cue.centre
    position = x - 50 + 100 * cue.progress, y + 10 + cue.draw_sway(12, "stroke")
    pose = replace(
        _draw_pose(cue, cue.action.main, position, "main"), angle=cue.draw_sway(25, "turn")
    )
    over = make_hand(
        "flat", False, (position[0] + 6, position[1] + 12), -14 + cue.draw_sway(8, "wrist"), HAND
    )
    return Moment(
        top=_put_in_hand(RIGHT_HAND, over, paint_object(cue.action.main, pose)),
        held=frozenset((cue.action.main,)),
    )


def _drop(cue: Cue) -> Moment:
    """Let a hand bring an object over a vessel."""
    action, (x, y) = cue.action, cue.centre
    vessel = _draw_pose(cue, action.base, (x - 14, y), "base")
    away = 1 - cue.progress
    position = x - 6 + 72 * away, y - 4 + 26 * away
    angle = 208 + cue.draw_sway(12, "turn")
    pose = Pose(*position, _draw_size(cue, action.main), angle)
    right = _paint_hand(cue, action.main, pose.put(find_outline(action.main).grip), left=False)
    return Moment(
        base=(paint_object(action.base, vessel),),
        top=_put_in_hand(RIGHT_HAND, right, paint_object(action.main, pose)),
        held=frozenset((action.main,)),
    )


def _twist(cue: Cue) -> Moment:
    """Let one hand hold a vessel while the other turns or lifts its top."""
    action, (x, y) = cue.action, cue.centre
    pose = _draw_pose(cue, action.main, (x, y + 12), "main")
    pose = replace(pose, size=pose.size * 1.12, angle=8 + cue.draw_sway(5, "turn"))
    outline = find_outline(action.main)
    left = _paint_hand(cue, action.main, pose.put((-0.05 - abs(outline.grip[0]), 0.16)), left=True)
    tip = pose.put(outline.tip)
    lift = 16.0 * cue.progress if action.tool else 0.0
    position = tip[0] + 4 + lift, tip[1] + cue.draw_sway(3, "twist") + lift / 2
    right = make_hand(
        "fist", False, (position[0] + 4, position[1] + 6), -38 + cue.draw_sway(9, "wrist"), HAND
    )
    top = (
        *_put_in_hand(LEFT_HAND, left, paint_object(action.main, pose)),
        Paint(RIGHT_HAND, right.over),
    )
    held = {action.main}
    if action.tool and cue.index:  # the cap is hidden in the first frame
        top += (
            paint_object(
                action.tool, Pose(position[0] - 9, position[1] - 8, _draw_size(cue, action.tool))
            ),
        )
        held.add(action.tool)
    return Moment(top=top, held=frozenset(held))


def _pour(cue: Cue) -> Moment:
    """Tilt one vessel over another."""
    action, (x, y) = cue.action, cue.centre
    base: tuple[Paint, ...] = ()
    if action.base:
        base = (paint_object(action.base, _draw_pose(cue, action.base, (x, y + 4), "base")),)
    target = _draw_pose(cue, action.main, (x - 16, y + 8), "main")
    if THINGS[action.main].outline == "pan":
        target = replace(target, angle=150 + cue.draws.draw_between(-10, 10, "target.turn"))
    outline, tool = find_outline(action.main), find_outline(action.tool)
    tilt = -88 - 26 * cue.progress
    rim = target.put(outline.tip)
    spot = rim[0] + 16 + cue.draw_sway(4, "spout.x"), rim[1] - 10 + cue.draw_sway(3, "spout.y")
    pose = _pose_object(tool.tip, spot, _draw_size(cue, action.tool), tilt)
    right = _paint_hand(cue, action.tool, pose.put(tool.grip), left=False)
    held = {action.tool}
    top: tuple[Paint, ...] = (paint_object(action.main, target),)
    if cue.draws.draw_chance(0.6, "steady"):
        left = _paint_hand(cue, action.main, target.put(outline.grip), left=True)
        top = _put_in_hand(LEFT_HAND, left, *top)
        held.add(action.main)
    return Moment(
        base=base,
        top=(*top, *_put_in_hand(RIGHT_HAND, right, paint_object(action.tool, pose))),
        held=frozenset(held),
    )


def _press(cue: Cue) -> Moment:
    """Put a hand on the lever of a tap."""
    x, y = cue.centre
    sink = paint_object("sink", _draw_pose(cue, "sink", (x, y + 12), "base"))
    position = (x + 10, y - 40)
    lever = _pose_tap(cue, position).put(find_outline("tap").grip)
    right = make_hand(
        "pinch", False, (lever[0] - 2, lever[1] + 4), -12 + cue.draw_sway(6, "wrist"), HAND
    )
    return Moment(
        base=(sink,),
        top=_put_in_hand(RIGHT_HAND, right, _paint_tap(cue, position)),
        held=frozenset(("tap",)),
    )


def _play_nothing(cue: Cue) -> Moment:
    """Play a moment without visible action."""
    return Moment()


_STAGES: dict[str, Callable[[Cue], Moment]] = {
    "work": _work,
    "carry": _carry,
    "lay": _lay,
    "wipe": _wipe,
    "drop": _drop,
    "twist": _twist,
    "pour": _pour,
    "press": _press,
    "none": _play_nothing,
}


def _add_idle_hand(cue: Cue, moment: Moment) -> Moment:
    """Add the other hand, resting on the counter, in some sequences."""
    busy = {paint.name for paint in moment.top}
    if RIGHT_HAND not in busy or LEFT_HAND in busy or not cue.draws.draw_chance(0.4, "idle"):
        return moment
    x, y = _find_idle_spot(cue)
    position = x + cue.draw_sway(3, "idle.x"), y + cue.draw_sway(3, "idle.y")
    rest = make_hand("flat", True, position, cue.draws.draw_between(5, 28, "idle.turn"), HAND)
    return replace(moment, top=(Paint(LEFT_HAND, rest.over, "idle"), *moment.top))


def _find_idle_spot(cue: Cue) -> Point:
    x = cue.centre[0] - cue.draws.draw_between(100, 140, "idle.x")
    return x, cue.draws.draw_between(176, 204, "idle.y")


def locate_idle_hand(cue: Cue) -> Point:
    """Return the place of a resting hand, in pixels, which must be kept free."""
    x, y = _find_idle_spot(cue)
    return (2 * cue.centre[0] - x if _is_left_handed(cue) else x), y


def _is_left_handed(cue: Cue) -> bool:
    return cue.draws.draw_chance(0.2, "left-handed")


def _mirror_hand(moment: Moment, x: float) -> Moment:
    mirror = {LEFT_HAND: RIGHT_HAND, RIGHT_HAND: LEFT_HAND}

    def flip(paint: Paint) -> Paint:
        parts = move_parts(paint.parts, lambda ring: ring * np.array([-1.0, 1.0]) + (2 * x, 0))
        return replace(paint, name=mirror.get(paint.name, paint.name), parts=parts)

    return replace(moment, base=tuple(map(flip, moment.base)), top=tuple(map(flip, moment.top)))


def _put_in_hand(name: str, grip: Hold, held: Paint) -> tuple[Paint, ...]:
    layers = (Paint(name, grip.under), held, Paint(name, grip.over))
    return tuple(paint for paint in layers if paint.parts)


def _paint_hand(cue: Cue, name: str, position: Point, *, left: bool) -> Hold:
    """Make a hand that holds a named object, with the forearm toward the cook."""
    side = "left" if left else "right"
    turn = cue.draws.draw_between(22, 42, "wrist", side) + cue.draw_sway(4, "wrist", side)
    hold = _HOLDS.get(THINGS[name].outline, "fist")
    return make_hand(hold, left, position, turn if left else -turn, HAND)


def _pose_tap(cue: Cue, position: Point) -> Pose:
    return Pose(*position, _draw_size(cue, "tap"), cue.draws.draw_between(-4, 4, "tap.turn"))


def _paint_tap(cue: Cue, position: Point) -> Paint:
    return paint_object("tap", _pose_tap(cue, position))


def _draw_size(cue: Cue, name: str) -> float:
    return THINGS[name].size * cue.draws.draw_between(0.93, 1.08, "size", name)


def _draw_pose(cue: Cue, name: str, position: Point, role: str) -> Pose:
    return Pose(*position, _draw_size(cue, name), cue.draws.draw_between(-7, 7, "turn", role))


def _pose_object(anchor: Point, position: Point, size: float, angle: float) -> Pose:
    """Compute the pose that brings an outline's point `anchor` to a pixel position."""
    x, y = Pose(0.0, 0.0, size, angle).put(anchor)
    return Pose(position[0] - x, position[1] - y, size, angle)
