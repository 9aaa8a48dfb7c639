"""The vocabulary of Croissant 1.1: its context, and the names of formats and types."""

from __future__ import annotations

from typing import Any

CONFORMS_TO = (
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
)

_CROISSANT = (
    "annotation arrayShape citeAs column containedIn equivalentProperty excludes extract field "
    "fileProperty fileObject fileSet format includes isArray isLiveDataset jsonPath key md5 "
    "parentField path readLines recordSet references regex repeated replace samplingRate sdVersion "
    "separator source subField transform unArchive"
)
"""Terms that the context takes from Croissant's own namespace."""

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
} | {term: f"cr:{term}" for term in _CROISSANT.split()}
"""The context of a Croissant document."""

FORMATS_BY_ENDING = {
    ".json": "application/json",
    ".parquet": "application/x-parquet",
    ".tar": "application/x-tar",
    ".csv": "text/csv",
    ".png": "image/png",
    ".txt": "text/plain",
    ".md": "text/markdown",
}
"""Media types by the ending of a file's name."""

TYPES = {
    "string": ["sc:Text"],
    "int32": ["cr:Int32"],
    "bool": ["sc:Boolean"],
    "float64": ["cr:Float64"],
    "image": ["sc:ImageObject"],
}
"""Croissant's types by the type of a column in Parquet."""
