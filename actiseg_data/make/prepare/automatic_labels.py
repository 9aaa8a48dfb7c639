"""The automatic labels: is an object in a touched box, is it named in the narration."""

from __future__ import annotations

from collections.abc import Collection

from actiseg_data.annotations.sequences import ObjectLabel


def label_objects(
    objects: Collection[tuple[str, int]], noun_classes: Collection[int], in_box: Collection[str]
) -> tuple[ObjectLabel, ...]:
    """Label the objects of an action, numbering them from 1 in the order given.

    objects: (name, class id), sorted by name. noun_classes: classes of the narration's nouns: the
    match is by class, so every name of a class counts. in_box: names seen in a box of touched
    things, or hands, in any frame of the action. An object is positive iff either label is set.

    >>> [label.positive for label in label_objects([("cup", 13), ("tap", 0)], {0}, set())]
    [False, True]
    """
    labels = []
    for object_id, (name, class_id) in enumerate(objects, 1):
        handbox, narration = name in in_box, class_id in noun_classes
        labels.append(
            ObjectLabel(object_id, name, class_id, handbox or narration, handbox, narration)
        )
    return tuple(labels)
