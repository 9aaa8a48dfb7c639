"""The header of a dataset card, which the Hugging Face Hub reads."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from typing import Any

from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import ReleaseContents, ReleaseFile
from actiseg_noise.releases.metadata.release_facts import list_keywords
from actiseg_noise.releases.metadata.source_statements import is_visor

TASKS = ("image-segmentation", "mask-generation")

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)


def compose_header(contents: ReleaseContents) -> str:
    """Compose the YAML header of a card, with the lines of dashes around it."""
    import yaml

    document = describe_card(contents)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{text}---\n"


def describe_card(contents: ReleaseContents) -> dict[str, Any]:
    """Return the members of the header."""
    licences = [terms.hub for terms in contents.licences]
    document: dict[str, Any] = {
        "pretty_name": flatten_text(contents.description.title),
        "license": licences[0] if len(licences) == 1 else licences,
        "task_categories": list(TASKS),
        "language": ["en"],
        "annotations_creators": _list_creators(contents),
        "source_datasets": [_name_source_dataset(contents)],
        "size_categories": [_classify_rows(contents)],
        "tags": [
            *(keyword.replace(" ", "-") for keyword in list_keywords(contents)),
            "croissant",
            "actiseg",
        ],
    }
    configs = list_configs(contents)
    return document | ({"configs": configs} if configs else {})


def list_configs(contents: ReleaseContents) -> list[dict[str, Any]]:
    """List the configurations with their Parquet files; the first one is the default."""
    configs: list[dict[str, Any]] = []
    for entry in contents.configurations:
        files = list_parquet_files(contents, entry.name)
        if files:
            splits = dict.fromkeys(str(file.split) for file in files)
            configs.append(
                {
                    "config_name": entry.name,
                    "data_files": [
                        {"split": name_hub_split(split), "path": _match_files(files, split)}
                        for split in splits
                    ],
                }
                | ({} if configs else {"default": True})
            )
    return configs


def list_parquet_files(contents: ReleaseContents, configuration: str) -> list[ReleaseFile]:
    """List the Parquet files of a configuration."""
    return [
        file
        for file in contents.files
        if file.role == "parquet" and file.configuration == configuration
    ]


def name_hub_split(split: str) -> str:
    """Return the name of a split on the Hub, which permits letters, digits and underscores.

    >>> name_hub_split("val-human")
    'val_human'
    """
    return re.sub(r"\W", "_", split)


def _match_files(files: Iterable[ReleaseFile], split: str) -> str:
    """Return a pattern that matches the Parquet files of a split and no others."""
    names = [file.name for file in files if file.split == split]
    if len(names) == 1:
        return glob.escape(names[0])
    folder = glob.escape(names[0].rpartition("/")[0])
    return f"{folder}/{glob.escape(split)}-?????-of-?????.parquet"


def _list_creators(contents: ReleaseContents) -> list[str]:
    """List who made the labels, in the words of the Hub: ``found`` for those of a source."""
    creators = ["found"] if contents.imported or not contents.source.synthetic else []
    return creators + ["machine-generated"] * bool(contents.own or contents.source.synthetic)


def _name_source_dataset(contents: ReleaseContents) -> str:
    if contents.source.synthetic:
        return "extended|other-actiseg-sample"
    return "extended|other-epic-kitchens-visor" if is_visor(contents) else "extended"


def _classify_rows(contents: ReleaseContents) -> str:
    """Return the size category by the number of rows, or of objects if there are no rows."""
    rows = sum(file.rows or 0 for file in contents.files if file.role == "parquet")
    count = rows or sum(
        len(sequence.objects)
        for entry in contents.configurations
        for sequence in entry.split.noisy.sequences
    )
    return next((name for limit, name in _SIZES if count < limit), "10M<n<100M")
