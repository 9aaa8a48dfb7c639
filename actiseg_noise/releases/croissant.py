"""The Croissant description of a release: version 1.1, core and responsible AI (RAI).

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from actiseg_noise.releases.citation import KEYWORDS, compose_bibtex
from actiseg_noise.releases.parquet_shards import COLUMNS
from actiseg_noise.releases.release_contents import ReleaseContents, ReleaseFile
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
from actiseg_noise.releases.release_statistics import COLUMNS as STATISTICS_COLUMNS
from actiseg_noise.releases.release_statistics import STATISTICS_FILE

CROISSANT_FILE = "croissant.json"

_CORE = "http://mlcommons.org/croissant/1.1"
_RAI = "http://mlcommons.org/croissant/RAI/1.0"

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_TYPES = {
    "string": "sc:Text",
    "int32": "cr:Int32",
    "bool": "sc:Boolean",
    "float64": "cr:Float64",
    "image": "sc:ImageObject",
}

_FORMATS = {
    "parquet": "application/x-parquet",
    "tar": "application/x-tar",
    "json": "application/json",
    "csv": "text/csv",
    "png": "image/png",
    "md": "text/markdown",
}

_PROMPTS = ("prompt", "prompt_clean", "name", "name_clean", "class_id", "class_id_clean")
_PROMPTS += ("positive", "kind_text")
_MASKS = ("mask", "picture", "kind", "iou", "image")
_ITEM = ("sequence", "frame", "object_id")
_RECORD_SETS = {"prompts": (*_ITEM, *_PROMPTS), "masks": (*_ITEM, *_MASKS)}

_NUMBERS = ("items", "noisy")
_TEXTS = ("configuration", "split", "medium", "group")


def compose_croissant(contents: ReleaseContents) -> str:
    """Compose ``croissant.json``. `contents.files` must have all files but the documents."""
    description = contents.description
    licences = [terms.url for terms in contents.licences]
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": description.title,
        "description": _describe(contents),
        "conformsTo": [_CORE, _RAI],
        "version": description.version,
        "datePublished": description.date,
        "license": licences[0] if len(licences) == 1 else licences,
        "url": description.url or _make_address(description.doi),
        "sameAs": _make_address(description.doi) if description.url else None,
        "citeAs": compose_bibtex(contents),
        "creator": [_describe_author(author.name, author.orcid) for author in description.authors],
        "inLanguage": "en",
        "isLiveDataset": False,
        "keywords": list(KEYWORDS),
        "distribution": _list_distribution(contents),
        "recordSet": [*_list_record_sets(contents), _describe_statistics()],
        **_describe_responsibly(contents),
        **_describe_provenance(contents),
    }
    known = {name: value for name, value in document.items() if value is not None}
    return json.dumps(known, indent=1, ensure_ascii=False) + "\n"


def _make_address(doi: str | None) -> str | None:
    return None if doi is None else f"https://doi.org/{doi}"


def _describe(contents: ReleaseContents) -> str:
    lines = [f"{entry.name}: {describe_configuration(entry)}." for entry in contents.configurations]
    return " ".join(["Noisy labels for video object segmentation, made on purpose.", *lines])


def _describe_author(name: str, orcid: str | None) -> dict[str, str]:
    author = {"@type": "sc:Person", "name": name}
    return author if orcid is None else author | {"sameAs": f"https://orcid.org/{orcid}"}


def _list_distribution(contents: ReleaseContents) -> list[dict[str, Any]]:
    entries = []
    for file in contents.files:
        entries.append(
            {
                "@type": "cr:FileObject",
                "@id": file.name,
                "name": file.name,
                "description": _describe_file(file),
                "contentUrl": file.name,
                "contentSize": f"{file.size} B",
                "encodingFormat": _FORMATS[file.name.rpartition(".")[2]],
                "sha256": file.sha256,
            }
        )
    for name, split, files in _group_shards(contents.files):
        entries.append(
            {
                "@type": "cr:FileSet",
                "@id": f"{name}/{split}",
                "name": f"{name}/{split}",
                "description": f"The rows of the list {split} of the configuration {name}.",
                "containedIn": [{"@id": file.name} for file in files],
                "encodingFormat": _FORMATS["parquet"],
                "includes": f"data/{name}/{split}-*.parquet",
            }
        )
    return entries


def _describe_file(file: ReleaseFile) -> str:
    texts = {
        "kit": "rebuild kit: recipe and digests",
        "parquet": "rows, one for each object in each frame",
        "archive": "noisy split in the ActionVOS layout",
        "table": "how much noise is on disk",
        "picture": "plot of the IoU on disk",
    }
    text = texts.get(file.role, file.role)
    return text if file.configuration is None else f"{file.configuration}: {text}"


def _group_shards(
    files: Sequence[ReleaseFile],
) -> Iterator[tuple[str, str, list[ReleaseFile]]]:
    """Group the Parquet files by configuration and list."""
    groups: dict[tuple[str, str], list[ReleaseFile]] = {}
    for file in files:
        if file.role == "parquet":
            groups.setdefault((str(file.configuration), str(file.split)), []).append(file)
    return ((name, split, group) for (name, split), group in groups.items())


def _list_record_sets(contents: ReleaseContents) -> Iterator[dict[str, Any]]:
    columns = COLUMNS | ({"image": "image"} if contents.data == "frames" else {})
    for name, split, files in _group_shards(contents.files):
        for kind, members in _RECORD_SETS.items():
            record_set = f"{name}/{split}/{kind}"
            yield {
                "@type": "cr:RecordSet",
                "@id": record_set,
                "name": record_set,
                "description": f"The {kind} of the list {split} of the configuration {name}.",
                "key": [{"@id": f"{record_set}/{member}"} for member in _ITEM],
                "field": [
                    _describe_field(record_set, files, column, columns[column])
                    for column in members
                    if column in columns
                ],
            }


def _describe_field(
    record_set: str, files: Sequence[ReleaseFile], column: str, kind: str
) -> dict[str, Any]:
    place = {"fileSet": {"@id": "/".join(record_set.split("/")[:2])}}
    if len(files) == 1:
        place = {"fileObject": {"@id": files[0].name}}
    source: dict[str, Any] = {**place, "extract": {"column": column}}
    types: str | list[str] = _TYPES[kind]
    if kind == "image":
        source["transform"] = {"jsonPath": "bytes"}
    if column == "mask":
        types = ["sc:ImageObject", "cr:SegmentationMask"]
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column}",
        "name": column,
        "description": column.replace("_", " "),
        "dataType": types,
        "source": source,
    }


def _describe_statistics() -> dict[str, Any]:
    fields = []
    for column in STATISTICS_COLUMNS:
        kind = "sc:Text" if column in _TEXTS else "sc:Integer" if column in _NUMBERS else "sc:Float"
        fields.append(
            {
                "@type": "cr:Field",
                "@id": f"statistics/{column}",
                "name": column,
                "description": column.replace("_", " "),
                "dataType": kind,
                "source": {
                    "fileObject": {"@id": STATISTICS_FILE},
                    "extract": {"column": column},
                },
            }
        )
    return {
        "@type": "cr:RecordSet",
        "@id": "statistics",
        "name": "statistics",
        "description": "How much noise is on disk, by configuration, kind and size.",
        "field": fields,
    }


def _describe_responsibly(contents: ReleaseContents) -> dict[str, Any]:
    changes = [describe_configuration(entry) for entry in contents.configurations]
    return {
        "rai:dataCollection": "The clean labels come from the source, which NOTICE names.",
        "rai:dataCollectionType": ["Secondary Data Analysis"],
        "rai:dataPreprocessingProtocol": list(list_preprocessing(contents)),
        "rai:dataManipulationProtocol": ". ".join(changes) + ".",
        "rai:dataAnnotationProtocol": [
            "Noise is drawn by keyed hashes of seed, algorithm and item, so that equal input gives "
            "equal output. recipe.json has all parameters, and ledger.jsonl every change."
        ],
        "rai:machineAnnotationTools": list_tools(contents),
        "rai:annotationsPerItem": "One noisy label, and the clean name and prompt.",
        "rai:dataBiases": list(describe_biases(contents)),
        "rai:dataLimitations": [*list_limits(contents), *list_misuses(contents)],
        "rai:dataUseCases": list(list_uses()),
        "rai:dataSocialImpact": (
            "The release makes methods comparable that tolerate wrong labels. A reader who takes "
            "the noisy labels for the truth is misled; every document says that they are noisy."
        ),
        "rai:personalSensitiveInformation": [describe_persons(contents)],
        "rai:dataReleaseMaintenancePlan": describe_maintenance(contents),
    }


def _describe_provenance(contents: ReleaseContents) -> dict[str, Any]:
    """Describe the source that the release derives from, and the runs that made it (PROV-O)."""
    sources = [
        {
            "@type": "prov:Entity",
            "sc:name": f"clean list {entry.split.recipe.split}",
            "sc:identifier": f"actiseg-fingerprint:{entry.split.source.fingerprint}",
            "sc:license": contents.source.licence.url,
        }
        for entry in contents.configurations
    ]
    activities = [
        {
            "@type": "prov:Activity",
            "sc:name": entry.name,
            "sc:description": describe_configuration(entry),
            "sc:identifier": f"actiseg-recipe:{entry.split.recipe.digest}",
            "prov:wasAssociatedWith": {
                "@type": "prov:SoftwareAgent",
                "sc:name": str(entry.documents.summary.get("toolkit")),
            },
        }
        for entry in contents.configurations
    ]
    unique = list({source["sc:identifier"]: source for source in sources}.values())
    return {"prov:wasDerivedFrom": unique, "prov:wasGeneratedBy": activities}
