"""The automatic labels: objects in a touched box, and objects named in the narration."""

from __future__ import annotations

from collections.abc import Collection

from actiseg_data.annotations.sequences import ObjectLabel


def label_objects(
    objects: Collection[tuple[str, int]], noun_classes: Collection[int], in_box: Collection[str]
) -> tuple[ObjectLabel, ...]:
    """Label the objects of an action, and number them from 1 in the given order.

    Parameters
    ----------
    objects : collection of (str, int)
        Name and class id, sorted by name.
    noun_classes : collection of int
        Classes of the narration's nouns. Objects match by class, so every name of a class counts.
    in_box : collection of str
        Hands, and names seen in a box of touched entities in any frame of the action.

    Returns
    -------
    tuple of ObjectLabel
        An object is positive iff it has either label.

    Examples
    --------
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
