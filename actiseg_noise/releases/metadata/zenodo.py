"""The description of a release for Zenodo: ``.zenodo.json``."""

from __future__ import annotations

import html
from typing import Any

from actiseg_data.records.licence_terms import LicenceTerms
from actiseg_noise.releases.contents.description import Author
from actiseg_noise.releases.contents.escaping import flatten_text
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.cited_works import list_cited_works
from actiseg_noise.releases.metadata.licence_files import describe_terms
from actiseg_noise.releases.metadata.release_facts import list_keywords
from actiseg_noise.releases.metadata.release_statements import describe_release

ZENODO_FILE = ".zenodo.json"


def describe_for_zenodo(contents: ReleaseContents) -> dict[str, Any]:
    """Describe a release in the members that Zenodo reads."""
    says = contents.description
    related = [
        {"identifier": work.url, "relation": "isDerivedFrom", "scheme": "url"}
        for work in list_cited_works(contents)
    ]
    if says.url is not None:
        related.append({"identifier": says.url, "relation": "isIdenticalTo", "scheme": "url"})
    document: dict[str, Any] = {
        "title": flatten_text(says.title),
        "upload_type": "dataset",
        "description": f"<p>{html.escape(describe_release(contents))}</p>",
        "creators": [_describe_creator(author) for author in says.authors],
        "version": says.version,
        "publication_date": says.date,
        "access_right": "open",
        "license": choose_strictest(contents.licences).identifier.lower(),
        "notes": html.escape(describe_terms(contents)),
        "keywords": list_keywords(contents),
        "language": "eng",
        "related_identifiers": related,
    }
    return {name: value for name, value in document.items() if value not in (None, [])}


def choose_strictest(licences: tuple[LicenceTerms, ...]) -> LicenceTerms:
    """Choose the licence with the most restrictions: where only one can be stated, it holds."""
    restrictions = ("-NC-", "-SA-", "CC-BY")
    return max(
        licences,
        key=lambda terms: [restriction in terms.identifier for restriction in restrictions],
    )


def _describe_creator(author: Author) -> dict[str, str]:
    given = author.given_names
    entry = {"name": f"{author.family_name}, {given}" if given else author.name}
    return entry if author.orcid is None else entry | {"orcid": author.orcid}
