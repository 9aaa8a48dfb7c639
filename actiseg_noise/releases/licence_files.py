"""The licences of a release: ``LICENSE``, ``NOTICE`` and the full texts in ``licences/``."""

from __future__ import annotations

from actiseg_data.core.manifests import find_installed
from actiseg_data.records.licence_terms import join_licences
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.releases.release_contents import LEXICON_LICENCE, ReleaseContents
from actiseg_noise.releases.release_statements import compose_notice, name_source

LICENCES = "licences"
"""The folder of the full texts."""

WORDNET_TEXT = f"{LICENCES}/WordNet-3.0.txt"


def compose_licence_files(contents: ReleaseContents) -> dict[str, str]:
    """Compose the licence files of a release; return their texts by name.

    A licence whose text names the owner has no file in `LICENCES`: the LICENSE of the source has
    its full text.
    """
    files = {LICENSE_FILE: _compose_license(contents), NOTICE_FILE: compose_notice(contents)}
    for terms in contents.licences:
        if terms.text is not None:
            files[f"{LICENCES}/{terms.identifier}.txt"] = terms.text
    if contents.uses_installed_lexicon:
        files[WORDNET_TEXT] = find_installed("lexicon/LICENSE-WORDNET").read_text("utf-8")
    return files


def describe_licences(contents: ReleaseContents) -> list[tuple[str, str]]:
    """List the parts of a release, each with the SPDX expression of its licence if it is known."""
    labels = f"labels of {name_source(contents)}, and their changes"
    described = [(labels, join_licences(contents.source.licences))]
    described += [
        (f"differences taken from {entry.origin!r}", "that of their makers, see NOTICE")
        for entry in contents.imported
    ]
    if contents.uses_installed_lexicon:
        described.append(("names that noise wrote (EPIC-KITCHENS-100)", LEXICON_LICENCE))
        described.append(("WordNet senses in ledgers", "WordNet 3.0 licence"))
    if contents.frames_licence is not None:
        described.append(("frames", contents.frames_licence.identifier))
    return described


def _compose_license(contents: ReleaseContents) -> str:
    """Compose LICENSE: that of the source, and which licence each other part has."""
    lines = [contents.source.license_text.rstrip()]
    parts = describe_licences(contents)
    if len(parts) > 1:
        lines += ["", "Parts of this release have licences of their own:", ""]
        lines += [f"* {part}: {identifier}" for part, identifier in parts]
    lines += ["", f"Full texts are in {LICENCES}/. NOTICE has the attribution.", ""]
    return "\n".join(lines)
