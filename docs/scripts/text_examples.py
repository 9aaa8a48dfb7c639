"""Write tables of real prompts and narrations before and after each kind of text noise.

python docs/scripts/text_examples.py ROOT docs/lexicon/examples.md

ROOT has real training sequences (actiseg-noise prepare). Examples are chosen by hash, not by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import make_key
from actiseg_data.layouts.image_sets import make_prompt
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import TextRow
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.text_noise.text_plan import plan_text

ROWS = 40

ABOUT = """\
# Text noise on real prompts and narrations

Each table has {rows} rows from {sequences} real training sequences, selected by hash.
Changes are in **bold**. A cell is empty if noise of that kind cannot change the item: its class has
no other name, WordNet has no sister term that a person would write here, the sequence contains
all of them, or the object has no partner to trade names with.

Made by `python docs/scripts/text_examples.py ROOT docs/lexicon/examples.md` from VISOR's training
annotations and the narrations of EPIC-KITCHENS-100 (University of Bristol, CC BY-NC 4.0), changed
on purpose. Sister terms and synonyms come from WordNet. The licences in `data_manifests/lexicon`
apply to this page.
"""


def make_rows(split: Any, kind: str, **options: Any) -> dict[tuple[str, int | None], TextRow]:
    """Return the ledger rows of noise at rate 1, by sequence and object id."""
    recipe = make_recipe(kind, 1.0, **options)
    plan = plan_text(split, recipe, split.sequences)
    return {(row.sequence, row.object_id): row for rows in plan.rows.values() for row in rows}


def select_objects(sequences: Iterable[VideoSequence]) -> list[tuple[VideoSequence, ObjectLabel]]:
    """Select one object of each sequence, in the order of hashes, no name or narration twice."""

    def rank(sequence: VideoSequence, *name: str) -> bytes:
        return make_key(0, 1, "docs.examples", *sequence.identity, *name)

    selected, names, narrations = [], set(), set()
    for sequence in sorted(sequences, key=rank):
        labels = [label for label in sequence.objects if label.name not in names]
        if labels and sequence.narration not in narrations:
            chosen = min(labels, key=lambda label, owner=sequence: rank(owner, label.name))
            names.add(chosen.name)
            narrations.add(sequence.narration)
            selected.append((sequence, chosen))
    return selected


def mark_difference(old: str, new: str) -> str:
    """Return the new text with the difference from the old text in bold."""
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


def write_table(title: str, heads: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield a Markdown table under a heading."""
    yield f"\n## {title}\n\n"
    yield f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def write_prompts(split: Any, title: str, kinds: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield a table of prompts, with the new name under each of several kinds of noise."""
    by_kind = [make_rows(split, **options) for options in kinds.values()]
    body = []
    for sequence, label in select_objects(split.sequences):
        rows = [changed.get((sequence.folder, label.object_id)) for changed in by_kind]
        if any(rows):
            clean = make_prompt("promptaction", label.name, sequence.narration)
            body.append([clean, *(f"**{row.name}**" if row else "" for row in rows)])
    yield from write_table(title, ["prompt", *kinds], body[:ROWS])


def write_narrations(split: Any) -> Iterator[str]:
    """Yield tables of text before and after noise that changes narrations."""
    for flip in ("uniform", "near"):
        changed = make_rows(split, "category", scope="narration", parameters={"flip": flip})
        body = [
            [row.prompt_org, mark_difference(row.prompt_org, row.prompt)]
            for sequence, _ in select_objects(split.sequences)
            if (row := changed.get((sequence.folder, None))) is not None
        ]
        title = f"`category --scope narration --flip {flip}`: narrations"
        yield from write_table(title, ["before", "after"], body[:ROWS])
    changed = make_rows(split, "category", scope="both", parameters={"flip": "near"})
    body = []
    for sequence, _ in select_objects(split.sequences):
        for label in sequence.objects:
            row = changed.get((sequence.folder, label.object_id))
            if row is not None and label.class_id == sequence.noun_class:
                body.append([row.prompt_org, row.prompt])
                break
    title = "`category --scope both --flip near`: prompts of objects that the narration names"
    yield from write_table(title, ["before", "after"], body[:ROWS])


def main(root: Path, out: Path, split: Annotated[str, typer.Option()] = "train") -> None:
    """Write the tables."""
    opened = open_split(root, split)
    flips = {
        f"`{flip}`": {"kind": "category", "parameters": {"flip": flip}}
        for flip in ("uniform", "near", "far", "supercategory", "sister")
    }
    flips["`exchange`"] = {"kind": "exchange"}
    names = {
        f"`{names}`": {"kind": "within-category", "parameters": {"names": names}}
        for names in ("class", "wordnet")
    }
    head = "the name at the beginning of the prompt, by"
    text = "".join(
        [
            ABOUT.format(rows=ROWS, sequences=len(opened.sequences)),
            *write_prompts(opened, f"`category` and `exchange`: {head} `--flip`", flips),
            *write_prompts(
                opened,
                f"`within-category`: {head} `--names`",
                names,
            ),
            *write_narrations(opened),
        ]
    )
    out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
