"""The machine-readable description of a release: ``croissant.json``, of Croissant 1.1 with RAI."""

from __future__ import annotations

from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.contents.description import Author
from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import (
    Configuration,
    ReleaseContents,
    ReleaseFile,
)
from actiseg_noise.releases.data_files.row_fields import RowField, list_row_fields
from actiseg_noise.releases.metadata.card_header import list_parquet_files
from actiseg_noise.releases.metadata.citation import compose_entry
from actiseg_noise.releases.metadata.croissant_responsibility import (
    describe_provenance,
    describe_rai,
)
from actiseg_noise.releases.metadata.croissant_vocabulary import (
    CONFORMS_TO,
    CONTEXT,
    FORMATS_BY_ENDING,
    TYPES,
)
from actiseg_noise.releases.metadata.licence_files import list_terms
from actiseg_noise.releases.metadata.noise_statements import describe_noises
from actiseg_noise.releases.metadata.release_facts import find_purpose, list_keywords
from actiseg_noise.releases.metadata.release_statements import describe_release
from actiseg_noise.releases.metadata.release_statistics import (
    COLUMN_MEANINGS,
    STATISTICS_FILE,
    NoiseStatistics,
)

CROISSANT_FILE = "croissant.json"

PROMPT_FIELDS = (
    *("sequence", "frame", "object_id", "prompt", "prompt_clean", "name", "name_clean"),
    *("class_id", "class_id_clean", "positive", "positive_clean", "kind_text"),
)
"""The fields of the record set of prompts."""

KEY_FIELDS = ("sequence", "frame", "object_id")
"""The fields that identify a row among those of a configuration."""

SPLITS = "splits"
"""The record set of the splits that the release has rows of."""

_SPLIT_OF_FILE = r"^(?:.*/)?([^/]+?)(?:-\d{5}-of-\d{5}\.parquet)?$"
"""The split in the path of a Parquet file. The name of a split alone matches as well, because
mlcroissant applies a transform to its own result again."""

_MEANINGS_OF_SPLITS: dict[str | None, str] = {
    "train": "cr:TrainingSplit",
    "val": "cr:ValidationSplit",
    "test": "cr:TestSplit",
}
"""What Croissant calls a split by its purpose, see `find_purpose`."""

MASK_FIELDS = ("sequence", "frame", "object_id", "mask", "picture", "kind", "iou", "image")
"""The fields of the record set of masks; the last one only with frames."""

_STATISTICS_TYPES = {"int": "sc:Integer", "float": "sc:Float", "str": "sc:Text"}


def describe_in_croissant(contents: ReleaseContents) -> dict[str, Any]:
    """Describe a release in Croissant. Its distribution is the release's files."""
    says = contents.description
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": flatten_text(says.title),
        "description": describe_release(contents),
        "url": says.url,
        "sameAs": None if says.doi is None else f"https://doi.org/{says.doi}",
        "version": says.version,
        "datePublished": says.date,
        "license": list(list_terms(contents).values()),
        "creator": [_describe_person(author) for author in says.authors],
        "publisher": [_describe_person(author) for author in says.authors],
        "keywords": list_keywords(contents),
        "inLanguage": "en",
        "citeAs": compose_entry(contents),
        "isLiveDataset": False,
        **describe_rai(contents),
        **describe_provenance(contents),
        "distribution": _list_distribution(contents),
        "recordSet": _list_record_sets(contents),
    }
    return {name: value for name, value in document.items() if value is not None}


def _describe_person(author: Author) -> dict[str, str]:
    entry = {"@type": "sc:Person", "name": author.name}
    if author.orcid is not None:
        entry["sameAs"] = f"https://orcid.org/{author.orcid}"
    return entry


def _list_distribution(contents: ReleaseContents) -> list[dict[str, Any]]:
    """List all files, and the Parquet files of each configuration as a set."""
    entries = [_describe_file(file) for file in contents.files]
    for configuration in contents.configurations:
        files = list_parquet_files(contents, configuration.name)
        if files:
            entries.append(
                {
                    "@type": "cr:FileSet",
                    "@id": _name_set(configuration),
                    "name": _name_set(configuration),
                    "description": f"Rows of the configuration {configuration.name}.",
                    "encodingFormat": FORMATS_BY_ENDING[".parquet"],
                    "includes": f"{files[0].name.rpartition('/')[0]}/*.parquet",
                }
            )
    return entries


def _describe_file(file: ReleaseFile) -> dict[str, Any]:
    ending = PurePosixPath(file.name).suffix
    return {
        "@type": "cr:FileObject",
        "@id": _make_id(file.name),
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": FORMATS_BY_ENDING.get(ending, "application/octet-stream"),
        "sha256": file.sha256,
    }


def _list_record_sets(contents: ReleaseContents) -> list[dict[str, Any]]:
    """List the record sets: prompts and masks of each configuration, and the statistics."""
    known = {
        field.name: field
        for field in list_row_fields(contents.kind, frames=contents.data == "frames")
    }
    kind, record_sets = contents.kind, []
    place = kind.place
    for configuration in contents.configurations:
        if not list_parquet_files(contents, configuration.name):
            continue
        for name, columns in (("prompts", PROMPT_FIELDS), ("masks", MASK_FIELDS)):
            identifier = f"{configuration.name}/{name}"
            chosen = [known[column] for column in columns if column in known]
            record_sets.append(
                {
                    "@type": "cr:RecordSet",
                    "@id": identifier,
                    "name": identifier,
                    "description": f"{_name_records(name, kind)} of {configuration.name}, for each "
                    f"object in {place}. {'; '.join(describe_noises(configuration))}.",
                    "key": [{"@id": f"{identifier}/{column}"} for column in KEY_FIELDS],
                    "field": [
                        _describe_split(identifier, _name_set(configuration)),
                        *(
                            _describe_field(identifier, _name_set(configuration), field)
                            for field in chosen
                        ),
                    ],
                }
            )
    if record_sets:
        record_sets.insert(0, _list_splits(contents))
    if any(file.name == STATISTICS_FILE for file in contents.files):
        record_sets.append(_describe_statistics())
    return record_sets


def _name_records(record_set: str, kind: DataKind) -> str:
    """Name the contents of a record set; without prompts, that of prompts has other labels."""
    named = {"prompts": kind.prompts if kind.has_prompts else "labels"}
    return named.get(record_set, record_set).capitalize()


def _describe_field(record_set: str, file_set: str, field: RowField) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": file_set}, "extract": {"column": field.name}}
    types = list(TYPES[field.kind])
    if field.kind == "image":
        source["transform"] = {"jsonPath": "bytes"}
    if field.name == "mask":
        types.insert(0, "cr:SegmentationMask")
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{field.name}",
        "name": field.name,
        "description": field.meaning,
        "dataType": types if len(types) > 1 else types[0],
        "source": source,
    }


def _describe_split(record_set: str, file_set: str) -> dict[str, Any]:
    """Describe the split of a record, which the name of its file has."""
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/split",
        "name": "split",
        "description": "the split that the row is of",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": file_set},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": _SPLIT_OF_FILE},
        },
        "references": {"field": {"@id": f"{SPLITS}/name"}},
    }


def _list_splits(contents: ReleaseContents) -> dict[str, Any]:
    """List the splits, and what each is for, if the names of all splits say it."""
    names = dict.fromkeys(str(file.split) for file in contents.files if file.role == "parquet")
    rows = [{f"{SPLITS}/name": name} for name in names]
    fields: list[dict[str, Any]] = [
        {"@id": f"{SPLITS}/name", "name": "name", "dataType": "sc:Text"}
    ]
    known = [
        {f"{SPLITS}/url": meaning}
        for meaning in (_MEANINGS_OF_SPLITS.get(find_purpose(name)) for name in names)
        if meaning is not None
    ]
    if len(known) == len(rows):
        rows = [row | meaning for row, meaning in zip(rows, known, strict=True)]
        types = ["sc:URL", "cr:Split"]
        fields.append({"@id": f"{SPLITS}/url", "name": "url", "dataType": types})
    return {
        "@type": "cr:RecordSet",
        "@id": SPLITS,
        "name": SPLITS,
        "description": "The splits of the release.",
        "dataType": "cr:Split",
        "key": {"@id": f"{SPLITS}/name"},
        "field": [{"@type": "cr:Field", **field} for field in fields],
        "data": rows,
    }


def _describe_statistics() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "statistics",
        "name": "statistics",
        "description": "How much noise there is on disk, by configuration, kind and size.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"statistics/{field.name}",
                "name": field.name,
                "description": COLUMN_MEANINGS[field.name],
                "dataType": _STATISTICS_TYPES[str(field.type).split(" ", 1)[0]],
                "source": {
                    "fileObject": {"@id": STATISTICS_FILE},
                    "extract": {"column": field.name},
                },
            }
            for field in fields(NoiseStatistics)
        ],
    }


def _name_set(configuration: Configuration) -> str:
    return f"{configuration.name}-rows"


def _make_id(name: str) -> str:
    return quote(name, safe="/-._")
