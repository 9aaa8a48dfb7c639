"""Print the senses of a lexicon as a table that a person can check."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from actiseg_noise.lexicon_builder.lexicon_building import BuiltLexicon
from actiseg_noise.lexicon_builder.senses import Sense

_NAMES, _SISTERS, _ABOVE, _SENSES = 6, 5, 3, 5
_WIDTH, _RIVALS = 76, 3

_HEAD = """\
# Senses of the classes

One row for each class. *synset*: its WordNet 3.0 synset; *under*: the synsets above it; *by*:
chosen by the procedure, or by review with the reason given; *match*: `exact`, or `nearest` if
WordNet lacks the noun; *of the senses*: the first senses among which the procedure chose; *names*:
the first names that noise may write; *synonyms*: WordNet's names for it; *sisters*: the first
sister terms. Numbers in brackets count all.

Made by `{command}`. {licence}

"""


def format_sense_table(built: BuiltLexicon, command: str) -> Iterator[str]:
    """Yield a Markdown table, line by line; it cites the command that makes it."""
    document = built.document
    yield _HEAD.format(command=command, licence=document["licence"])
    chosen = [sense.origin for sense in built.senses.values()]
    nearest = sum(sense.match == "nearest" for sense in built.senses.values())
    yield (
        f"{len(chosen)} classes; {chosen.count('procedure')} senses by the procedure, "
        f"{chosen.count('review')} by review; {nearest} nearest.\n\n"
    )
    columns = (
        *("id", "class", "group", "synset", "match", "under", "by", "of the senses", "names"),
        *("synonyms", "sisters"),
    )
    yield f"| {' | '.join(columns)} |\n"
    yield f"{'|---' * len(columns)}|\n"
    for noun in document["classes"]:
        yield f"| {' | '.join(_make_cells(noun, built.senses[noun['class_id']]))} |\n"


def list_uncertain_senses(built: BuiltLexicon) -> Iterator[str]:
    """Yield the uncertain senses of a lexicon, each with its rivals, as lines for a terminal.

    A line has at most `_WIDTH` characters unless a name is very long.
    """
    for noun in built.document["classes"]:
        sense = built.senses[noun["class_id"]]
        if not sense.uncertain:
            continue
        yield _format_sense(f"{noun['name']}:", sense.synset)
        if sense.why:
            yield f"    {sense.why}"
        for rival in sense.rivals[:_RIVALS]:
            yield _format_sense("    or", rival)
        if len(sense.rivals) > _RIVALS:
            yield f"    or {len(sense.rivals) - _RIVALS} more"


def _format_sense(head: str, synset: Any) -> str:
    start = f"{head} {synset.name()}, "
    gloss = textwrap.shorten(synset.definition(), max(_WIDTH - len(start), 20), placeholder=" ...")
    return start + gloss


def _make_cells(noun: Mapping[str, Any], sense: Sense) -> list[str]:
    ancestors = noun["paths"][0][-_ABOVE - 1 : -1][::-1]
    written = [name["name"] for name in noun["names"] if name["use"] == "write"]
    return [
        str(noun["class_id"]),
        noun["name"],
        noun["supercategory"] or "",
        f"`{noun['synset']}`",
        noun["match"],
        " < ".join(synset.partition(".")[0].replace("_", " ") for synset in ancestors),
        f"{sense.origin}: {sense.why}" if sense.why else sense.origin,
        _join_first([f"`{name}`" for name in noun["candidates"]], _SENSES),
        _join_first(written, _NAMES),
        _join_first([synonym["name"] for synonym in noun["synonyms"]], _SISTERS),
        _join_first([sister["name"] for sister in noun["sisters"]], _SISTERS),
    ]


def _join_first(texts: list[str], most: int) -> str:
    more = f" ... ({len(texts)})" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
