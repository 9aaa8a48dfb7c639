"""Names for groups of objects in reports."""

from __future__ import annotations

from actiseg_data.annotations.lexicon import Lexicon


def name_supercategory(class_id: int, lexicon: Lexicon) -> str:
    """Return the supercategory of a class, as reports name it.

    A class that the lexicon lacks is ``not in the lexicon``. A class without a supercategory is
    ``none``.
    """
    noun = lexicon.classes.get(class_id)
    return "not in the lexicon" if noun is None else noun.supercategory or "none"
