"""The dataset card of a release: ``README.md``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from actiseg_noise.recipes.published import name_recipe
from actiseg_noise.releases.archive_names import RESTORE_NAMES, spell_names
from actiseg_noise.releases.card_header import compose_header, list_parquet_files, name_hub_split
from actiseg_noise.releases.citation import compose_bibtex
from actiseg_noise.releases.escaping import escape_markdown, quote_block
from actiseg_noise.releases.licence_files import describe_licences
from actiseg_noise.releases.release_contents import ReleaseContents
from actiseg_noise.releases.release_statements import (
    compose_notice,
    count_contents,
    describe_annotators,
    describe_maintenance,
    describe_noises,
    describe_persons,
    describe_release,
    list_changes,
    list_handled,
    list_limits,
    list_misuses,
    list_toolkits,
    list_uses,
    name_source,
)
from actiseg_noise.releases.release_statistics import NoiseStatistics, list_statistics
from actiseg_noise.releases.row_fields import list_row_fields

_HUB = re.compile(r"https?://huggingface\.co/datasets/([\w.-]+/[\w.-]+)/?")


def compose_card(contents: ReleaseContents) -> str:
    """Compose the dataset card of a release. Its pictures are those among the release's files."""
    sections = (
        ("", _compose_summary),
        ("What was changed", _compose_changes),
        ("Load", _compose_loading),
        ("Rebuild and verify", _compose_rebuilding),
        ("Fields", _compose_fields),
        ("Known limits", _compose_limits),
        ("Uses", _compose_uses),
        ("Who made the labels", lambda contents: _list_items(describe_annotators(contents))),
        ("Personal data", lambda contents: [escape_markdown(describe_persons(contents))]),
        ("Licence and attribution", _compose_licence),
        ("Citation", lambda contents: [quote_block(compose_bibtex(contents))]),
        ("Versions and maintenance", _compose_versions),
    )
    blocks = [compose_header(contents), f"# {escape_markdown(contents.description.title)}"]
    for title, compose in sections:
        blocks += [f"## {title}"] if title else []
        blocks += compose(contents)
    return "\n\n".join(block.rstrip("\n") for block in blocks) + "\n"


def format_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Format a Markdown table; every cell is escaped.

    >>> print(format_table(["kind"], [["a|b"]]))
    | kind |
    |---|
    | a\|b |
    """
    lines = [
        "| " + " | ".join(escape_markdown(cell) for cell in row) + " |" for row in (columns, *rows)
    ]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def _compose_summary(contents: ReleaseContents) -> Iterator[str]:
    yield escape_markdown(describe_release(contents))
    rows = []
    for entry in contents.configurations:
        counts = count_contents(entry)
        row = [entry.name, entry.split.recipe.split, *map(str, counts.values())]
        recipe = entry.split.recipe
        row += [str(len(entry.documents.rows)), name_recipe(recipe) or recipe.digest]
        rows.append(row)
    heads = ("configuration", "split", "sequences", "frames", "objects", "changes", "recipe")
    yield format_table(heads, rows)
    url = contents.description.url
    published = "" if contents.description.date is None else f", {contents.description.date}"
    yield f"Version {escape_markdown(contents.description.version)}{published}" + (
        f", at <{url}>." if url else "."
    )


def _compose_changes(contents: ReleaseContents) -> Iterator[str]:
    yield "\n".join(
        f"* **{escape_markdown(entry.name)}**: {escape_markdown(sentence)}."
        for entry in contents.configurations
        for sentence in describe_noises(entry)
    )
    rows = list_statistics(contents)
    masks = [row for row in rows if row.medium == "masks"]
    if masks:
        yield (
            "Masks on disk, after overlaps. An item is an object in a frame that noise could "
            "change. The rate of a kind is its share of all items; that of a size, its share of "
            "the items of this size. Sizes are areas of the clean object in pixels: tiny below "
            "400, small below 1500, medium below 10000."
        )
        heads = ("configuration", "items", "changed", "rate", "95 % interval")
        yield format_table((*heads, "IoU 25 %", "median", "75 %"), map(_format_row, masks))
    text = [row for row in rows if row.medium == "text"]
    if text:
        yield (
            "Text. An item is an object of a sequence. A flip (category) gives it a name of "
            "another class, a substitution (within-category) another name of its class. Similarity "
            "is that of the two WordNet senses, 1 for the same sense. An object of a class "
            "with only one name cannot get another one, so the rate can be below the recipe's."
        )
        heads = ("configuration", "items", "changed", "rate", "95 % interval")
        yield format_table((*heads, "similarity 25 %", "median", "75 %"), map(_format_row, text))
    pictures = [file.name for file in contents.files if file.role == "picture"]
    for name in sorted(pictures, key=lambda name: (name != "pictures/statistics.png", name)):
        label = name.rpartition("/")[2].removesuffix(".png")
        yield f"![{escape_markdown(label)}](<{name}>)"
    yield "All numbers, with the 5 % and 95 % quantiles, are in `statistics.csv`."


def _format_row(row: NoiseStatistics) -> list[str]:
    name = row.name if row.group in ("all", "bystanders") else f"{row.group}: {row.name}"
    interval = (
        "" if row.rate_low is None else f"{row.rate_low:.3f} to {row.rate_high:.3f}"
    )  # both bounds or none
    return [
        f"{row.configuration}, {name}",
        "" if row.items is None else str(row.items),
        str(row.noisy),
        "" if row.rate is None else f"{row.rate:.3f}",
        interval,
        *("" if value is None else f"{value:.3f}" for value in (row.q25, row.q50, row.q75)),
    ]


def _compose_loading(contents: ReleaseContents) -> Iterator[str]:
    first = contents.configurations[0].name
    files = list_parquet_files(contents, first)
    if not files:
        yield "This release has no data: see the next section."
        return
    hub = _HUB.fullmatch(contents.description.url or "")
    place = hub[1] if hub else "."
    split = name_hub_split(str(files[0].split))
    yield "With Hugging Face datasets" + ("" if hub else ", in the folder of the release") + ":"
    yield "\n".join(
        [
            "```python",
            "from datasets import load_dataset",
            "",
            f'rows = load_dataset("{place}", "{first}", split="{split}")',
            'print(rows[0]["prompt"], rows[0]["mask"].size)',
            "```",
        ]
    )
    yield "With pyarrow alone:"
    yield "\n".join(
        [
            "```python",
            "from pyarrow import parquet",
            "",
            f"table = parquet.read_table({files[0].name!r})",
            "```",
        ]
    )
    yield "As a dataset in the layout of ActionVOS, which its public code reads:"
    yield f"```sh\ntar -xf archives/{first}.tar\n```"
    yield from _explain_names(contents)


def _explain_names(contents: ReleaseContents) -> Iterator[str]:
    """Say how to restore the names of files that an archive has in another spelling."""
    names = [
        entry.name
        for entry in contents.configurations
        if spell_names(entry.documents.digests, entry.folder).respelled
    ]
    if not names:
        return
    yield (
        f"Names that Windows cannot have are escaped in the archives of {', '.join(names)}. "
        "actiseg finds them under either name. Other code needs the original names, which "
        "`NAMES.tsv` has; this command restores them in an unpacked archive:"
    )
    yield f"```bash\ncd {names[0]} && {RESTORE_NAMES}\n```"


def _compose_rebuilding(contents: ReleaseContents) -> Iterator[str]:
    name = contents.configurations[0].name
    tools = " or ".join(list_toolkits(contents)) or "actiseg"
    yield (
        f"Anyone with {escape_markdown(name_source(contents))} can make the same pixels and words "
        f"with {escape_markdown(tools)}. Put the folder of the clean dataset for "
        "`dataset_clean`; a part of it rebuilds that part:"
    )
    lines = ["sha256sum -c SHA256SUMS"]
    lines.append(f"actiseg-noise rebuild . --config {name} --source dataset_clean --out {name}")
    if contents.data != "none":
        lines += [f"tar -xf archives/{name}.tar -C ..", f"actiseg-noise verify ../{name}"]
    lines.append("actiseg-noise publish --check .")
    yield "\n".join(["```sh", *lines, "```"])
    inputs = [(split, file) for split, files in contents.source.inputs.items() for file in files]
    if inputs:
        yield "The clean dataset was prepared from these files (`--visor` instead of `--source`):"
        yield format_table(
            ("split", "input", "file", "sha256"),
            [(split, file.role, file.name, file.sha256) for split, file in inputs],
        )


def _compose_fields(contents: ReleaseContents) -> Iterator[str]:
    if contents.data == "none":
        yield "This release has no rows."
        return
    yield "A row is an object in a frame."
    rows = [
        (field.name, field.kind, field.meaning)
        for field in list_row_fields(frames=contents.data == "frames")
    ]
    yield format_table(("field", "type", "meaning"), rows)


def _compose_limits(contents: ReleaseContents) -> Iterator[str]:
    yield from _list_items(list_limits(contents))
    yield "Special cases that the program handled:"
    yield from _list_items(list_handled(contents))


def _compose_uses(contents: ReleaseContents) -> Iterator[str]:
    yield "Meant for:"
    yield from _list_items(list_uses(contents))
    yield "Not fit for:"
    yield from _list_items(list_misuses(contents))


def _compose_licence(contents: ReleaseContents) -> Iterator[str]:
    yield format_table(("part", "licence"), describe_licences(contents))
    yield "Full texts are in `licences/`. The NOTICE of this release:"
    yield quote_block(compose_notice(contents))


def _compose_versions(contents: ReleaseContents) -> Iterator[str]:
    yield escape_markdown(describe_maintenance(contents))
    changes = list_changes(contents)
    if not changes:
        yield "This is the first version."
    for version, lines in changes:
        yield f"Changes since {escape_markdown(version)}:"
        yield from _list_items(lines or ("none",))


def _list_items(lines: Iterable[str]) -> list[str]:
    return ["\n".join(f"* {escape_markdown(line)}" for line in lines)]
