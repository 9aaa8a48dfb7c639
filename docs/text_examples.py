"""Writes tables of real prompts and narrations before and after each kind of text noise.

python docs/text_examples.py ROOT docs/lexicon/examples.md

ROOT holds real training sequences (actiseg-noise prepare). They are taken by hash, not by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import make_key
from actiseg_data.layouts.actionvos import open_split
from actiseg_data.layouts.image_sets import make_prompt
from actiseg_data.records.split_records import TextRow
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.text_plan import plan_text

ROWS = 40

ABOUT = """\
# Text noise on real prompts and narrations

{rows} rows a table, of {sequences} real training sequences, taken by hash. Where a cell is empty,
noise of that kind cannot touch the item: its class has no other name, or WordNet no sister term
that a person would write here, or all of these stand in the clip. What changed stands in **bold**.

Made by `python docs/text_examples.py ROOT docs/lexicon/examples.md` from VISOR's training
annotations and the narrations of EPIC-KITCHENS-100. Prompts and narrations are theirs (University
of Bristol, CC BY-NC 4.0), changed on purpose; sister terms are WordNet's. The licences beside the
lexicon in `data_manifests/lexicon` hold for this page.
"""


def rows_of(split: Any, kind: str, **more: Any) -> dict[tuple[str, int | None], TextRow]:
    """Ledger rows of noise at rate 1, by sequence and object id."""
    recipe = make_recipe(kind, 1.0, **more)
    plan = plan_text(split, recipe, split.sequences)
    return {(row.sequence, row.object_id): row for of in plan.rows.values() for row in of}


def picked(sequences: Iterable[VideoSequence]) -> list[tuple[VideoSequence, ObjectLabel]]:
    """One object of each sequence, in the order of their hashes; no name or narration twice."""

    def rank(sequence: VideoSequence, *more: str) -> bytes:
        return make_key(0, 1, "docs.examples", *sequence.identity, *more)

    found, names, narrations = [], set(), set()
    for sequence in sorted(sequences, key=rank):
        things = [each for each in sequence.objects if each.name not in names]
        if things and sequence.narration not in narrations:
            thing = min(things, key=lambda each, of=sequence: rank(of, each.name))
            names.add(thing.name)
            narrations.add(sequence.narration)
            found.append((sequence, thing))
    return found


def marked(old: str, new: str) -> str:
    """The new text, with what differs from the old one in bold."""
    before, after = old.split(), new.split()
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if old == new or start == len(after) - end:
        return new
    parts = [*after[:start], f"**{' '.join(after[start : len(after) - end])}**"]
    return " ".join([*parts, *after[len(after) - end :]])


def table(title: str, heads: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """A Markdown table under a heading."""
    yield f"\n## {title}\n\n"
    yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def prompts(split: Any, title: str, kinds: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A table of names before and after several noises, each in its prompt."""
    found = [rows_of(split, **of) for of in kinds.values()]
    body = []
    for sequence, thing in picked(split.sequences):
        rows = [of.get((sequence.folder, thing.object_id)) for of in found]
        if any(rows):
            clean = make_prompt("promptaction", thing.name, sequence.narration)
            body.append([clean, *(f"**{row.name}**" if row else "" for row in rows)])
    yield from table(title, ["prompt", *kinds], body[:ROWS])


def narrations(split: Any) -> Iterator[str]:
    """Tables of texts before and after noise that reaches the narration."""
    for flip in ("uniform", "near"):
        changed = rows_of(split, "category", scope="narration", parameters={"flip": flip})
        body = [
            [row.prompt_org, marked(row.prompt_org, row.prompt)]
            for sequence, _ in picked(split.sequences)
            if (row := changed.get((sequence.folder, None))) is not None
        ]
        title = f"`category --scope narration --flip {flip}`: narrations"
        yield from table(title, ["before", "after"], body[:ROWS])
    changed = rows_of(split, "category", scope="both", parameters={"flip": "near"})
    body = []
    for sequence, _ in picked(split.sequences):
        for thing in sequence.objects:
            row = changed.get((sequence.folder, thing.object_id))
            if row is not None and thing.class_id == sequence.noun_class:
                body.append([row.prompt_org, row.prompt])
                break
    title = "`category --scope both --flip near`: prompts of what the narration names"
    yield from table(title, ["before", "after"], body[:ROWS])


def main(root: Path, to: Path, split: Annotated[str, typer.Option()] = "train") -> None:
    """Write the tables."""
    opened = open_split(root, split)
    flips = {
        f"`{flip}`": {"kind": "category", "parameters": {"flip": flip}}
        for flip in ("uniform", "near", "far", "supercategory")
    }
    names = {
        f"`{names}`": {"kind": "within-category", "parameters": {"names": names}}
        for names in ("class", "sister")
    }
    text = "".join(
        [
            ABOUT.format(rows=ROWS, sequences=len(opened.sequences)),
            *prompts(opened, "`category`: the name that each `--flip` puts first", flips),
            *prompts(opened, "`within-category`: the name that each `--names` puts first", names),
            *narrations(opened),
        ]
    )
    to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
