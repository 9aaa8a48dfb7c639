"""The objects and actions of the sample's kitchens: two tables.

Names, class ids and verbs are from EPIC-KITCHENS-100's public lists of classes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """A kind of object.

    Attributes
    ----------
    class_id : int
        EPIC noun class.
    outline : str
        The name of its outline.
    size : float
        Pixels per unit of the outline, in an image 428 wide.
    place : str
        ``front`` is on the counter, ``back`` is before the wall, ``base`` carries other objects and
        is never scattered.
    """

    class_id: int
    outline: str
    size: float
    place: str = "front"


THINGS = {
    "tap": Thing(0, "tap", 84, "base"),
    "spoon": Thing(1, "spoon", 62),
    "wooden spoon": Thing(1, "spoon", 88),
    "plate": Thing(2, "plate", 88),
    "saucer": Thing(2, "plate", 54),
    "knife": Thing(4, "knife", 96),
    "bread knife": Thing(4, "bread knife", 104),
    "frying pan": Thing(5, "pan", 138),
    "saucepan": Thing(5, "pan", 110),
    "lid": Thing(6, "lid", 84),
    "bowl": Thing(7, "bowl", 72),
    "salad bowl": Thing(7, "bowl", 92),
    "sponge": Thing(9, "sponge", 38),
    "glass": Thing(10, "glass", 52, "back"),
    "cup": Thing(13, "cup", 52),
    "mug": Thing(13, "cup", 58),
    "fork": Thing(14, "fork", 64),
    "bottle": Thing(15, "bottle", 96, "back"),
    "oil bottle": Thing(15, "bottle", 104, "back"),
    "onion": Thing(16, "onion", 38),
    "cloth": Thing(17, "cloth", 76),
    "chopping board": Thing(18, "board", 136, "base"),
    "cutting board": Thing(18, "board", 124, "base"),
    "spatula": Thing(20, "spatula", 92),
    "food container": Thing(21, "tub", 62),
    "washing up liquid": Thing(22, "squeezer", 76, "back"),
    "box": Thing(23, "box", 66, "back"),
    "cereal box": Thing(23, "carton", 92, "back"),
    "tupperware": Thing(23, "tub", 70),
    "hob": Thing(24, "hob", 210, "base"),
    "pot": Thing(29, "pot", 96),
    "potato": Thing(30, "potato", 40),
    "tray": Thing(35, "tray", 124),
    "colander": Thing(39, "colander", 90),
    "jar": Thing(40, "jar", 46, "back"),
    "carrot": Thing(41, "carrot", 80),
    "tomato": Thing(43, "tomato", 35),
    "towel": Thing(52, "cloth", 96),
    "egg": Thing(53, "egg", 18),
    "can": Thing(61, "can", 48, "back"),
    "sink": Thing(63, "sink", 200, "base"),
    "cucumber": Thing(72, "courgette", 94),
    "courgette": Thing(76, "courgette", 84),
    "scissors": Thing(79, "scissors", 62),
    "peeler": Thing(87, "peeler", 46),
    "ladle": Thing(97, "ladle", 90),
    "lemon": Thing(105, "lemon", 30),
    "bottle cap": Thing(118, "tomato", 11),
    "apple": Thing(187, "apple", 36),
    "whisk": Thing(218, "whisk", 84),
}

LEFT_HAND, RIGHT_HAND = "left hand", "right hand"

CLASS_IDS = {name: thing.class_id for name, thing in THINGS.items()} | {
    LEFT_HAND: 300,
    RIGHT_HAND: 301,
}

LOOK_ALIKES = (
    ("knife", "bread knife", "spatula"),
    ("spoon", "wooden spoon", "ladle", "fork", "whisk", "peeler", "scissors"),
    ("plate", "saucer", "lid"),
    ("bowl", "salad bowl", "colander"),
    ("food container", "tupperware"),
    ("frying pan", "saucepan", "pot"),
    ("cup", "mug"),
    ("glass", "jar", "can"),
    ("bottle", "oil bottle", "washing up liquid"),
    ("box", "cereal box"),
    ("carrot", "courgette", "cucumber"),
    ("tomato", "apple", "onion", "potato", "lemon", "egg"),
    ("cloth", "towel", "tray", "sponge"),
)
"""Names that are easily mistaken for one another; spare objects of a sequence come from one row."""


@dataclass(frozen=True)
class SampleAction:
    """The action of a sequence.

    Attributes
    ----------
    stage : str
        The choreography, see `actiseg_data.make.sample.choreographies`.
    verb, verb_class, noun, noun_class, narration
        As in EPIC-KITCHENS-100.
    main, tool, base : str
        The object that is acted on, the tool, and what both are on.
    also : tuple of int
        Class ids that the narration names besides `noun_class`.
    """

    stage: str
    verb: str
    verb_class: int
    noun: str
    noun_class: int
    narration: str
    main: str = ""
    tool: str = ""
    base: str = ""
    also: tuple[int, ...] = ()


ACTIONS = (
    SampleAction("work", "cut", 7, "carrot", 41, "cut carrot", "carrot", "knife", "chopping board"),
    SampleAction("carry", "take", 0, "cup", 13, "take cup", "cup"),
    SampleAction("carry", "take", 0, "board:cutting", 18, "take cutting board", "cutting board"),
    SampleAction("work", "stir", 10, "bowl", 7, "stir bowl", "bowl", "spoon"),
    SampleAction("twist", "open", 3, "bottle", 15, "open bottle", "bottle", "bottle cap"),
    SampleAction("work", "wash", 2, "plate", 2, "wash plate", "plate", "sponge", "sink"),
    SampleAction("lay", "put-down", 1, "plate", 2, "put down plate", "plate"),
    SampleAction("work", "cut", 7, "tomato", 43, "cut tomato", "tomato", "knife", "cutting board"),
    SampleAction("pour", "pour", 9, "oil", 31, "pour oil", "frying pan", "oil bottle", "hob"),
    SampleAction("carry", "pick-up", 0, "fork", 14, "pick up fork", "fork"),
    SampleAction("none", "turn-off", 8, "light", 114, "turn off light"),
    SampleAction("work", "stir", 10, "pan", 5, "stir pan", "frying pan", "wooden spoon", "hob"),
    SampleAction("press", "turn-on", 6, "tap", 0, "turn on tap", "tap", base="sink"),
    SampleAction("work", "peel", 19, "carrot", 41, "peel carrot", "carrot", "peeler"),
    SampleAction("lay", "put-down", 1, "knife", 4, "put down knife", "knife"),
    SampleAction("carry", "take", 0, "box:cereal", 23, "take cereal box", "cereal box"),
    SampleAction("wipe", "wipe", 2, "counter", 42, "wipe counter", "cloth"),
    SampleAction("twist", "close", 4, "jar", 40, "close jar", "jar"),
    SampleAction("work", "wash", 2, "bowl", 7, "wash bowl", "bowl", "sponge", "sink"),
    SampleAction(
        "drop",
        "put-into",
        5,
        "carrot",
        41,
        "put carrot into bowl",
        "carrot",
        base="salad bowl",
        also=(7,),
    ),
    SampleAction("carry", "move", 11, "pan", 5, "move pan", "saucepan"),
    SampleAction(
        "work",
        "cut",
        7,
        "cucumber",
        72,
        "cut cucumber",
        "cucumber",
        "bread knife",
        "chopping board",
    ),
    SampleAction("carry", "take", 0, "plate", 2, "take plate", "plate"),
    SampleAction("pour", "pour", 9, "water", 27, "pour water", "bowl", "glass"),
    SampleAction("lay", "put-down", 1, "bowl", 7, "put down bowl", "bowl"),
    SampleAction(
        "work", "peel", 19, "potato", 30, "peel potato", "potato", "peeler", "chopping board"
    ),
    SampleAction("carry", "pick-up", 0, "spoon", 1, "pick up spoon", "spoon"),
    SampleAction("work", "scrape", 25, "pan", 5, "scrape pan", "frying pan", "spatula", "hob"),
    SampleAction("press", "turn-off", 8, "tap", 0, "turn off tap", "tap", base="sink"),
    SampleAction(
        "drop", "put", 1, "tomato", 43, "put tomato on plate", "tomato", base="plate", also=(2,)
    ),
    SampleAction("carry", "take", 0, "bottle", 15, "take bottle", "bottle"),
    SampleAction("work", "whisk", 10, "egg", 53, "whisk egg", "bowl", "whisk"),
    SampleAction("lay", "put-down", 1, "colander", 39, "put down colander", "colander"),
    SampleAction("work", "chop", 7, "onion", 16, "chop onion", "onion", "knife", "chopping board"),
    SampleAction("carry", "take", 0, "glass", 10, "take glass", "glass"),
    SampleAction("work", "wash", 2, "cup", 13, "wash mug", "mug", "sponge", "sink"),
    SampleAction("lay", "put-down", 1, "towel", 52, "put down towel", "towel"),
    SampleAction("twist", "open", 3, "tupperware", 23, "open tupperware", "tupperware"),
)
