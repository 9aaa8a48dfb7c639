"""A small lexicon of people, animals and things, as a user of a referring dataset makes one."""

from __future__ import annotations

from actiseg_data.annotations.lexicon import SCHEMA, Lexicon, parse_lexicon

_CLASSES = {  # the names of a class: each with its plural, or None if it has none
    "person": ("living", [("person", "people"), ("man", "men"), ("woman", "women")]),
    "dog": ("living", [("dog", "dogs"), ("hound", "hounds")]),
    "horse": ("living", [("horse", "horses"), ("stallion", "stallions")]),
    "elephant": ("living", [("elephant", "elephants")]),
    "cat": ("living", [("cat", "cats")]),
    "sheep": ("living", [("sheep", "sheep")]),
    "car": ("thing", [("car", "cars"), ("auto", "autos")]),
    "umbrella": ("thing", [("umbrella", "umbrellas")]),
    "ball": ("thing", [("ball", "balls")]),
    "grass": ("thing", [("grass", None)]),
}


def farm_lexicon() -> Lexicon:
    classes = []
    for class_id, (name, (group, forms)) in enumerate(_CLASSES.items()):
        synset = f"{name}.n.01"
        names = [
            {
                "name": text,
                "head": text,
                "number": "mass" if plural is None else "singular",
                "other": plural,
                "article": None if plural is None else "an" if text[0] in "aeiou" else "a",
                "use": "write",
            }
            for text, plural in forms
        ]
        classes.append(
            {
                "class_id": class_id,
                "name": name,
                "supercategory": group,
                "synset": synset,
                "match": "exact",
                "candidates": [synset],
                "paths": [["entity.n.01", f"{group}.n.01", synset]],
                "names": names,
                "sisters": [],
            }
        )
    document = {"schema": SCHEMA, "title": "a farm", "licence": "CC0-1.0", "classes": classes}
    return parse_lexicon(document, "farm.json")
