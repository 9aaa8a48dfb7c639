"""The section of a dataset card about the noise: descriptions, tables and pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from actiseg_data.annotations.sizes import SIZES
from actiseg_noise.releases.contents.escaping import escape_markdown
from actiseg_noise.releases.contents.release_contents import Configuration, ReleaseContents
from actiseg_noise.releases.metadata.card_blocks import format_list, format_table
from actiseg_noise.releases.metadata.example_sheets import PICTURES, PLOT_FILE, choose_typical
from actiseg_noise.releases.metadata.noise_statements import TEXT_NAMES, describe_noises, join_words
from actiseg_noise.releases.metadata.release_facts import count_cut, find_repeats
from actiseg_noise.releases.metadata.release_statements import describe_repeats
from actiseg_noise.releases.metadata.release_statistics import NoiseStatistics, list_statistics

_HEADS = ("configuration", "items", "changed", "rate", "95 % interval", "share of all")

_MASK_WORDS = (
    "The first table describes the masks as stored{resolved}. An item is an object in {place} that "
    "noise could change. The rate of a size is a share of the items of this "
    "size. Bystanders are objects without noise of their own{losers}. Sizes are areas of the "
    "clean object in pixels: {sizes}. Intervals are Wilson intervals."
)
_LOSERS = "; those that lost pixels to a changed neighbour count as changed"
_TEXT_WORDS = (
    "{table} describes the text; an item is {item}. A flip (category) gives a name of another "
    "class, a substitution (within-category) another name of the same class. For a substitution, "
    "items are those that were not flipped and have another name. Similarity compares the WordNet "
    "senses of the old and the new class. Intervals are Wilson intervals."
)
_LABEL_WORDS = (
    "{table} describes the labels of active objects (`positive`); an item is an object of a "
    "sequence. Forgotten are active objects that are labelled as inactive, marked are inactive "
    "ones that are labelled as active. Intervals are Wilson intervals."
)
_CATEGORY_WORDS = (
    "{table} describes the categories of objects; an item is an object. Objects that were "
    "drawn their own category count as unchanged. Intervals are Wilson intervals."
)
_PLACES = ("The table", "The second table", "The third table", "The fourth table")
_NAMES = {"all": "all", "bystanders": "bystanders"}


def compose_noise(contents: ReleaseContents) -> Iterator[str]:
    """Compose the section about the noise."""
    yield "\n".join(
        f"* **{escape_markdown(entry.name)}**: {escape_markdown(sentence)}."
        for entry in contents.configurations
        for sentence in describe_noises(entry)
    )
    repeats = find_repeats(contents)
    if repeats:
        yield format_list(contents, describe_repeats(contents))
    rows = [r for r in list_statistics(contents) if not _is_repeat(r, repeats)]
    masks = [row for row in rows if row.medium in ("masks", "objects")]
    text = [row for row in rows if row.medium == "text"]
    if masks:
        yield _describe_mask_table(contents)
        heads = (*_HEADS, "IoU min", "25 %", "median", "75 %", "max")
        yield format_table(heads, map(_format_row, masks))
    if text:
        item = (
            "an object of a sequence, or a narration if noise changes narrations"
            if contents.kind.has_actions
            else "a noun of a referring expression"
        )
        yield _TEXT_WORDS.format(table=_PLACES[bool(masks)], item=item)
        heads = (*_HEADS, "similarity min", "25 %", "median", "75 %", "max")
        yield format_table(heads, map(_format_row, text))
    number = bool(masks) + bool(text)
    for medium, words in (("labels", _LABEL_WORDS), ("categories", _CATEGORY_WORDS)):
        labels = [row for row in rows if row.medium == medium]
        if labels:
            yield words.format(table=_PLACES[number])
            yield format_table(_HEADS, (_format_row(row)[: len(_HEADS)] for row in labels))
            number += 1
    yield from _compose_pictures(contents)
    yield "All numbers, with the 5 % and 95 % quantiles, are in `statistics.csv`."


def _is_repeat(row: NoiseStatistics, repeats: Mapping[tuple[str, str], str]) -> bool:
    medium = "masks" if row.medium == "objects" else row.medium
    return (row.configuration, medium) in repeats


def _describe_mask_table(contents: ReleaseContents) -> str:
    kind = contents.kind
    return _MASK_WORDS.format(
        resolved="" if kind.has_layers else ", after overlaps were resolved",
        place=kind.place,
        losers="" if kind.has_layers else _LOSERS,
        sizes=_describe_sizes(),
    )


def _describe_sizes() -> str:
    """Describe the bounds of the sizes in pixels."""
    below = [f"{name} below {bound}" for (name, _), (_, bound) in pairwise(SIZES)]
    name, least = SIZES[-1]
    return ", ".join([*below, f"{name} {least} or more"])


def _format_row(row: NoiseStatistics) -> list[str]:
    name = _NAMES.get(row.group, f"{row.group}: {row.name}")
    if row.group == "kind" and row.name in TEXT_NAMES:
        name = f"{TEXT_NAMES[row.name]} ({row.name})"
    interval = (
        "" if row.rate_low is None else f"{row.rate_low:.3f} to {row.rate_high:.3f}"
    )  # both bounds or none
    values = (row.minimum, row.q25, row.q50, row.q75, row.maximum)
    return [
        f"{row.configuration}, {name}",
        "" if row.items is None else str(row.items),
        str(row.noisy),
        "" if row.rate is None else f"{row.rate:.3f}",
        interval,
        "" if row.share is None else f"{row.share:.3f}",
        *("" if value is None else f"{value:.3f}" for value in values),
    ]


def _compose_pictures(contents: ReleaseContents) -> Iterator[str]:
    """Show the pictures of a release, each with a text for those who do not see it."""
    names = {file.name for file in contents.files if file.role == "picture"}
    if PLOT_FILE in names:
        alt = "Quantiles of the IoU of changed masks, by configuration, kind and size"
        yield f"![{alt}](<{PLOT_FILE}>)"
        yield (
            "Figure: IoU of changed masks with the clean masks, as in the table. The axis does not "
            "begin at 0 if all values are high."
        )
    for entry in contents.configurations:
        name = f"{PICTURES}/{entry.name}.png"
        if name in names:
            yield f"![{escape_markdown(_describe_sheet(entry))}](<{name}>)"
            yield f"Figure: {escape_markdown(_explain_sheet(entry))}"


def _describe_sheet(entry: Configuration) -> str:
    counts = Counter(row.kind for row in choose_typical(entry.documents.mask_rows))
    if not counts:
        return f"Objects of {entry.name} with their old and new names; masks are unchanged"
    kinds = join_words([f"{count} {kind}" for kind, count in sorted(counts.items())], "and")
    return f"Objects of {entry.name}, clean left and noisy right: {kinds}"


def _explain_sheet(entry: Configuration) -> str:
    if not entry.documents.mask_rows:
        return f"examples of {entry.name}: the first objects of each kind with a visible mask."
    overlaps = (
        " A dark line within a grey area is the outline of a mask that another object covers."
        if count_cut(entry)
        else ""
    )
    return (
        f"examples of {entry.name}: for each kind, objects of different {entry.kind.sequences} "
        "with an IoU near the median of the kind. A dark line is the clean outline inside the "
        f"object.{overlaps}"
    )
