"""The dataset card of a release: ``README.md`` with the header that the Hugging Face Hub reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import yaml

from actiseg_noise.releases.citation import compose_bibtex
from actiseg_noise.releases.escaping import escape_markdown, render_table
from actiseg_noise.releases.iou_plot import PLOT_FILE
from actiseg_noise.releases.release_contents import ReleaseContents
from actiseg_noise.releases.release_facts import (
    describe_biases,
    describe_configuration,
    describe_maintenance,
    describe_persons,
    list_limits,
    list_misuses,
    list_preprocessing,
    list_tools,
    list_uses,
)
from actiseg_noise.releases.release_statistics import NoiseStatistics, list_statistics

CARD_FILE = "README.md"

ROW_FIELDS = {
    "sequence, frame": "names of the sequence and of the frame",
    "object_id": "pixel value of the object in the index masks of the archive",
    "prompt, prompt_clean": "the prompt of the object after and before noise",
    "name, name_clean": "its name after and before noise",
    "class_id, class_id_clean": "its class after and before noise (EPIC-KITCHENS-100 noun class)",
    "positive": "whether the object is active, that is, takes part in the action",
    "mask": "the noisy mask of the object: a PNG of 1 bit",
    "picture": "the mask before noise (left) and after it (right), enlarged",
    "kind": "the noise of the mask; empty if the object got none in this frame",
    "kind_text": "the noise of the prompt; empty if it got none",
    "iou": "IoU of the noisy mask with the clean one on disk; empty without mask noise",
    "image": "the frame",
}
"""What the columns of the Parquet files are."""

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def compose_card(contents: ReleaseContents) -> str:
    """Compose the dataset card.

    The numbers in it are those of ``summary.json`` of each configuration: what is on disk.
    """
    header = yaml.safe_dump(_make_header(contents), sort_keys=False, allow_unicode=True, width=1000)
    sections = (
        _describe_release,
        _describe_noise,
        _describe_loading,
        _describe_rebuilding,
        _describe_fields,
        _describe_limits,
        _describe_makers,
        _describe_licence,
        _describe_history,
    )
    lines = [line for section in sections for line in (*section(contents), "")]
    return f"---\n{header}---\n\n" + "\n".join(lines).rstrip() + "\n"


def _make_header(contents: ReleaseContents) -> dict[str, Any]:
    licences = [terms.hub for terms in contents.licences]
    header: dict[str, Any] = {
        "pretty_name": contents.description.title,
        "license": licences[0] if len(set(licences)) == 1 else list(dict.fromkeys(licences)),
        "language": ["en"],
        "task_categories": ["image-segmentation", "mask-generation"],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original" if contents.source.synthetic else "extended"],
        "size_categories": [_name_size(contents)],
        "tags": ["label-noise", "video-object-segmentation", "croissant"],
    }
    shards = [file for file in contents.files if file.role == "parquet"]
    if shards:
        header["configs"] = [
            {
                "config_name": entry.name,
                **({"default": True} if number == 0 else {}),
                "data_files": [
                    {"split": split, "path": f"data/{entry.name}/{split}-*.parquet"}
                    for split in dict.fromkeys(
                        str(file.split) for file in shards if file.configuration == entry.name
                    )
                ],
            }
            for number, entry in enumerate(contents.configurations)
        ]
    return header


def count_rows(contents: ReleaseContents) -> int:
    """Count the rows of the Parquet files, or without them the frames of all configurations."""
    rows = sum(file.rows or 0 for file in contents.files)
    if rows:
        return rows
    return sum(int(entry.documents.summary["frames"]) for entry in contents.configurations)


def _name_size(contents: ReleaseContents) -> str:
    count = count_rows(contents)
    return next((name for limit, name in _SIZES if count < limit), "1M<n<10M")


def _describe_release(contents: ReleaseContents) -> Iterator[str]:
    description = contents.description
    yield f"# {escape_markdown(description.title)}"
    yield ""
    configurations = contents.configurations
    kind = "the built-in synthetic sample of actiseg" if contents.source.synthetic else "a dataset"
    yield (
        f"Noisy labels for video object segmentation, made on purpose from the clean labels of "
        f"{kind}. Use them to train models, and to study methods that are robust to wrong labels."
    )
    yield ""
    yield f"Version {escape_markdown(description.version)}, {escape_markdown(description.date)}."
    yield ""
    for entry in configurations:
        yield f"* `{entry.name}`: {escape_markdown(describe_configuration(entry))}."


def _describe_noise(contents: ReleaseContents) -> Iterator[str]:
    yield "## What was changed"
    yield ""
    yield (
        "These numbers were measured on disk, after neighbouring objects competed for pixels. "
        "`statistics.csv` has all of them."
    )
    rows = [row for entry in contents.configurations for row in list_statistics(entry)]
    masks, text = ([row for row in rows if row.medium == medium] for medium in ("masks", "text"))
    if masks:
        columns = ("configuration", "objects in frames", "noisy", "share (95 % interval)")
        columns += ("median IoU", "IoU 5 % to 95 %")
        yield ""
        yield from render_table(columns, [_format_masks(row) for row in masks])
        yield ""
        yield f"![Distribution of the IoU of noisy objects on disk]({PLOT_FILE})"
    if text:
        columns = ("configuration", "prompts that could change", "changed", "share (95 % interval)")
        yield ""
        yield from render_table(columns, [_format_text(row) for row in text])


def _format_masks(row: NoiseStatistics) -> tuple[str, ...]:
    name = row.configuration if row.group == "all" else f"{row.configuration}, {row.group}"
    quantiles = f"{_format(row.iou_q05)} to {_format(row.iou_q95)}"
    items = "" if row.items is None else str(row.items)
    return name, items, str(row.noisy), _format_share(row), _format(row.iou_q50), quantiles


def _format_text(row: NoiseStatistics) -> tuple[str, ...]:
    name = row.configuration if row.group == "all" else f"{row.configuration}, {row.group}"
    return name, "" if row.items is None else str(row.items), str(row.noisy), _format_share(row)


def _format(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _format_share(row: NoiseStatistics) -> str:
    if row.rate is None:
        return ""
    if row.rate_low is None or row.rate_high is None:
        return f"{row.rate:.3f}"
    return f"{row.rate:.3f} ({row.rate_low:.3f} to {row.rate_high:.3f})"


def _describe_loading(contents: ReleaseContents) -> Iterator[str]:
    first = contents.configurations[0]
    split = first.split.recipe.split
    yield "## How to load it"
    yield ""
    if contents.data == "none":
        yield "This release has no masks. It has what turns your own copy of the source into them."
        return
    yield "With `datasets`, from a copy of this folder or from its place on the Hub:"
    yield ""
    yield from _fence(
        "python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("RELEASE", "{first.name}", split="{split}")',
        'print(rows[0]["prompt"], rows[0]["mask"].size)',
    )
    yield ""
    yield "With pyarrow alone:"
    yield ""
    yield from _fence(
        "python",
        "import pyarrow.parquet",
        "",
        f'table = pyarrow.parquet.read_table("RELEASE/data/{first.name}")',
    )
    yield ""
    yield (
        "As a folder in the ActionVOS layout, which the public code of ActionVOS and ActiSeg-NL "
        "reads:"
    )
    yield ""
    yield from _fence("sh", f"tar xf RELEASE/archives/{first.name}.tar")
    yield ""
    yield (
        "Names that Windows cannot have are escaped in the archive. If it has a `NAMES.tsv`, this "
        "gives the folders their original names on Linux and macOS:"
    )
    yield ""
    yield from _fence(
        "bash",
        f"cd {first.name} && while IFS=$'\\t' read -r path name; do "
        'mv "$path" "$(dirname "$path")/$name"; done < NAMES.tsv',
    )


def _describe_rebuilding(contents: ReleaseContents) -> Iterator[str]:
    first = contents.configurations[0].name
    yield "## How to rebuild and verify it"
    yield ""
    yield (
        "The rebuild kits in `rebuild/` have the recipe of each configuration and the digest of "
        "every mask and list, but no mask and no prompt"
        + (" (for imported labels, the kit has the differences)" if _has_imports(contents) else "")
        + ". Anybody who has the source gets the same pixels from them, and is told so:"
    )
    yield ""
    commands = [f"actiseg-noise rebuild RELEASE --config {first} --source DATASET --out {first}"]
    if any(contents.source.inputs.values()):
        commands.append(f"actiseg-noise rebuild RELEASE --config {first} --visor DIR --out {first}")
    yield from _fence("sh", *commands)
    yield ""
    yield "To check the files of the release, and an unpacked archive:"
    yield ""
    commands = ["sha256sum -c SHA256SUMS", "actiseg-noise publish --check RELEASE"]
    if contents.data != "none":
        commands.append(f"actiseg-noise verify {first}")
    yield from _fence("sh", *commands)


def _has_imports(contents: ReleaseContents) -> bool:
    return any(
        noise.kind == "imported"
        for entry in contents.configurations
        for noise in entry.split.recipe.noises
    )


def _describe_fields(contents: ReleaseContents) -> Iterator[str]:
    if contents.data == "none":
        return
    yield "## Fields"
    yield ""
    yield "A row is one object in one frame."
    yield ""
    fields = [
        (name, text)
        for name, text in ROW_FIELDS.items()
        if name != "image" or contents.data == "frames"
    ]
    yield from render_table(("field", "content"), fields)


def _describe_limits(contents: ReleaseContents) -> Iterator[str]:
    yield "## Uses and limits"
    yield ""
    yield from _list(list_uses())
    yield from _list(list_misuses(contents))
    yield ""
    yield "Known limits:"
    yield ""
    yield from _list(list_limits(contents))
    yield from _list(describe_biases(contents))


def _describe_makers(contents: ReleaseContents) -> Iterator[str]:
    yield "## Who made the labels"
    yield ""
    yield from _list(list_preprocessing(contents))
    yield f"* The noise was made by {escape_markdown(', '.join(list_tools(contents)))}."
    names = ", ".join(author.name for author in contents.description.authors)
    yield f"* The release is published by {escape_markdown(names)}."
    yield ""
    yield "## Personal data"
    yield ""
    yield escape_markdown(describe_persons(contents))


def _describe_licence(contents: ReleaseContents) -> Iterator[str]:
    yield "## Licence and attribution"
    yield ""
    for terms in contents.licences:
        yield f"* [{escape_markdown(terms.title)}]({terms.url}) ({terms.identifier})"
    if contents.frames_licence is not None:
        yield f"* The frames are under {contents.frames_licence.identifier}."
    yield ""
    yield "From `NOTICE`:"
    yield ""
    for line in contents.source.notice_text.strip().splitlines():
        yield f"> {escape_markdown(line)}".rstrip()
    yield ""
    yield "## Citation"
    yield ""
    yield "Please cite this release, and the works that `NOTICE` names."
    yield ""
    yield from _fence("bibtex", *compose_bibtex(contents).rstrip().splitlines())


def _describe_history(contents: ReleaseContents) -> Iterator[str]:
    yield "## Versions"
    yield ""
    versions = [contents.description.version, *contents.changes]
    for version, before in pairwise(versions):
        yield f"* {escape_markdown(version)}, changes since {escape_markdown(before)}:"
        yield from (f"  * {escape_markdown(line)}" for line in contents.changes[before])
    yield f"* {escape_markdown(versions[-1])}: first release."
    yield ""
    yield "## Maintenance"
    yield ""
    yield escape_markdown(describe_maintenance(contents))


def _list(lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    return (f"* {escape_markdown(line)}" for line in lines)


def _fence(language: str, *lines: str) -> Iterator[str]:
    yield f"```{language}"
    yield from lines
    yield "```"
