"""The objects of a sequence that take no part in its action: look-alikes and random ones."""

from __future__ import annotations

from actiseg_data.make.sample.catalogue import LOOK_ALIKES, THINGS, SampleAction
from actiseg_data.make.sample.choreographies import (
    UPRIGHT,
    Cue,
    Paint,
    locate_idle_hand,
    paint_object,
)
from actiseg_data.make.sample.outlines import Point, Pose
from actiseg_data.make.sample.sequence_draws import Draws

_SURFACES = ("chopping board", "tray", "sink", "cloth", "towel")
_SMALL = tuple(name for name, kind in THINGS.items() if kind.size <= 40)
_STREWN = tuple(name for name, kind in THINGS.items() if kind.place != "base")

Circle = tuple[float, float, float]


def place_clutter(cue: Cue) -> tuple[Paint, ...]:
    """Place the spare objects of a sequence where there is room, in painting order."""
    action, draws, centre = cue.action, cue.draws, cue.centre
    taken: list[Circle] = [(*centre, 88.0 if action.base else 62.0), (*locate_idle_hand(cue), 34.0)]
    poses: list[tuple[str, Pose]] = []
    if action.stage != "none" and draws.draw_chance(0.45, "near"):
        name = draws.pick(_SMALL, "near.name")
        if name not in (action.main, action.tool):
            poses.append((name, _pose_near(draws, name, centre)))
    for number, name in enumerate(_choose_clutter(action, draws)):
        pose = _place(draws, name, number, taken)
        if pose is not None:
            taken.append((pose.x, pose.y, _measure_radius(name)))
            poses.append((name, pose))
    poses.sort(key=lambda item: (item[0] not in _SURFACES, item[1].y))
    return tuple(paint_object(name, pose) for name, pose in poses)


def _choose_clutter(action: SampleAction, draws: Draws) -> list[str]:
    """Choose names of spare objects, largest first."""
    own = {action.main, action.tool, action.base}
    names: list[str] = []
    for role, name in (("main", action.main), ("tool", action.tool)):
        similar = [n for row in LOOK_ALIKES if name in row for n in row if n not in own]
        if similar and draws.draw_chance(0.7, "similar", role):
            names.append(draws.pick(similar, "similar.name", role))
    if (
        action.main in _STREWN
        and THINGS[action.main].size < 80
        and draws.draw_chance(0.2, "second")
    ):
        names.append(action.main)
    if not action.base and draws.draw_chance(0.35, "surface"):
        names.append(draws.pick(_SURFACES[:3], "surface.name"))
    for number in range(3 + draws.draw_below(5, "odd")):
        names.append(draws.pick(_STREWN, "odd.name", number))
    unique = [n for i, n in enumerate(names) if n == action.main or n not in own | {*names[:i]}]
    if unique and draws.draw_chance(0.25, "twin"):
        small = [name for name in unique if THINGS[name].size < 60]
        unique += small[:1]
    return sorted(unique, key=lambda name: -THINGS[name].size)


def _place(draws: Draws, name: str, number: int, taken: list[Circle]) -> Pose | None:
    """Choose the first free place of several keyed ones, or the best; None if all are crowded."""
    radius, best = _measure_radius(name), (-0.45 * _measure_radius(name), -1)
    spots = [_find_spot(draws, name, number, attempt) for attempt in range(16)]
    for attempt, (x, y) in enumerate(spots):
        room = min(((x - a) ** 2 + (y - b) ** 2) ** 0.5 - radius - reach for a, b, reach in taken)
        room = min(round(room, 6), 0.0)  # all free places are equal
        if room > best[0]:
            best = room, attempt
    if best[1] < 0:
        return None
    return Pose(*spots[best[1]], _draw_size(draws, name, number), _turn(draws, name, number))


def _find_spot(draws: Draws, name: str, number: int, attempt: int) -> Point:
    def draw(low: float, high: float, axis: str) -> float:
        return draws.draw_between(low, high, f"place.{axis}", name, number, attempt)

    x = draw(4, 424, "x")
    if name == "sink":
        return (20.0 if x < 214 else 408.0), draw(96, 130, "y")
    if THINGS[name].place == "back":
        return x, draw(58, 88, "y") + 12
    return x, draw(84, 228, "y")


def _pose_near(draws: Draws, name: str, centre: Point) -> Pose:
    """Pose a small object in the middle of the action."""
    side = -1 if draws.draw_chance(0.5, "near.side") else 1
    x = centre[0] + side * draws.draw_between(26, 50, "near.x")
    y = centre[1] + draws.draw_between(-32, 26, "near.y")
    return Pose(x, y, _draw_size(draws, name, 99), _turn(draws, name, 99))


def _draw_size(draws: Draws, name: str, number: int) -> float:
    return THINGS[name].size * draws.draw_between(0.9, 1.12, "spare.size", name, number)


def _turn(draws: Draws, name: str, number: int) -> float:
    if THINGS[name].outline in UPRIGHT | {"sink"}:
        return draws.draw_between(-7, 7, "spare.turn", name, number)
    if name in _SURFACES:
        return draws.draw_between(-35, 35, "spare.turn", name, number)
    return draws.draw_between(0, 360, "spare.turn", name, number)


def _measure_radius(name: str) -> float:
    return THINGS[name].size * 0.4
