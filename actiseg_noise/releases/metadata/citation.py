"""The citation of a release: ``CITATION.cff`` and ``citation.bib``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from actiseg_noise.releases.contents.description import Author
from actiseg_noise.releases.contents.escaping import escape_bibtex, flatten_text
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.cited_works import CitedWork, list_cited_works
from actiseg_noise.releases.metadata.licence_files import describe_terms
from actiseg_noise.releases.metadata.release_facts import list_keywords
from actiseg_noise.releases.metadata.release_statements import describe_release

CFF_FILE = "CITATION.cff"
BIBTEX_FILE = "citation.bib"

_LONGEST_KEY = 40


def compose_cff(contents: ReleaseContents) -> str:
    """Compose ``CITATION.cff``, of version 1.2.0 of the Citation File Format."""
    import yaml

    says = contents.description
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "Please cite this dataset, and the works that its NOTICE names.",
        "type": "dataset",
        "title": flatten_text(says.title),
        "abstract": f"{describe_release(contents)} {describe_terms(contents)}",
        "authors": [_describe_author(author) for author in says.authors],
        "version": says.version,
        "date-released": says.date,
        "doi": says.doi,
        "url": says.url,
        "license": [terms.identifier for terms in contents.licences],
        "keywords": list_keywords(contents),
        "references": [_describe_work(work) for work in list_cited_works(contents)],
    }
    kept = {name: value for name, value in document.items() if value not in (None, [])}
    text: str = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100)
    return text


def compose_bibtex(contents: ReleaseContents) -> str:
    """Compose ``citation.bib``: the release, and the works that it was made from."""
    entries = [compose_entry(contents)]
    for work in list_cited_works(contents):
        authors = " and ".join(f"{family}, {given}" for given, family in work.authors)
        entries.append(
            _format_entry(
                "article" if work.article else "inproceedings",
                work.key,
                {
                    "title": f"{{{escape_bibtex(work.title)}}}",
                    "author": authors,
                    "year": str(work.year),
                    "journal" if work.article else "booktitle": work.venue,
                    "url": work.url,
                },
            )
        )
    return "\n".join(entries)


def compose_entry(contents: ReleaseContents) -> str:
    """Compose the BibTeX entry of the release itself."""
    says = contents.description
    fields = {
        "title": f"{{{escape_bibtex(says.title)}}}",
        "author": " and ".join(_invert_name(author) for author in says.authors),
        "year": "" if says.date is None else says.date[:4],
        "version": escape_bibtex(says.version),
        "doi": escape_bibtex(says.doi or ""),
        "url": escape_bibtex(says.url or ""),
        "note": "Noisy labels" if contents.imported else "Noisy labels, made by a program",
    }
    return _format_entry("misc", _make_key(contents), fields)


def _format_entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"]) + "\n"


def _make_key(contents: ReleaseContents) -> str:
    """Make a BibTeX key of letters and digits: family name, year, first word of the title.

    The word replaces a family name without ASCII letters, and "release" replaces such a word.
    """
    says = contents.description
    family, *title = (
        re.sub(r"[^a-z0-9]", "", word.lower())
        for word in (says.authors[0].family_name, *says.title.split())
    )
    word = next(filter(None, title), "")
    starts = (text for text in (family, word, "release") if text[:1].isalpha())
    start = next(starts)
    parts = (start, (says.date or "")[:4], word if start == family else "")
    return "".join(parts)[:_LONGEST_KEY]


def _invert_name(author: Author) -> str:
    """Write a name as ``Family, Given``; braces keep the words of a single name together."""
    family, given = escape_bibtex(author.family_name), escape_bibtex(author.given_names)
    return f"{family}, {given}" if given else f"{{{family}}}"


def _describe_author(author: Author) -> dict[str, str]:
    if author.given_names:
        entry = {"family-names": author.family_name, "given-names": author.given_names}
    else:
        entry = {"name": author.name}
    if author.orcid is not None:
        entry["orcid"] = f"https://orcid.org/{author.orcid}"
    return entry


def _describe_work(work: CitedWork) -> dict[str, Any]:
    return {
        "type": "article" if work.article else "conference-paper",
        "title": work.title,
        "authors": [
            {"family-names": family, "given-names": given} for given, family in work.authors
        ],
        "year": work.year,
        "journal" if work.article else "collection-title": work.venue,
        "url": work.url,
    }
