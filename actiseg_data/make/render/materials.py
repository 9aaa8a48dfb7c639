"""Two tables: materials, and the material of each EPIC noun class."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaintMaterial:
    """A surface.

    Attributes
    ----------
    pattern : str
        How it is painted.
    bevel : float or None
        Width of its rounded edge; None if it is round all over.
    shine : float
        Strength of highlights.
    colours : tuple of (str, str)
        sRGB pairs (main, second) to choose from.
    sunken : bool
        Whether it is a vessel, lower inside its edge.
    """

    pattern: str
    bevel: float | None
    shine: float
    colours: tuple[tuple[str, str], ...]
    sunken: bool = False


MATERIALS = {
    "skin": PaintMaterial(
        "skin", None, 0.06, (("#e0ac8c", "#c98a70"), ("#c68c6a", "#a86f52"), ("#8d5c40", "#6f4530"))
    ),
    "steel": PaintMaterial("steel", 5, 0.5, (("#b4b8bc", "#8b9095"), ("#a3a9ae", "#70767c"))),
    "utensil": PaintMaterial(
        "wood", 6, 0.15, (("#c69a62", "#a67a45"), ("#aab0b5", "#878d92"), ("#3a3c40", "#26272a"))
    ),
    "ceramic": PaintMaterial(
        "rim",
        7,
        0.3,
        (
            ("#eceae2", "#4f6d93"),
            ("#d5dde0", "#9fb2b8"),
            ("#c96f4a", "#9c4f32"),
            ("#6d8fae", "#dfe6ea"),
            ("#e7d9b0", "#b98e52"),
        ),
        sunken=True,
    ),
    "glass": PaintMaterial("glass", 6, 0.7, (("#cfdfe0", "#8fa9ab"), ("#c8d8c4", "#93ad90"))),
    "cookware": PaintMaterial(
        "hollow",
        9,
        0.3,
        (("#3c3e42", "#222326"), ("#a9adb1", "#74797d"), ("#b5382f", "#e4ddd0")),
        True,
    ),
    "slab": PaintMaterial("burners", 3, 0.25, (("#2d2f33", "#55585d"), ("#8f9498", "#44484c"))),
    "basin": PaintMaterial(
        "basin", 9, 0.1, (("#b3b8bb", "#84898d"), ("#dcdcd5", "#b4b4ac")), sunken=True
    ),
    "board": PaintMaterial("wood", 5, 0.06, (("#c79c66", "#a2733f"), ("#9b6b40", "#744a28"))),
    "plastic": PaintMaterial(
        "print",
        10,
        0.35,
        (
            ("#d8463c", "#f2efe6"),
            ("#2f7fb8", "#f0f0ea"),
            ("#4f9a4f", "#f4e9b0"),
            ("#ece8dc", "#3d6fa3"),
            ("#e6b93a", "#b53a2e"),
        ),
    ),
    "card": PaintMaterial(
        "print", 4, 0.08, (("#d9a441", "#8a2f25"), ("#c9d4da", "#24557f"), ("#a33a2e", "#f0e2b8"))
    ),
    "cloth": PaintMaterial(
        "weave", 4, 0.0, (("#e3e0d8", "#b54438"), ("#dfe5e8", "#3f6d8e"), ("#8ea58a", "#e8e6da"))
    ),
    "foam": PaintMaterial("speck", 6, 0.0, (("#e5c445", "#b58f28"), ("#7fb24f", "#4d7c2d"))),
    "red": PaintMaterial("peel", None, 0.45, (("#c8321f", "#5d8a34"), ("#a8272b", "#77913c"))),
    "orange": PaintMaterial("peel", None, 0.2, (("#e07b28", "#b4561a"), ("#d96b20", "#a94c14"))),
    "green": PaintMaterial("peel", None, 0.25, (("#4c7a34", "#7fa653"), ("#6f9a45", "#3f6a2c"))),
    "yellow": PaintMaterial("peel", None, 0.25, (("#e7c83c", "#b99a22"), ("#dcb93a", "#a5882a"))),
    "beige": PaintMaterial("peel", None, 0.15, (("#c39a63", "#94683a"), ("#d3b488", "#a98354"))),
}

_FAMILIES = {
    "skin": (11, 300, 301, 302),
    "steel": (0, 4, 14, 39, 58, 79, 96, 218),
    "utensil": (1, 20, 87, 97, 142, 136),
    "ceramic": (2, 7, 13, 158),
    "glass": (10, 40, 27),
    "cookware": (5, 6, 29, 35, 44),
    "slab": (24, 46),
    "basin": (63, 12),
    "board": (18, 3, 8, 42, 182),
    "plastic": (15, 21, 22, 60, 118, 303, 304, 36),
    "card": (23, 26, 61, 19, 99),
    "cloth": (17, 52, 49, 199),
    "foam": (9,),
    "red": (43, 187, 37, 28),
    "orange": (41, 167),
    "green": (72, 76, 120, 128, 62, 198, 223),
    "yellow": (105, 146, 32, 78),
    "beige": (16, 25, 30, 33, 51, 53),
}
_FAMILY_OF = {class_id: family for family, ids in _FAMILIES.items() for class_id in ids}
SURFACES = ("basin", "board", "slab")
"""Materials of objects that carry others."""

_OTHERWISE = ("plastic", "ceramic", "card", "beige", "green", "board", "steel")


def find_family(class_id: int) -> str:
    """Return the material of a noun class; classes without their own share a few.

    >>> find_family(4), find_family(301)
    ('steel', 'skin')
    """
    return _FAMILY_OF.get(class_id, _OTHERWISE[class_id % len(_OTHERWISE)])
