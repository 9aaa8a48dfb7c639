"""The licences of a release: ``LICENSE``, ``NOTICE`` and the full texts in ``licences/``."""

from __future__ import annotations

from actiseg_data.core.manifests import find_installed
from actiseg_data.records.licence_terms import join_licences
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.releases.contents.release_contents import LEXICON_LICENCE, ReleaseContents
from actiseg_noise.releases.metadata.release_statements import compose_notice
from actiseg_noise.releases.metadata.source_statements import (
    ACTIONVOS_ADDRESS,
    is_visor,
    list_human_lists,
    name_source,
)

LICENCES = "licences"
"""The folder of the full texts."""

WORDNET_TEXT = f"{LICENCES}/WordNet-3.0.txt"

_PARTS = "Parts of this release have licences of their own:"
_TEXTS = f"Full texts are in {LICENCES}/. NOTICE has the attribution."
LICENSE_ADDITIONS = (_PARTS, _TEXTS)
"""One of these follows the licence of the source in the LICENSE of a release."""

WORDNET_TERMS = "WordNet 3.0 licence"
WORDNET_ADDRESS = "https://wordnet.princeton.edu/license-and-commercial-use"


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
    labels = f"labels of {name_source(contents)}, and our changes to them"
    described = [(labels, join_licences(contents.source.licences))]
    if is_visor(contents) and contents.kind.has_actions:
        lists = "".join(
            f", labels of active objects in {name}" for name in list_human_lists(contents)
        )
        terms = f"that of ActionVOS: not stated in NOTICE, see {ACTIONVOS_ADDRESS}"
        described.append((f"form of prompts{lists}", terms))
    described += [
        (f"differences taken from {entry.origin!r}", "that of their makers, see NOTICE")
        for entry in contents.imported
    ]
    if contents.uses_installed_lexicon:
        described.append(("names introduced by the noise (EPIC-KITCHENS-100)", LEXICON_LICENCE))
        described.append(("WordNet senses in ledgers", WORDNET_TERMS))
    if contents.frames_licence is not None:
        described.append(("frames", contents.frames_licence.identifier))
    return described


def describe_terms(contents: ReleaseContents) -> str:
    """Name all licences of a release in one sentence."""
    return f"Licences of the parts: {', '.join(list_terms(contents))}. See NOTICE."


def list_terms(contents: ReleaseContents) -> dict[str, str]:
    """List the licences of a release, and the addresses of their texts."""
    terms = {licence.identifier: licence.url for licence in contents.licences}
    return terms | ({WORDNET_TERMS: WORDNET_ADDRESS} if contents.uses_installed_lexicon else {})


def _compose_license(contents: ReleaseContents) -> str:
    """Compose LICENSE: that of the source, and which licence each other part has."""
    lines = [contents.source.license_text.rstrip()]
    parts = describe_licences(contents)
    if len(parts) > 1:
        lines += ["", _PARTS, ""]
        lines += [f"* {part}: {identifier}" for part, identifier in parts]
    lines += ["", _TEXTS, ""]
    return "\n".join(lines)
