"""Find the noun that an expression refers to: ``person`` in ``a person on a brown horse``.

English has the head of a noun phrase at its end, and an expression begins with the phrase of its
object. Without a parser, the head is therefore the first noun of the lexicon, if no word before it
ends the first phrase. If one does, as in ``a lady on a horse`` where the lexicon lacks the lady,
no head is found: a wrong noun would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from actiseg_noise.text_noise.mentions import Mention

_DETERMINERS = frozenset(
    (
        *("a", "an", "the", "this", "that", "these", "those", "another", "each", "every"),
        *("some", "any", "my", "your", "his", "her", "its", "our", "their"),
    )
)
_ENDS = frozenset(
    (
        *("about", "above", "across", "after", "against", "along", "among", "around", "as", "at"),
        *("before", "behind", "below", "beside", "between", "beyond", "by", "down", "for", "from"),
        *("in", "inside", "into", "like", "near", "next", "of", "off", "on", "onto", "or", "out"),
        *("outside", "over", "past", "through", "to", "toward", "under", "underneath", "up"),
        *("upon", "via", "with", "within", "without", "who", "whom", "where", "when", "which"),
        *("while", "whose", "is", "are", "was", "were", "be", "been", "being", "has", "have"),
        *("had", "do", "does", "did", "can", "will", "there", "it", "he", "she", "they"),
    )
)
"""Words that end the first phrase of an expression, or show that it has no noun."""

_COLOURS = frozenset(
    ("black", "white", "brown", "grey", "gray", "red", "blue", "green", "yellow", "orange")
)
_GROUPS = (
    *("one", "two", "three", "four", "five", "six", "both", "all", "some", "several", "many"),
    *("most", "each", "any", "pair", "couple", "group", "bunch", "number", "row", "set"),
)
_QUANTITY = re.compile(rf"\s*(?:(?:an?|the)\s+)?(?:{'|'.join(_GROUPS)})\s+of\s+", re.IGNORECASE)
"""The beginning of ``one of the dogs``, whose head comes after ``of``."""

_POSSESSOR = re.compile("['\u2019]")
_WORDS = re.compile(r"[^\W_]+(?:['\u2019][^\W_]*)?|[^\w\s-]")


def find_head(text: str, mentions: Sequence[Mention], referents: AbstractSet[int]) -> int | None:
    """Find the head noun of an expression.

    Parameters
    ----------
    text : str
        The expression.
    mentions : sequence of Mention
        Its nouns, in order.
    referents : set of int
        The classes of the objects that it refers to; empty if they are unknown. A noun of these
        classes is the head, wherever it is.

    Returns
    -------
    int or None
        The position of the noun among the mentions; None if it is not clear.

    Examples
    --------
    >>> cat, mat = (Mention(start, start + 3, (1,), "", "singular") for start in (2, 13))
    >>> find_head("a cat on the mat", [cat, mat], frozenset())
    0
    >>> find_head("a lion on a mat", [mat], frozenset()) is None
    True
    """
    own = [
        (position, mention)
        for position, mention in enumerate(mentions)
        if not _POSSESSOR.match(text, mention.end)
    ]
    for position, mention in own:
        if not referents.isdisjoint(mention.classes):
            return position
    if own and _is_one_phrase(text[: own[0][1].start]):
        return own[0][0]
    return None


def _is_one_phrase(before: str) -> bool:
    """Return whether the words before a noun can be of its own phrase.

    >>> _is_one_phrase("the black and white "), _is_one_phrase("one of the big ")
    (True, True)
    >>> _is_one_phrase("a lady riding a "), _is_one_phrase("lady rides ")
    (False, False)
    """
    quantity = _QUANTITY.match(before)
    words = [
        word.casefold() for word in _WORDS.findall(before[quantity.end() if quantity else 0 :])
    ]
    return not any(_is_end(words, position) for position in range(len(words)))


def _is_end(words: Sequence[str], position: int) -> bool:
    """Return whether a word before a noun ends the phrase that it is in."""
    word = words[position]
    is_first = position == 0
    if _POSSESSOR.search(word):  # "the man's", which is another determiner
        return False
    if not word[0].isalnum() or word in _ENDS:
        return True
    if word in _DETERMINERS:
        return not is_first
    if word == "and":
        return is_first or words[position - 1] not in _COLOURS
    if word.endswith("ing"):  # a verb after a noun, an adjective after a determiner
        return not is_first and words[position - 1] not in _DETERMINERS
    # Verbs and plurals end so, and few adjectives do.
    return word.endswith("s") and not word.endswith(("ss", "us"))
