"""How to cite a release: CITATION.cff, BibTeX and the metadata of Zenodo."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from actiseg_noise.releases.escaping import escape_bibtex
from actiseg_noise.releases.release_contents import ReleaseContents
from actiseg_noise.releases.release_facts import describe_configuration

CFF_FILE, BIBTEX_FILE, ZENODO_FILE = "CITATION.cff", "citation.bib", ".zenodo.json"

KEYWORDS = ("label noise", "video object segmentation", "noisy labels", "benchmark")


def compose_cff(contents: ReleaseContents) -> str:
    """Compose ``CITATION.cff``, version 1.2.0 of the Citation File Format."""
    description = contents.description
    identifiers = [terms.identifier for terms in contents.licences]
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it, and the works that NOTICE names.",
        "type": "dataset",
        "title": description.title,
        "version": description.version,
        "date-released": description.date,
        "authors": [
            {
                "family-names": author.family_name,
                **({"given-names": author.given_names} if author.given_names else {}),
                **({"orcid": f"https://orcid.org/{author.orcid}"} if author.orcid else {}),
            }
            for author in description.authors
        ],
        "license": identifiers[0] if len(identifiers) == 1 else identifiers,
        "keywords": list(KEYWORDS),
    }
    if description.doi is not None:
        document["doi"] = description.doi
    if description.url is not None:
        document["url"] = description.url
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)


def compose_bibtex(contents: ReleaseContents) -> str:
    """Compose the BibTeX entry of a release."""
    description = contents.description
    names = [
        f"{author.family_name}, {author.given_names}" if author.given_names else author.family_name
        for author in description.authors
    ]
    key = re.sub(r"[^A-Za-z0-9]", "", names[0].partition(",")[0]) or "release"
    year, month, _ = description.date.split("-")
    members = {
        "title": f"{{{escape_bibtex(description.title)}}}",
        "author": " and ".join(map(escape_bibtex, names)),
        "year": year,
        "month": str(int(month)),
        "version": escape_bibtex(description.version),
    }
    if description.doi is not None:
        members["doi"] = description.doi
    if description.url is not None:
        members["url"] = description.url
    lines = [f"  {name} = {{{value}}}," for name, value in members.items()]
    return "\n".join([f"@misc{{{key}{year},", *lines, "}", ""])


def compose_zenodo(contents: ReleaseContents) -> str:
    """Compose ``.zenodo.json``, the metadata of a deposit on Zenodo."""
    description = contents.description
    lines = [f"{entry.name}: {describe_configuration(entry)}" for entry in contents.configurations]
    document: dict[str, Any] = {
        "title": description.title,
        "upload_type": "dataset",
        "version": description.version,
        "publication_date": description.date,
        "description": ". ".join(["Noisy labels for video object segmentation", *lines]) + ".",
        "creators": [
            {
                "name": ", ".join(filter(None, (author.family_name, author.given_names))),
                **({"orcid": author.orcid} if author.orcid else {}),
            }
            for author in description.authors
        ],
        "license": contents.source.licence.hub,
        "access_right": "open",
        "keywords": list(KEYWORDS),
    }
    if description.url is not None:
        document["related_identifiers"] = [
            {"identifier": description.url, "relation": "isIdenticalTo", "scheme": "url"}
        ]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
